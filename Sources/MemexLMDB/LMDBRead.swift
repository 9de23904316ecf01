internal import CMemexShim
internal import MemexModel
internal import MemexStorage

/// Reads inside a transaction.
enum LMDBRead {
    @inline(__always)
    static func value(_ bytes: ByteView) -> MDB_val {
        MDB_val(mv_size: bytes.count, mv_data: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
    }

    @inline(__always)
    static func bytes(_ value: MDB_val) -> ByteView {
        ByteView(
            start: value.mv_data.map { UnsafePointer($0.assumingMemoryBound(to: UInt8.self)) },
            count: value.mv_size)
    }

    static func get(
        _ txn: OpaquePointer, _ main: UInt32, _ key: ByteView,
        _ visit: (ByteView) throws(MemexError) -> Void
    ) throws(MemexError) -> Bool {
        guard key.count > 0 else { return false }
        if LongKey.isLong(key) {
            var name = ByteBuffer(capacity: LongKey.nameSize)
            LongKey.name(key, into: &name)
            var found = false
            _ = try name.lend { (name) throws(MemexError) -> Bool in
                try getPlain(txn, main, name) { (bucket) throws(MemexError) -> Void in
                    guard let value = try LongKey.find(LongKey.rest(key), in: bucket) else { return }
                    found = true
                    try visit(value)
                }
            }
            return found
        }
        return try getPlain(txn, main, key, visit)
    }

    @inline(__always)
    static func getPlain(
        _ txn: OpaquePointer, _ main: UInt32, _ key: ByteView,
        _ visit: (ByteView) throws(MemexError) -> Void
    ) throws(MemexError) -> Bool {
        var name = value(key)
        var found = MDB_val()
        let code = memex_lmdb_get(txn, main, &name, &found)
        if code == LMDBFailure.named(MEMEX_LMDB_NOTFOUND) { return false }
        guard code == 0 else { throw LMDBFailure.error(code, "reading") }
        try visit(bytes(found))
        return true
    }

    /// Entries in `from ..< to`, as `OrderedStore.scan` wants them.
    static func scan(
        _ cursor: OpaquePointer, from: ByteView, to: ByteView, descending: Bool, limit: Int64,
        _ visit: (ByteView, ByteView) throws(MemexError) -> Bool
    ) throws(MemexError) {
        guard limit > 0, from.compare(to) < 0 else { return }
        var left = limit
        var key = MDB_val()
        var value = MDB_val()
        var code = try place(cursor, descending ? to : from, descending: descending, &key, &value)
        while code == 0 {
            let name = bytes(key)
            if LongKey.isName(name) {
                guard
                    try LongKey.forEach(
                        name, bytes(value), descending: descending,
                        { (key, value) throws(MemexError) -> Bool in
                            guard key.compare(from) >= 0, key.compare(to) < 0 else { return true }
                            left &-= 1
                            return try visit(key, value) && left > 0
                        })
                else { return }
            }
            // A bucket stands where the shortest of its keys would.
            if descending ? name.compare(from) < 0 : name.compare(to) >= 0 { return }
            if !LongKey.isName(name), descending ? name.compare(to) < 0 : name.compare(from) >= 0 {
                left &-= 1
                guard try visit(name, bytes(value)), left > 0 else { return }
            }
            code = memex_lmdb_cursor_get(cursor, &key, &value, descending ? MDB_PREV : MDB_NEXT)
        }
        guard code == LMDBFailure.named(MEMEX_LMDB_NOTFOUND) else { throw LMDBFailure.error(code, "reading") }
    }

    /// The first entry that may be in the range, buckets included.
    private static func place(
        _ cursor: OpaquePointer, _ bound: ByteView, descending: Bool, _ key: inout MDB_val,
        _ value: inout MDB_val
    ) throws(MemexError) -> Int32 {
        var name = ByteBuffer(capacity: LongKey.nameSize)
        if LongKey.isLong(bound) { LongKey.name(bound, into: &name) } else { name.append(bound) }
        if name.count == 0 {
            return memex_lmdb_cursor_get(cursor, &key, &value, descending ? MDB_LAST : MDB_FIRST)
        }
        return try name.lend { (start) throws(MemexError) -> Int32 in
            key = Self.value(start)
            let code = memex_lmdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE)
            guard descending else { return code }
            if code == LMDBFailure.named(MEMEX_LMDB_NOTFOUND) {
                return memex_lmdb_cursor_get(cursor, &key, &value, MDB_LAST)
            }
            // The bound's own bucket may have keys before it.
            guard code == 0, !(LongKey.isName(bytes(key)) && bytes(key).equals(start)) else { return code }
            return memex_lmdb_cursor_get(cursor, &key, &value, MDB_PREV)
        }
    }
}
