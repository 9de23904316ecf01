/// A value of the caller's own inside of options: metadata or provenance.
///
/// Its levels and its offsets count from where it begins, whatever carries it.
struct CarriedValue {
    /// Levels of options that may stand around one: `{"messages":[{"metadata":`.
    static let outerLevels = 3

    let path: String
    let start: Int

    /// The one that holds a byte. What stands before the byte must be well-formed.
    init?(in text: ByteView, at offset: Int) {
        guard let base = text.baseAddress else { return nil }
        var path = OptionPath()
        var at = ByteWords.skipSpace(base, 0, text.count)
        for _ in 0..<Self.outerLevels {
            guard at < offset, base[at] == 0x7B || base[at] == 0x5B else { return nil }
            let isObject = base[at] == 0x7B
            var index = 0
            at = ByteWords.skipSpace(base, at &+ 1, text.count)
            var key = text.slice(0, 0)
            while true {
                guard at < offset else { return nil }
                if isObject {
                    let end = RawCursor.stringEnd(base, at &+ 1, offset)
                    guard base[at] == 0x22, end > 0 else { return nil }
                    key = text.slice(at &+ 1, end &- at &- 2)
                    // The colon.
                    at = ByteWords.skipSpace(base, end, offset)
                    at = ByteWords.skipSpace(base, at &+ 1, offset)
                }
                let end = RawCursor.valueEnd(base, at, text.count)
                if end < 0 || end > offset { break }
                // The comma.
                at = ByteWords.skipSpace(base, end, offset)
                at = ByteWords.skipSpace(base, at &+ 1, offset)
                index &+= 1
            }
            guard at < offset else { return nil }
            path = isObject ? path.appending(key) : path.at(index)
            if isObject, Self.isOne(key) {
                self.path = path.text
                start = at
                return
            }
        }
        return nil
    }

    private static func isOne(_ key: ByteView) -> Bool {
        RawString.equals(key, RawCursor.bytes("metadata"))
            || RawString.equals(key, RawCursor.bytes("provenance"))
    }

    /// Throws when a value has more levels than it may have.
    static func checkLevels(_ value: ByteView, _ path: @autoclosure () -> String) throws(MemexError) {
        guard value.count > Limits.jsonDepth, let base = value.baseAddress else { return }
        var depth = 0
        var at = 0
        while at < value.count {
            let byte = base[at]
            if byte == 0x22 {
                at = RawCursor.stringEnd(base, at &+ 1, value.count)
                if at < 0 { return }
                continue
            }
            if byte == 0x7B || byte == 0x5B {
                depth &+= 1
                if depth > Limits.jsonDepth { throw JSONFault(.tooDeep, at).error(path: path()) }
            } else if byte == 0x7D || byte == 0x5D {
                depth &-= 1
            }
            at &+= 1
        }
    }
}
