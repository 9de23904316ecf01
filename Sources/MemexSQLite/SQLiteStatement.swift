internal import CMemexShim
internal import MemexModel

/// A prepared statement. Bound bytes are borrowed: they stay valid until `reset`.
struct SQLiteStatement {
    let handle: OpaquePointer?

    @inline(__always)
    func bind(_ index: Int32, _ value: Int64) { _ = memex_sqlite_bind_int64(handle, index, value) }

    @inline(__always)
    func bind(_ index: Int32, text bytes: ByteView) {
        _ = memex_sqlite_bind_text(handle, index, bytes.baseAddress, UInt64(bytes.count))
    }

    @inline(__always)
    func bind(_ index: Int32, blob bytes: ByteView) {
        _ = memex_sqlite_bind_blob(handle, index, bytes.baseAddress, UInt64(bytes.count))
    }

    @inline(__always)
    func bindNull(_ index: Int32) { _ = memex_sqlite_bind_null(handle, index) }

    /// Text, or NULL when there are no bytes.
    @inline(__always)
    func bind(_ index: Int32, textOrNull bytes: ByteView) {
        if bytes.count > 0 { bind(index, text: bytes) } else { bindNull(index) }
    }

    @inline(__always)
    func step() -> Int32 { memex_sqlite_step(handle) }

    @inline(__always)
    func reset() { _ = memex_sqlite_reset(handle) }

    @inline(__always)
    func int(_ column: Int32) -> Int64 { memex_sqlite_column_int64(handle, column) }

    /// A number of a row that must hold an integer: what is none is out of every range.
    func stored(_ column: Int32) -> Int64 {
        memex_sqlite_column_type(handle, column) == SQLITE_INTEGER ? int(column) : .min
    }

    func isNull(_ column: Int32) -> Bool { memex_sqlite_column_type(handle, column) == SQLITE_NULL }

    /// The bytes of a text or blob column, borrowed until the next step or reset.
    @inline(__always)
    func bytes(_ column: Int32) -> ByteView {
        guard let start = memex_sqlite_column_blob(handle, column) else {
            return ByteView(start: nil, count: 0)
        }
        let count = Int(memex_sqlite_column_bytes(handle, column))
        return ByteView(start: start.assumingMemoryBound(to: UInt8.self), count: count)
    }

    func text(_ column: Int32) -> String { bytes(column).text }

    func textOrNil(_ column: Int32) -> String? { isNull(column) ? nil : text(column) }

    func arrayOrNil(_ column: Int32) -> [UInt8]? { isNull(column) ? nil : Array(bytes(column)) }
}
