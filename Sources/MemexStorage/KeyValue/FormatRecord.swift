internal import MemexModel

/// The version of the mapping to keys, written when a store is first opened.
enum FormatRecord {
    static let version: UInt32 = 1
    private static let mark: StaticString = "memex-kv"

    static func open(_ store: any OrderedStore) throws(MemexError) {
        var key = ByteBuffer(capacity: 16)
        key.append(byte: KeyLayout.format)
        key.append("format")
        var value = ByteBuffer(capacity: 16)
        value.append(mark)
        value.append(littleEndian: version)
        if key.failed || value.failed { throw .noMemory }
        // Another process may write it first; then there is one to read.
        for _ in 0..<3 {
            if try isPresent(store, key) { return }
            guard !store.traits.isReadOnly else {
                throw MemexError(.notFound, "the store has no conversations yet and was opened read-only")
            }
            let written = try key.lend { (key) throws(MemexError) -> Bool in
                try value.lend { (value) throws(MemexError) -> Bool in
                    try commit(store, key, value)
                }
            }
            if written { return }
        }
        throw MemexError(.busy, "the store's format record could not be written; call again")
    }

    private static func commit(
        _ store: any OrderedStore, _ key: ByteView, _ value: ByteView
    ) throws(MemexError) -> Bool {
        var list = WriteList()
        list.append(.requireAbsent, key)
        list.append(.put, key, value)
        return try store.commit(list.finished())
    }

    private static func isPresent(
        _ store: any OrderedStore, _ key: borrowing ByteBuffer
    ) throws(MemexError) -> Bool {
        try key.lend { (key) throws(MemexError) -> Bool in
            try store.get(key) { (value) throws(MemexError) -> Void in
                var reader = ByteReader(value)
                let isOurs = reader.take(mark.utf8CodeUnitCount).equals(mark)
                let found = reader.uint32()
                guard isOurs, reader.isComplete, found > 0 else {
                    throw MemexError(.corrupt, "the store's format record is damaged, or not of this library")
                }
                guard found <= version else {
                    throw MemexError(
                        .newerFormat,
                        "the store has format \(found); this library reads up to \(version): use a newer one")
                }
            }
        }
    }
}
