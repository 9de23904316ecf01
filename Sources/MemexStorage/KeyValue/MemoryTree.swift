#if canImport(Glibc)
    internal import Glibc
#endif
package import MemexModel

/// A B+tree of byte keys and values. It does no locking. Every allocation may fail: then it says so and
/// is as before. Rising keys, wherever in the tree they rise, leave full leaves behind.
package struct MemoryTree: ~Copyable {
    struct Step {
        var node: UnsafeMutableRawPointer
        var index: Int
    }

    private static let heightMax = 16

    var root: MemoryNode?
    var height = 0
    /// The branches above the leaf of the last descent for writing, from the root.
    var path: UnsafeMutablePointer<Step>?
    package internal(set) var count = 0
    /// Bytes of keys and values.
    var bytes = 0

    package init() {}

    deinit {
        if let root { Self.release(root, height) }
        free(path)
    }

    /// The blocks of a whole subtree; recursion ends at the tree's height.
    private static func release(_ node: MemoryNode, _ levels: Int) {
        for index in 0..<node.count {
            if node.isLeaf { node.block(index).release() } else { release(node.child(index), levels &- 1) }
            if !node.isLeaf, index > 0 { node.separator(index).release() }
        }
        node.release()
    }

    @inline(__always)
    private func leaf(_ key: ByteView) -> MemoryNode? {
        guard var node = root else { return nil }
        while !node.isLeaf { node = node.child(node.childIndex(key)) }
        return node
    }

    @inline(__always)
    package func find(_ key: ByteView) -> MemoryBlock? {
        guard let leaf = leaf(key) else { return nil }
        let (index, isEqual) = leaf.lowerBound(key)
        return isEqual ? leaf.block(index) : nil
    }

    /// A place between entries: the entry at `index` comes next, the one before it is the one before.
    package struct Position {
        fileprivate var leaf: MemoryNode
        fileprivate var index: Int
    }

    package func position(_ key: ByteView) -> Position? {
        guard let leaf = leaf(key) else { return nil }
        return Position(leaf: leaf, index: leaf.lowerBound(key).index)
    }

    package func forward(_ position: inout Position) -> MemoryBlock? {
        while position.index >= position.leaf.count {
            guard let next = position.leaf.next else { return nil }
            position = Position(leaf: next, index: 0)
        }
        position.index &+= 1
        return position.leaf.block(position.index &- 1)
    }

    package func backward(_ position: inout Position) -> MemoryBlock? {
        while position.index == 0 {
            guard let previous = position.leaf.previous else { return nil }
            position = Position(leaf: previous, index: previous.count)
        }
        position.index &-= 1
        return position.leaf.block(position.index)
    }

    /// The leaf for a key, with its branches noted in `path`.
    func descend(_ key: ByteView, _ path: UnsafeMutablePointer<Step>) -> MemoryNode? {
        guard var node = root else { return nil }
        var level = 0
        while !node.isLeaf {
            let index = node.childIndex(key)
            path[level] = Step(node: node.base, index: index)
            node = node.child(index)
            level &+= 1
        }
        return node
    }

    private mutating func prepare() -> Bool {
        if path == nil {
            path = malloc(Self.heightMax &* MemoryLayout<Step>.stride)?.assumingMemoryBound(to: Step.self)
        }
        if root == nil {
            root = MemoryNode.make(isLeaf: true)
            height = 0
        }
        return path != nil && root != nil
    }

    package enum PutResult {
        case added
        /// The block that stood there, now the caller's.
        case replaced(MemoryBlock)
        case noMemory
    }

    /// Puts a block, which belongs to the tree unless it answers `noMemory`.
    package mutating func put(_ block: MemoryBlock) -> PutResult {
        guard prepare(), let path, let leaf = descend(block.key, path) else { return .noMemory }
        let (index, isEqual) = leaf.lowerBound(block.key)
        if isEqual {
            let old = leaf.block(index)
            leaf.setBlock(index, block)
            bytes &+= block.valueCount &- old.valueCount
            return .replaced(old)
        }
        if leaf.isFull {
            guard split(leaf, path, block, at: index) else { return .noMemory }
        } else {
            leaf.insertBlock(block, at: index)
        }
        count &+= 1
        bytes &+= block.keyCount &+ block.valueCount
        return .added
    }

    private mutating func split(
        _ leaf: MemoryNode, _ path: UnsafeMutablePointer<Step>, _ block: MemoryBlock, at index: Int
    ) -> Bool {
        let right = MemoryNode.capacity
        // In a run of rising keys the next ones come after this one: what is left of it stays together.
        let cut = index == right ? right : index == leaf.lastInsert &+ 1 ? index : right / 2
        let isRight = cut == right || (index > cut)
        let first = cut == right ? block.key : leaf.block(cut).key
        guard let separator = MemoryBlock.make(first, ByteView(start: nil, count: 0)) else { return false }
        guard let other = MemoryNode.make(isLeaf: true) else {
            separator.release()
            return false
        }
        guard raise(other, separator, path) else {
            separator.release()
            other.release()
            return false
        }
        leaf.moveBlocks(from: cut, to: other)
        other.next = leaf.next
        other.previous = leaf
        leaf.next?.previous = other
        leaf.next = other
        if isRight {
            other.insertBlock(block, at: index &- cut)
        } else {
            leaf.insertBlock(block, at: index)
        }
        return true
    }

    /// Hangs a node right of the one that the path leads to, splitting branches that are full. All nodes
    /// that this needs are allocated before anything changes.
    private mutating func raise(
        _ node: MemoryNode, _ separator: MemoryBlock, _ path: UnsafeMutablePointer<Step>
    ) -> Bool {
        guard let oldRoot = root else { return false }
        var level = height
        while level > 0, MemoryNode(path[level &- 1].node).isFull { level &-= 1 }
        let branches = height &- level &+ (level == 0 ? 1 : 0)
        guard height &+ 1 < Self.heightMax else { return false }
        var spare: MemoryNode?  // linked by `next`
        for _ in 0..<branches {
            guard let branch = MemoryNode.make(isLeaf: false) else {
                while let unused = spare {
                    spare = unused.next
                    unused.release()
                }
                return false
            }
            branch.next = spare
            spare = branch
        }
        var node = node
        var separator = separator
        level = height
        while level > 0 {
            let step = path[level &- 1]
            let branch = MemoryNode(step.node)
            let place = step.index &+ 1
            guard branch.isFull, let other = spare else {
                branch.insertChild(node, separator, at: place)
                return true
            }
            spare = other.next
            other.next = nil
            if place == MemoryNode.capacity {
                other.setChild(0, node)
                other.count = 1
            } else {
                let half = MemoryNode.capacity / 2
                let middle = branch.moveChildren(from: half, to: other)
                if place > half {
                    other.insertChild(node, separator, at: place &- half)
                } else {
                    branch.insertChild(node, separator, at: place)
                }
                separator = middle
            }
            node = other
            level &-= 1
        }
        guard let top = spare else { return true }
        top.next = nil
        top.setChild(0, oldRoot)
        top.count = 1
        top.insertChild(node, separator, at: 1)
        root = top
        height &+= 1
        return true
    }
}
