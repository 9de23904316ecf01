/// The bytes of a raw string with its escapes decoded, one at a time and without memory of its own.
struct DecodedBytes {
    private let raw: ByteView
    private var at = 0
    /// Bytes of an escape that are still to come, the next one lowest, and how many.
    private var pending: UInt32 = 0
    private var pendingCount = 0
    /// An escape was malformed; no more bytes come.
    private(set) var isBroken = false

    init(_ raw: ByteView) { self.raw = raw }

    /// The next byte, -1 after the last one.
    @inline(__always)
    mutating func next() -> Int32 {
        if pendingCount == 0 {
            guard at < raw.count else { return -1 }
            let byte = raw[at]
            if byte != 0x5C {
                at &+= 1
                return Int32(byte)
            }
            let escape = RawEscape(raw, at)
            guard escape.length > 0 else {
                isBroken = true
                at = raw.count
                return -1
            }
            at &+= escape.length
            pending = escape.bytes
            pendingCount = escape.size
        }
        let byte = Int32(pending & 0xFF)
        pending &>>= 8
        pendingCount &-= 1
        return byte
    }
}

/// One escape of a raw string, decoded.
struct RawEscape: BitwiseCopyable {
    /// Its UTF-8, the first byte lowest.
    private(set) var bytes: UInt32 = 0
    /// How many bytes that is, 1 to 4.
    private(set) var size = 0
    /// Bytes that the escape takes in the text; 0 when it is malformed or a lone surrogate.
    private(set) var length = 0

    /// The escape whose backslash stands at `at`.
    init(_ raw: ByteView, _ at: Int) {
        guard let base = raw.baseAddress, raw.count &- at >= 2 else { return }
        size = 1
        length = 2
        switch base[at &+ 1] {
        case 0x22: bytes = 0x22
        case 0x5C: bytes = 0x5C
        case 0x2F: bytes = 0x2F
        case 0x62: bytes = 0x08
        case 0x66: bytes = 0x0C
        case 0x6E: bytes = 0x0A
        case 0x72: bytes = 0x0D
        case 0x74: bytes = 0x09
        case 0x75:
            length = 0
            unicode(base, at, raw.count)
        default: length = 0
        }
    }

    private mutating func unicode(_ base: UnsafePointer<UInt8>, _ at: Int, _ end: Int) {
        guard end &- at >= 6 else { return }
        let first = HexDigits.unit(base, at &+ 2)
        if first < 0 { return }
        var code = UInt32(truncatingIfNeeded: first)
        var taken = 6
        if code & 0xF800 == 0xD800 {
            guard code & 0x0400 == 0, end &- at >= 12, base[at &+ 6] == 0x5C, base[at &+ 7] == 0x75
            else { return }
            let second = HexDigits.unit(base, at &+ 8)
            guard second & ~0x3FF == 0xDC00 else { return }
            code = 0x10000 &+ ((code & 0x3FF) &<< 10) &+ UInt32(truncatingIfNeeded: second & 0x3FF)
            taken = 12
        }
        length = taken
        let low = (code & 0x3F) | 0x80
        let second = (code &>> 6 & 0x3F) | 0x80
        if code < 0x80 {
            bytes = code
            size = 1
        } else if code < 0x800 {
            bytes = code &>> 6 | 0xC0 | low &<< 8
            size = 2
        } else if code < 0x10000 {
            bytes = code &>> 12 | 0xE0 | second &<< 8 | low &<< 16
            size = 3
        } else {
            bytes = code &>> 18 | 0xF0 | ((code &>> 12 & 0x3F) | 0x80) &<< 8
            bytes |= second &<< 16 | low &<< 24
            size = 4
        }
    }
}
