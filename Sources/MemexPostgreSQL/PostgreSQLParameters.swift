internal import CMemexShim
internal import MemexModel

/// The parameters of one statement, in PostgreSQL's binary form. Used again for the next.
struct PostgreSQLParameters: ~Copyable {
    private var bytes = ByteBuffer()
    /// Where each parameter begins and its length, -1 for NULL.
    private var places: [(start: Int, length: Int)] = []

    private enum Element {
        static let bytea: Int32 = 17
        static let int8: Int32 = 20
        static let text: Int32 = 25
    }

    init() { places.reserveCapacity(12) }

    mutating func removeAll() {
        bytes.removeAll()
        places.removeAll(keepingCapacity: true)
    }

    private mutating func put(_ value: Int32) { bytes.append(littleEndian: value.byteSwapped) }
    private mutating func put(_ value: Int64) { bytes.append(littleEndian: value.byteSwapped) }

    private mutating func finish(_ start: Int) { places.append((start, bytes.count - start)) }

    mutating func addNull() { places.append((bytes.count, -1)) }

    mutating func add(_ value: Int64) {
        let start = bytes.count
        put(value)
        finish(start)
    }

    mutating func add(_ value: Bool) {
        let start = bytes.count
        bytes.append(byte: value ? 1 : 0)
        finish(start)
    }

    /// Text, or bytea.
    mutating func add(_ value: ByteView) {
        let start = bytes.count
        bytes.append(value)
        finish(start)
    }

    mutating func add(_ value: String) { value.withBytes { add($0) } }

    mutating func addOrNull(_ value: ByteView) { if value.count > 0 { add(value) } else { addNull() } }

    mutating func addOrNull(_ value: String?) { if let value { add(value) } else { addNull() } }

    private mutating func beginArray(_ element: Int32, _ count: Int, hasNulls: Bool = false) {
        put(Int32(count == 0 ? 0 : 1))
        put(Int32(hasNulls ? 1 : 0))
        put(element)
        if count == 0 { return }
        put(Int32(truncatingIfNeeded: count))
        put(Int32(1))
    }

    /// `bigint[]`
    mutating func add(_ values: [Int64]) {
        let start = bytes.count
        beginArray(Element.int8, values.count)
        for value in values {
            put(Int32(8))
            put(value)
        }
        finish(start)
    }

    /// Begins a `bigint[]` of `count` values, which `appendNumber` and `endNumbers` follow.
    mutating func beginNumbers(_ count: Int) -> Int {
        let start = bytes.count
        beginArray(Element.int8, count)
        return start
    }

    @inline(__always)
    mutating func appendNumber(_ value: Int64) {
        put(Int32(8))
        put(value)
    }

    mutating func endNumbers(_ start: Int) { finish(start) }

    /// `text[]` or `bytea[]` with one element a draft, nil for NULL.
    mutating func add(_ count: Int, isText: Bool, hasNulls: Bool = true, _ element: (Int) -> ByteView?) {
        let start = bytes.count
        beginArray(isText ? Element.text : Element.bytea, count, hasNulls: hasNulls)
        for index in 0..<count {
            guard let value = element(index) else {
                put(Int32(-1))
                continue
            }
            put(Int32(truncatingIfNeeded: value.count))
            bytes.append(value)
        }
        finish(start)
    }

    /// Gives count, values, lengths and formats as libpq wants them; -1 when memory ran out.
    borrowing func withPointers(
        _ body: (
            Int32, UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?
        ) -> Int32
    ) -> Int32 {
        let count = places.count
        if bytes.failed { return -1 }
        return withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: count + 1) { values in
            withUnsafeTemporaryAllocation(of: Int32.self, capacity: 2 * count + 1) { numbers in
                guard let base = numbers.baseAddress else { return -1 }
                for index in 0..<count {
                    let (start, length) = places[index]
                    base[index] = Int32(truncatingIfNeeded: max(length, 0))
                    base[count + index] = 1
                    values[index] = length < 0 ? nil : Self.address(bytes.view, start)
                }
                return body(Int32(truncatingIfNeeded: count), values.baseAddress, base, base + count)
            }
        }
    }

    /// Never nil, which would be NULL.
    private static func address(_ bytes: ByteView, _ start: Int) -> UnsafePointer<CChar>? {
        guard let base = bytes.baseAddress else { return memex_pq_empty() }
        return UnsafeRawPointer(base + start).assumingMemoryBound(to: CChar.self)
    }
}
