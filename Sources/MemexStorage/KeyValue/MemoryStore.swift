#if canImport(Glibc)
    internal import Glibc
#endif
package import MemexModel

/// An ordered store in memory. Readers see its blocks in place, under a lock that they share.
package final class MemoryStore: OrderedStore, @unchecked Sendable {
    /// Tree and lock live on the heap: nothing but the lock guards them.
    private let tree: UnsafeMutablePointer<MemoryTree>
    private let lock: UnsafeMutablePointer<pthread_rwlock_t>

    package let traits: OrderedStoreTraits

    package init() {
        var traits = OrderedStoreTraits()
        traits.sharedBetweenProcesses = false
        traits.erases = true
        self.traits = traits
        tree = .allocate(capacity: 1)
        tree.initialize(to: MemoryTree())
        lock = .allocate(capacity: 1)
        lock.initialize(to: pthread_rwlock_t())
        // Otherwise a stream of readers keeps writers out for as long as it lasts.
        var attributes = pthread_rwlockattr_t()
        pthread_rwlockattr_init(&attributes)
        pthread_rwlockattr_setkind_np(&attributes, Int32(PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP))
        pthread_rwlock_init(lock, &attributes)
        pthread_rwlockattr_destroy(&attributes)
    }

    deinit {
        tree.deinitialize(count: 1)
        tree.deallocate()
        pthread_rwlock_destroy(lock)
        lock.deallocate()
    }

    package func get(
        _ key: ByteView, _ visit: (ByteView) throws(MemexError) -> Void
    ) throws(MemexError) -> Bool {
        pthread_rwlock_rdlock(lock)
        defer { pthread_rwlock_unlock(lock) }
        guard let block = tree.pointee.find(key) else { return false }
        try visit(block.value)
        return true
    }

    package func scan(
        from: ByteView, to: ByteView, descending: Bool, limit: Int64,
        _ visit: (ByteView, ByteView) throws(MemexError) -> Bool
    ) throws(MemexError) {
        pthread_rwlock_rdlock(lock)
        defer { pthread_rwlock_unlock(lock) }
        guard from.compare(to) < 0, var position = tree.pointee.position(descending ? to : from) else {
            return
        }
        var left = limit
        while left > 0 {
            let next = descending ? tree.pointee.backward(&position) : tree.pointee.forward(&position)
            guard let block = next else { return }
            let key = block.key
            if descending ? key.compare(from) < 0 : key.compare(to) >= 0 { return }
            guard try visit(key, block.value) else { return }
            left &-= 1
        }
    }

    package func commit(_ writes: UnsafeBufferPointer<KeyValueWrite>) throws(MemexError) -> Bool {
        // For every put its new block, and once it is in the tree the one that it replaced.
        let size = writes.count &* MemoryLayout<UnsafeMutableRawPointer?>.stride
        guard let space = calloc(1, size > 0 ? size : 8) else { throw .noMemory }
        let blocks = space.assumingMemoryBound(to: UnsafeMutableRawPointer?.self)
        defer {
            for index in 0..<writes.count { free(blocks[index]) }
            free(space)
        }
        for index in 0..<writes.count where writes[index].kind == .put {
            guard let block = MemoryBlock.make(writes[index].key, writes[index].value) else {
                throw .noMemory
            }
            blocks[index] = block.base
        }
        pthread_rwlock_wrlock(lock)
        defer { pthread_rwlock_unlock(lock) }
        for index in 0..<writes.count where !holds(writes[index]) { return false }
        guard put(writes, blocks) else { throw .noMemory }
        for index in 0..<writes.count where writes[index].kind == .delete {
            blocks[index] = tree.pointee.remove(writes[index].key)?.base
        }
        return true
    }

    @inline(__always)
    private func holds(_ write: KeyValueWrite) -> Bool {
        switch write.kind {
        case .put, .delete: return true
        case .requireAbsent: return tree.pointee.find(write.key) == nil
        case .requirePresent: return tree.pointee.find(write.key) != nil
        case .requireEqual: return tree.pointee.find(write.key)?.value.equals(write.value) ?? false
        }
    }

    /// All puts, or none.
    private func put(
        _ writes: UnsafeBufferPointer<KeyValueWrite>, _ blocks: UnsafeMutablePointer<UnsafeMutableRawPointer?>
    ) -> Bool {
        for index in 0..<writes.count {
            guard let base = blocks[index] else { continue }
            switch tree.pointee.put(MemoryBlock(base)) {
            case .added: blocks[index] = nil
            case .replaced(let old): blocks[index] = old.base
            case .noMemory:
                takeBack(writes, blocks, before: index)
                return false
            }
        }
        return true
    }

    private func takeBack(
        _ writes: UnsafeBufferPointer<KeyValueWrite>,
        _ blocks: UnsafeMutablePointer<UnsafeMutableRawPointer?>,
        before end: Int
    ) {
        for index in 0..<end where writes[index].kind == .put {
            if let old = blocks[index] {
                // The key is there, so this needs no memory.
                if case .replaced(let new) = tree.pointee.put(MemoryBlock(old)) { blocks[index] = new.base }
            } else {
                blocks[index] = tree.pointee.remove(writes[index].key)?.base
            }
        }
    }

    package func statistics() throws(MemexError) -> String {
        pthread_rwlock_rdlock(lock)
        defer { pthread_rwlock_unlock(lock) }
        return "\"entries\":\(tree.pointee.count),\"bytes\":\(tree.pointee.bytes)"
    }

    package func close() throws(MemexError) {}
}
