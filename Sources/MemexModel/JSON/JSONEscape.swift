/// JSON strings to text and back.
package enum JSONEscape {
    /// Writes text as a JSON string, quotes included; NUL becomes `\u0000`.
    ///
    /// Returns -1, or the offset of the first byte that is not UTF-8; then nothing was written.
    package static func appendQuoted(_ text: ByteView, to out: inout ByteBuffer) -> Int {
        let start = out.count
        out.reserve(text.count &+ 2)
        out.append(byte: 0x22)
        if let base = text.baseAddress {
            let end = text.count
            var copied = 0
            var at = 0
            while true {
                at = ByteWords.plainRun(base, at, end)
                if at >= end { break }
                let byte = base[at]
                if byte >= 0x80 {
                    at = UTF8Check.multibyteRun(base, at, end)
                    if at < 0 {
                        out.truncate(start)
                        return -1 &- at
                    }
                } else {
                    out.append(text.slice(copied, at &- copied))
                    append(escaped: byte, to: &out)
                    at &+= 1
                    copied = at
                }
            }
            out.append(text.slice(copied, end &- copied))
        }
        out.append(byte: 0x22)
        return -1
    }

    @inline(__always)
    private static func append(escaped byte: UInt8, to out: inout ByteBuffer) {
        let short: UInt8
        switch byte {
        case 0x22, 0x5C: short = byte
        case 0x08: short = 0x62
        case 0x09: short = 0x74
        case 0x0A: short = 0x6E
        case 0x0C: short = 0x66
        case 0x0D: short = 0x72
        default:
            out.append(RawCursor.bytes("\\u00"))
            out.append(byte: 0x30 &+ (byte &>> 4))
            let low = byte & 0x0F
            out.append(byte: low < 10 ? 0x30 &+ low : 0x57 &+ low)
            return
        }
        out.append(byte: 0x5C)
        out.append(byte: short)
    }

    /// Writes the text of a string of validated JSON; `raw` is what stands between its quotes.
    ///
    /// Throws `.invalid` when an escape is malformed; then nothing was written.
    package static func decode(_ raw: ByteView, to out: inout ByteBuffer) throws(MemexError) {
        let start = out.count
        out.reserve(raw.count)
        var copied = 0
        var at = 0
        while at < raw.count {
            at = backslash(raw, at)
            out.append(raw.slice(copied, at &- copied))
            if at >= raw.count { return }
            let escape = RawEscape(raw, at)
            guard escape.length > 0 else {
                out.truncate(start)
                throw MemexError.invalid(offset: at, "a malformed escape in a JSON string stands")
            }
            var bits = escape.bytes
            var left = escape.size
            while left > 0 {
                out.append(byte: UInt8(truncatingIfNeeded: bits))
                bits &>>= 8
                left &-= 1
            }
            at &+= escape.length
            copied = at
        }
    }

    private static func backslash(_ raw: ByteView, _ from: Int) -> Int {
        guard let base = raw.baseAddress else { return raw.count }
        let one: UInt64 = 0x0101_0101_0101_0101
        var at = from
        while at &+ 8 <= raw.count {
            let bits = ByteWords.load(base, at) ^ 0x5C5C_5C5C_5C5C_5C5C
            let hits = (bits &- one) & ~bits & ByteWords.highBits
            if hits != 0 { return at &+ (hits.trailingZeroBitCount &>> 3) }
            at &+= 8
        }
        while at < raw.count, base[at] != 0x5C { at &+= 1 }
        return at
    }
}
