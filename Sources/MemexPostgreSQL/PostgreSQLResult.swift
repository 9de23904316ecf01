internal import CMemexShim
internal import MemexModel

/// One row of a binary result. Its bytes are borrowed until the visit returns.
struct PostgreSQLRow {
    let result: OpaquePointer
    let row: Int32

    func isNull(_ column: Int32) -> Bool { memex_pq_is_null(result, row, column) != 0 }

    func bytes(_ column: Int32) -> ByteView {
        let count = Int(memex_pq_length(result, row, column))
        guard count > 0, let value = memex_pq_value(result, row, column) else {
            return ByteView(start: nil, count: 0)
        }
        return ByteView(
            start: UnsafeRawPointer(value).assumingMemoryBound(to: UInt8.self), count: count)
    }

    func text(_ column: Int32) -> String { bytes(column).text }
    func textOrNil(_ column: Int32) -> String? { isNull(column) ? nil : text(column) }
    func arrayOrNil(_ column: Int32) -> [UInt8]? { isNull(column) ? nil : Array(bytes(column)) }

    /// A smallint, integer, bigint or boolean; 0 for NULL.
    @inline(__always)
    func int(_ column: Int32) -> Int64 {
        let view = bytes(column)
        switch view.count {
        case 8: return Int64(bigEndian: Self.load(view))
        case 4: return Int64(Int32(bigEndian: Self.load(view)))
        case 2: return Int64(Int16(bigEndian: Self.load(view)))
        case 1: return Int64(view[0])
        default: return 0
        }
    }

    private static func load<T: FixedWidthInteger>(_ view: ByteView) -> T {
        UnsafeRawBufferPointer(view).loadUnaligned(as: T.self)
    }

    /// The element of a `bigint[]` without NULLs; 0 past its end.
    func number(_ column: Int32, _ index: Int) -> Int64 {
        let view = bytes(column)
        let at = 20 + index * 12 + 4
        guard view.count >= at + 8 else { return 0 }
        return Int64(bigEndian: Self.load(view.slice(at, 8)))
    }
}
