package import MemexModel

/// Removal needs no memory: a leaf that is nearly empty joins its neighbour, an empty one goes.
extension MemoryTree {
    /// Takes a key's block out of the tree; it is then the caller's.
    package mutating func remove(_ key: ByteView) -> MemoryBlock? {
        guard let path, let leaf = descend(key, path) else { return nil }
        let (index, isEqual) = leaf.lowerBound(key)
        guard isEqual else { return nil }
        let block = leaf.block(index)
        leaf.removeBlock(at: index)
        count &-= 1
        bytes &-= block.keyCount &+ block.valueCount
        if leaf.count < MemoryNode.capacity / 4 { shrink(leaf, path) }
        return block
    }

    private mutating func shrink(_ leaf: MemoryNode, _ path: UnsafeMutablePointer<Step>) {
        guard height > 0 else { return }
        let step = path[height &- 1]
        let parent = MemoryNode(step.node)
        if leaf.count == 0 {
            unlink(leaf, path, at: step.index)
            return
        }
        guard step.index &+ 1 < parent.count else { return }
        let right = parent.child(step.index &+ 1)
        guard leaf.count &+ right.count <= MemoryNode.capacity * 3 / 4 else { return }
        right.moveBlocks(from: 0, to: leaf)
        leaf.lastInsert = -2
        unlink(right, path, at: step.index &+ 1)
    }

    /// Takes an empty leaf, child `index` of the path's last branch, out of the tree.
    private mutating func unlink(_ leaf: MemoryNode, _ path: UnsafeMutablePointer<Step>, at index: Int) {
        leaf.previous?.next = leaf.next
        leaf.next?.previous = leaf.previous
        leaf.release()
        var index = index
        var level = height
        while level > 0 {
            let branch = MemoryNode(path[level &- 1].node)
            branch.removeChild(at: index)
            if branch.count > 0 { break }
            branch.release()
            level &-= 1
            if level == 0 {
                root = nil
                height = 0
                return
            }
            index = path[level &- 1].index
        }
        while height > 0, let top = root, top.count == 1 {
            root = top.child(0)
            top.release()
            height &-= 1
        }
    }
}
