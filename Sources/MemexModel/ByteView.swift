#if canImport(Glibc)
    import Glibc
#endif

/// Borrowed bytes; valid as long as whoever lent them says.
package typealias ByteView = UnsafeBufferPointer<UInt8>

extension UnsafeBufferPointer where Element == UInt8 {
    /// Bytes `from ..< from + length`, which the caller knows to be inside.
    @inline(__always)
    package func slice(_ from: Int, _ length: Int) -> ByteView {
        guard let base = baseAddress else { return ByteView(start: nil, count: 0) }
        return ByteView(start: base + from, count: length)
    }

    /// Bytewise equality.
    @inline(__always)
    package func equals(_ other: ByteView) -> Bool {
        guard count == other.count else { return false }
        guard count > 0, let left = baseAddress, let right = other.baseAddress else { return true }
        return memcmp(left, right, count) == 0
    }

    /// Bytewise equality with a literal of ASCII characters.
    @inline(__always)
    package func equals(_ literal: StaticString) -> Bool {
        equals(RawCursor.bytes(literal))
    }

    /// Whether these bytes begin with a literal of ASCII characters.
    package func begins(with literal: StaticString) -> Bool {
        let start = RawCursor.bytes(literal)
        return count >= start.count && slice(0, start.count).equals(start)
    }

    /// Bytewise order like `memcmp`, a prefix first.
    @inline(__always)
    package func compare(_ other: ByteView) -> Int {
        let shared = count < other.count ? count : other.count
        if shared > 0, let left = baseAddress, let right = other.baseAddress {
            let order = memcmp(left, right, shared)
            if order != 0 { return Int(order) }
        }
        return count &- other.count
    }

    /// A String of these bytes, which the caller knows to be UTF-8.
    package var text: String { String(decoding: self, as: UTF8.self) }
}
