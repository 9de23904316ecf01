import MemexModel
package import MemexStorage

/// Writes of one commit of an ordered store.
package final class KeyValueBatch {
    private let memory = EngineBatch()
    private var writes: [KeyValueWrite] = []

    package init() {}

    package func add(_ kind: KeyValueWrite.Kind, _ key: [UInt8], _ value: [UInt8] = []) {
        writes.append(KeyValueWrite(kind, memory.lend(key), memory.lend(value)))
    }

    package func commit(_ store: any OrderedStore) throws -> Bool {
        let writes = self.writes
        let space = UnsafeMutablePointer<KeyValueWrite>.allocate(capacity: max(writes.count, 1))
        space.initialize(from: writes, count: writes.count)
        defer { space.deallocate() }
        return try withExtendedLifetime(memory) {
            try store.commit(UnsafeBufferPointer(start: space, count: writes.count))
        }
    }
}

/// All entries of a store.
package func entries(_ store: any OrderedStore) throws -> [(key: [UInt8], value: [UInt8])] {
    var found: [(key: [UInt8], value: [UInt8])] = []
    let memory = EngineBatch()
    try withExtendedLifetime(memory) {
        try store.scan(
            from: memory.lend([UInt8]()), to: memory.lend([0xFF]), descending: false, limit: .max
        ) { (key, value) throws(MemexError) -> Bool in
            found.append((Array(key), Array(value)))
            return true
        }
    }
    return found
}
