/// Steps through JSON text that was validated before. On text that was not, it may give up or find
/// nonsense, but never reads outside of it.
enum RawCursor {
    /// The offset after the closing quote of the string whose first byte stands at `from`; -1 when it has
    /// no end.
    @inline(__always)
    static func stringEnd(_ base: UnsafePointer<UInt8>, _ from: Int, _ end: Int) -> Int {
        var at = from
        while true {
            at = quoteOrBackslash(base, at, end)
            guard at < end else { return -1 }
            if base[at] == 0x22 { return at &+ 1 }
            at &+= 2
        }
    }

    /// Where the first quote or backslash stands from `from` on; `end` or more when there is none.
    @inline(__always)
    private static func quoteOrBackslash(
        _ base: UnsafePointer<UInt8>, _ from: Int, _ end: Int
    ) -> Int {
        var at = from
        while at &+ 8 <= end {
            let word = ByteWords.load(base, at)
            let quote = word ^ 0x2222_2222_2222_2222
            let backslash = word ^ 0x5C5C_5C5C_5C5C_5C5C
            let one: UInt64 = 0x0101_0101_0101_0101
            let hits = ((quote &- one) & ~quote | (backslash &- one) & ~backslash) & ByteWords.highBits
            if hits != 0 { return at &+ (hits.trailingZeroBitCount &>> 3) }
            at &+= 8
        }
        while at < end, base[at] != 0x22, base[at] != 0x5C { at &+= 1 }
        return at
    }

    /// The offset after the value that begins at `from`; -1 when it has no end.
    static func valueEnd(_ base: UnsafePointer<UInt8>, _ from: Int, _ end: Int) -> Int {
        guard from < end else { return -1 }
        var at = from
        switch base[at] {
        case 0x22: return stringEnd(base, at &+ 1, end)
        case 0x7B, 0x5B: break
        default:
            while at < end {
                switch base[at] {
                case 0x2C, 0x7D, 0x5D, 0x20, 0x0A, 0x0D, 0x09: return at > from ? at : -1
                default: at &+= 1
                }
            }
            return at
        }
        var depth = 0
        while at < end {
            let byte = base[at]
            at &+= 1
            if byte == 0x22 {
                at = stringEnd(base, at, end)
                if at < 0 { return -1 }
            } else if byte == 0x7B || byte == 0x5B {
                depth &+= 1
            } else if byte == 0x7D || byte == 0x5D {
                depth &-= 1
                if depth == 0 { return at }
            }
        }
        return -1
    }

    /// Where the opening quote of the first string stands that ends at or after `position`; `position`
    /// itself when there is none.
    static func stringStart(_ text: ByteView, _ position: Int) -> Int {
        guard let base = text.baseAddress else { return position }
        var at = 0
        while at < text.count {
            if base[at] != 0x22 {
                at &+= 1
                continue
            }
            let start = at
            at = stringEnd(base, at &+ 1, text.count)
            if at < 0 || at >= position { return start }
        }
        return position
    }

    /// Bytes of a literal, which is one of ASCII characters.
    ///
    /// Reads the frozen layout of StaticString (address, length, flags): its accessors carry traps.
    @inline(__always)
    static func bytes(_ literal: StaticString) -> ByteView {
        let parts = unsafeBitCast(literal, to: (UInt, Int, UInt8).self)
        guard parts.2 & 1 == 0 else { return ByteView(start: nil, count: 0) }
        return ByteView(start: UnsafePointer(bitPattern: parts.0), count: parts.1)
    }
}
