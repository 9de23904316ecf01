/// Strings of validated JSON text as they stand there, escapes untouched.
package enum RawString {
    /// What stands between the quotes when the value is a string.
    @inline(__always)
    package static func contents(_ value: ByteView) -> ByteView? {
        guard value.count >= 2, value[0] == 0x22, value[value.count &- 1] == 0x22 else { return nil }
        return value.slice(1, value.count &- 2)
    }

    /// Whether a raw string, decoded, is these bytes.
    @inline(__always)
    package static func equals(_ raw: ByteView, _ text: ByteView) -> Bool {
        if raw.equals(text) { return !hasEscape(raw) }
        return raw.count > text.count && hasEscape(raw) && decodedEquals(raw, text)
    }

    package static func hasEscape(_ raw: ByteView) -> Bool {
        guard let base = raw.baseAddress else { return false }
        var at = 0
        while at < raw.count {
            if base[at] == 0x5C { return true }
            at &+= 1
        }
        return false
    }

    @inline(never)
    private static func decodedEquals(_ raw: ByteView, _ text: ByteView) -> Bool {
        var bytes = DecodedBytes(raw)
        var at = 0
        while true {
            let byte = bytes.next()
            if byte < 0 { return at == text.count && !bytes.isBroken }
            guard at < text.count, Int32(text[at]) == byte else { return false }
            at &+= 1
        }
    }

    /// Appends a raw string, decoded; false when an escape is malformed.
    package static func decode(_ raw: ByteView, to text: inout ByteBuffer) -> Bool {
        if !hasEscape(raw) {
            text.append(raw)
            return true
        }
        var bytes = DecodedBytes(raw)
        while true {
            let byte = bytes.next()
            if byte < 0 { return !bytes.isBroken }
            text.append(byte: UInt8(truncatingIfNeeded: byte))
        }
    }

    /// Whether two raw strings are the same once decoded.
    package static func same(_ left: ByteView, _ right: ByteView) -> Bool {
        if left.equals(right) { return true }
        if !hasEscape(left), !hasEscape(right) { return false }
        var one = DecodedBytes(left)
        var other = DecodedBytes(right)
        while true {
            let byte = one.next()
            guard byte == other.next() else { return false }
            if byte < 0 { return !one.isBroken && !other.isBroken }
        }
    }
}
