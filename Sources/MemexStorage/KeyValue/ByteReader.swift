internal import MemexModel

/// Reads a record from its front. Past its end it reads zeros and remembers that it did.
struct ByteReader {
    private let bytes: ByteView
    private(set) var at = 0
    private(set) var isValid = true

    init(_ bytes: ByteView) { self.bytes = bytes }

    /// Whether all of it was read, and nothing beyond.
    var isComplete: Bool { isValid && at == bytes.count }

    @inline(__always)
    mutating func byte() -> UInt8 {
        guard at < bytes.count else {
            isValid = false
            return 0
        }
        let value = bytes[at]
        at &+= 1
        return value
    }

    @inline(__always)
    mutating func take(_ length: Int) -> ByteView {
        guard length >= 0, length <= bytes.count &- at else {
            isValid = false
            return ByteView(start: nil, count: 0)
        }
        let slice = bytes.slice(at, length)
        at &+= length
        return slice
    }

    @inline(__always)
    private mutating func integer<T: FixedWidthInteger>(_ type: T.Type) -> T {
        let slice = take(MemoryLayout<T>.size)
        guard isValid, let base = slice.baseAddress else { return 0 }
        return UnsafeRawPointer(base).loadUnaligned(as: T.self)
    }

    @inline(__always)
    mutating func int64() -> Int64 { Int64(littleEndian: integer(Int64.self)) }
    @inline(__always)
    mutating func uint64() -> UInt64 { UInt64(littleEndian: integer(UInt64.self)) }
    @inline(__always)
    mutating func uint32() -> UInt32 { UInt32(littleEndian: integer(UInt32.self)) }
    /// A number of a key.
    @inline(__always)
    mutating func ordered() -> Int64 { Int64(bitPattern: UInt64(bigEndian: integer(UInt64.self))) }
    /// A moment of a key.
    @inline(__always)
    mutating func moment() -> Int64 {
        Int64(bitPattern: UInt64(bigEndian: integer(UInt64.self)) ^ 0x8000_0000_0000_0000)
    }

    /// LEB128, up to 32 bits.
    @inline(__always)
    mutating func length() -> Int {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while shift < 35 {
            let next = byte()
            value |= UInt64(next & 0x7F) << shift
            if next < 0x80 { return Int(value) }
            shift &+= 7
        }
        isValid = false
        return 0
    }
}

extension ByteBuffer {
    /// LEB128.
    @inline(__always)
    mutating func append(length: Int) {
        var rest = UInt64(UInt32(truncatingIfNeeded: length))
        while rest >= 0x80 {
            append(byte: UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(byte: UInt8(truncatingIfNeeded: rest))
    }
}
