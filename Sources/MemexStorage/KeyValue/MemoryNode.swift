#if canImport(Glibc)
    internal import Glibc
#endif
internal import MemexModel

/// A node of a `MemoryTree`: a header, then slots. A leaf's slots are blocks. A branch has children, and
/// after them for each child but the first the separator in front of it: a block whose key is not above
/// any key of that child, and above all of the child before.
struct MemoryNode {
    static let capacity = 64

    private struct Header {
        var count: Int32
        var isLeaf: Bool
        /// Where a leaf's last entry came in, or -2: a run of rising keys is seen by it.
        var lastInsert: Int32
        var next: UnsafeMutableRawPointer?
        var previous: UnsafeMutableRawPointer?
    }

    let base: UnsafeMutableRawPointer

    @inline(__always)
    init(_ base: UnsafeMutableRawPointer) { self.base = base }

    static func make(isLeaf: Bool) -> MemoryNode? {
        let slots = isLeaf ? capacity : capacity &* 2
        let size = MemoryLayout<Header>.stride &+ slots &* MemoryLayout<UnsafeMutableRawPointer>.stride
        guard let base = malloc(size) else { return nil }
        base.initializeMemory(
            as: Header.self,
            repeating: Header(count: 0, isLeaf: isLeaf, lastInsert: -2, next: nil, previous: nil), count: 1)
        return MemoryNode(base)
    }

    func release() { free(base) }

    @inline(__always)
    private var header: UnsafeMutablePointer<Header> { base.assumingMemoryBound(to: Header.self) }

    @inline(__always)
    private var slots: UnsafeMutablePointer<UnsafeMutableRawPointer> {
        (base + MemoryLayout<Header>.stride).assumingMemoryBound(to: UnsafeMutableRawPointer.self)
    }

    @inline(__always)
    var isLeaf: Bool { header.pointee.isLeaf }
    @inline(__always)
    var count: Int {
        get { Int(header.pointee.count) }
        nonmutating set { header.pointee.count = Int32(truncatingIfNeeded: newValue) }
    }
    var isFull: Bool { count == Self.capacity }
    var lastInsert: Int {
        get { Int(header.pointee.lastInsert) }
        nonmutating set { header.pointee.lastInsert = Int32(truncatingIfNeeded: newValue) }
    }
    var next: MemoryNode? {
        get { header.pointee.next.map(MemoryNode.init) }
        nonmutating set { header.pointee.next = newValue?.base }
    }
    var previous: MemoryNode? {
        get { header.pointee.previous.map(MemoryNode.init) }
        nonmutating set { header.pointee.previous = newValue?.base }
    }

    // The tree keeps indexes inside 0 ..< count.

    @inline(__always)
    func block(_ index: Int) -> MemoryBlock { MemoryBlock(slots[index]) }
    func setBlock(_ index: Int, _ block: MemoryBlock) { slots[index] = block.base }
    @inline(__always)
    func child(_ index: Int) -> MemoryNode { MemoryNode(slots[index]) }
    func setChild(_ index: Int, _ child: MemoryNode) { slots[index] = child.base }
    @inline(__always)
    func separator(_ index: Int) -> MemoryBlock { MemoryBlock(slots[Self.capacity &+ index]) }
    func setSeparator(_ index: Int, _ block: MemoryBlock) { slots[Self.capacity &+ index] = block.base }

    func insertBlock(_ block: MemoryBlock, at index: Int) {
        let moved = count &- index
        if moved > 0 { memmove(slots + index + 1, slots + index, moved &* 8) }
        slots[index] = block.base
        count = count &+ 1
        lastInsert = index
    }

    func removeBlock(at index: Int) {
        let moved = count &- index &- 1
        if moved > 0 { memmove(slots + index, slots + index + 1, moved &* 8) }
        count = count &- 1
        lastInsert = -2
    }

    /// Moves the blocks from `index` on to the end of another leaf.
    func moveBlocks(from index: Int, to other: MemoryNode) {
        let moved = count &- index
        guard moved > 0 else { return }
        memcpy(other.slots + other.count, slots + index, moved &* 8)
        other.count = other.count &+ moved
        count = index
    }

    func insertChild(_ child: MemoryNode, _ separator: MemoryBlock, at index: Int) {
        let moved = count &- index
        let separators = slots + Self.capacity
        if moved > 0 {
            memmove(slots + index + 1, slots + index, moved &* 8)
            memmove(separators + index + 1, separators + index, moved &* 8)
        }
        slots[index] = child.base
        separators[index] = separator.base
        count = count &+ 1
    }

    /// Removes a child and gives up the separator that goes with it.
    func removeChild(at index: Int) {
        let separators = slots + Self.capacity
        let moved = count &- index &- 1
        if index > 0 {
            separator(index).release()
        } else if count > 1 {
            separator(1).release()
        }
        if moved > 0 {
            memmove(slots + index, slots + index + 1, moved &* 8)
            memmove(separators + index, separators + index + 1, moved &* 8)
        }
        count = count &- 1
    }

    /// Moves the children from `index` on to an empty branch; the separator in front of them is returned.
    func moveChildren(from index: Int, to other: MemoryNode) -> MemoryBlock {
        let moved = count &- index
        let separators = slots + Self.capacity
        memcpy(other.slots, slots + index, moved &* 8)
        memcpy(other.slots + Self.capacity, separators + index, moved &* 8)
        other.count = moved
        count = index
        return MemoryBlock(separators[index])
    }

    /// A leaf's first index whose key is not below `key`, and whether it is that key.
    @inline(__always)
    func lowerBound(_ key: ByteView) -> (index: Int, isEqual: Bool) {
        var low = 0
        var high = count
        while low < high {
            let middle = (low &+ high) >> 1
            let order = block(middle).key.compare(key)
            if order == 0 { return (middle, true) }
            if order < 0 { low = middle &+ 1 } else { high = middle }
        }
        return (low, false)
    }

    /// The child of a branch under which `key` belongs.
    @inline(__always)
    func childIndex(_ key: ByteView) -> Int {
        var low = 1
        var high = count
        while low < high {
            let middle = (low &+ high) >> 1
            if separator(middle).key.compare(key) <= 0 { low = middle &+ 1 } else { high = middle }
        }
        return low &- 1
    }
}
