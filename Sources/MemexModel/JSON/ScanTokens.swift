/// Walks over a JSON string from its first byte after the quote.
///
/// Returns where its closing quote stands, -1 when it declines.
@inline(__always)
func scanString(
    _ base: UnsafePointer<UInt8>, _ from: Int, _ end: Int, _ escaped: inout Bool
) -> Int {
    var at = from
    while true {
        at = ByteWords.plainRun(base, at, end)
        guard at < end else { return -1 }
        let byte = base[at]
        if byte == 0x22 { return at }
        if byte >= 0x80 {
            at = UTF8Check.multibyteRun(base, at, end)
        } else if byte == 0x5C {
            escaped = true
            at = scanEscape(base, at, end)
        } else {
            return -1
        }
        if at < 0 { return -1 }
    }
}

/// Walks over an escape that begins at `at`, both halves of one above U+FFFF; -1 when it is wrong.
@inline(__always)
private func scanEscape(_ base: UnsafePointer<UInt8>, _ at: Int, _ end: Int) -> Int {
    guard end &- at >= 2 else { return -1 }
    switch base[at &+ 1] {
    case 0x22, 0x5C, 0x2F, 0x62, 0x66, 0x6E, 0x72, 0x74: return at &+ 2
    case 0x75:
        guard end &- at >= 6 else { return -1 }
        let unit = HexDigits.unit(base, at &+ 2)
        if unit < 0 { return -1 }
        if unit & 0xF800 != 0xD800 { return at &+ 6 }
        guard unit & 0x0400 == 0, end &- at >= 12, base[at &+ 6] == 0x5C, base[at &+ 7] == 0x75,
            HexDigits.unit(base, at &+ 8) & ~0x3FF == 0xDC00
        else { return -1 }
        return at &+ 12
    default: return -1
    }
}

/// Walks over a number of at most 18 digits before the point and at most two in the exponent, which
/// overflows nothing; -1 when it declines.
@inline(__always)
func scanNumber(_ base: UnsafePointer<UInt8>, _ from: Int, _ end: Int) -> Int {
    var at = from
    if base[at] == 0x2D { at &+= 1 }
    let first = at
    at = digitRun(base, at, end)
    guard at > first, at &- first <= 18 else { return -1 }
    if base[first] == 0x30, at &- first > 1 { return -1 }
    guard at < end else { return at }
    if base[at] == 0x2E {
        let fraction = at &+ 1
        at = digitRun(base, fraction, end)
        guard at > fraction else { return -1 }
        guard at < end else { return at }
    }
    if base[at] | 0x20 == 0x65 {
        at &+= 1
        if at < end, base[at] == 0x2B || base[at] == 0x2D { at &+= 1 }
        let exponent = at
        at = digitRun(base, exponent, end)
        guard at > exponent, at &- exponent <= 2 else { return -1 }
    }
    return at
}

/// The first byte from `from` on that is not a decimal digit.
@inline(__always)
func digitRun(_ base: UnsafePointer<UInt8>, _ from: Int, _ end: Int) -> Int {
    var at = from
    while at < end, base[at] &- 0x30 <= 9 { at &+= 1 }
    return at
}

enum HexDigits {
    /// The value of four hexadecimal digits, -1 when one of them is none.
    @inline(__always)
    static func unit(_ base: UnsafePointer<UInt8>, _ at: Int) -> Int32 {
        let high = digit(base[at]) &<< 12 | digit(base[at &+ 1]) &<< 8
        let low = digit(base[at &+ 2]) &<< 4 | digit(base[at &+ 3])
        return high | low
    }

    @inline(__always)
    private static func digit(_ byte: UInt8) -> Int32 {
        let decimal = Int32(byte &- 0x30)
        if decimal <= 9 { return decimal }
        let letter = Int32((byte | 0x20) &- 0x61)
        return letter <= 5 ? letter &+ 10 : -1
    }
}
