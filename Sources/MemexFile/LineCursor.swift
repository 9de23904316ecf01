internal import MemexModel

/// Reads a line of the journal from its front. What does not fit is remembered, and nothing more is read.
struct LineCursor {
    let bytes: ByteView
    private(set) var at = 0
    private(set) var isValid = true

    init(_ bytes: ByteView) { self.bytes = bytes }

    var isComplete: Bool { isValid && at == bytes.count }

    /// Whether these bytes come next; then they are passed.
    mutating func has(_ literal: StaticString) -> Bool {
        let wanted = literal.utf8CodeUnitCount
        guard isValid, bytes.count &- at >= wanted, bytes.slice(at, wanted).equals(literal) else {
            return false
        }
        at &+= wanted
        return true
    }

    mutating func expect(_ literal: StaticString) { if !has(literal) { isValid = false } }

    mutating func take(_ length: Int) -> ByteView {
        guard isValid, length >= 0, length <= bytes.count &- at else {
            isValid = false
            return ByteView(start: nil, count: 0)
        }
        defer { at &+= length }
        return bytes.slice(at, length)
    }

    mutating func number() -> Int64 {
        let isNegative = has("-")
        var value: Int64 = 0
        var digits = 0
        while at < bytes.count, bytes[at] >= 0x30, bytes[at] <= 0x39, digits < 20 {
            let (product, tooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflow) = product.subtractingReportingOverflow(Int64(bytes[at] &- 0x30))
            if tooLarge || overflow { isValid = false }
            value = sum
            at &+= 1
            digits &+= 1
        }
        if digits == 0 || !isNegative && value == .min { isValid = false }
        // Kept negative, so that the least number fits.
        return isNegative ? value : 0 &- value
    }

    /// The bytes up to the next quote, which is passed.
    mutating func quoted() -> ByteView {
        let start = at
        while at < bytes.count, bytes[at] != 0x22 { at &+= 1 }
        guard isValid, at < bytes.count else {
            isValid = false
            return ByteView(start: nil, count: 0)
        }
        at &+= 1
        return bytes.slice(start, at &- 1 &- start)
    }

    /// Hexadecimal digits up to the next quote, as bytes.
    mutating func hex(into buffer: inout ByteBuffer) {
        let digits = quoted()
        guard isValid, digits.count & 1 == 0 else {
            isValid = false
            return
        }
        buffer.reserve(digits.count / 2)
        var index = 0
        while index < digits.count {
            guard let high = Self.digit(digits[index]), let low = Self.digit(digits[index &+ 1]) else {
                isValid = false
                return
            }
            buffer.append(byte: high << 4 | low)
            index &+= 2
        }
    }

    static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte &- 0x30
        case 0x61...0x66: byte &- 0x57
        default: nil
        }
    }
}

extension ByteBuffer {
    private static func digit(_ number: UInt8) -> UInt8 { number < 10 ? 0x30 &+ number : 0x57 &+ number }

    mutating func append(hex bytes: ByteView) {
        guard let to = extend(by: bytes.count &* 2), let from = bytes.baseAddress else { return }
        var index = 0
        while index < bytes.count {
            Self.put(from[index], to + (index &* 2))
            index &+= 1
        }
    }

    mutating func append(hex number: UInt32) {
        guard let to = extend(by: 8) else { return }
        var index = 0
        while index < 4 {
            Self.put(
                UInt8(truncatingIfNeeded: number >> UInt32(truncatingIfNeeded: 24 &- index &* 8)),
                to + (index &* 2))
            index &+= 1
        }
    }

    @inline(__always)
    private static func put(_ byte: UInt8, _ to: UnsafeMutablePointer<UInt8>) {
        to[0] = digit(byte >> 4)
        to[1] = digit(byte & 15)
    }
}
