/// Message bodies at the door: valid, strict JSON objects, kept byte for byte.
///
/// The scanner decides first; what it declines goes through `JSONSyntax`, which knows the place of a
/// fault, and to jansson, which has the last word.
package enum BodyInspector {
    /// Checks that the whole text is one JSON object; white space around it is allowed.
    ///
    /// Offsets in `facts` count from the first byte of the text.
    package static func inspect(_ bytes: ByteView, facts: inout BodyFacts) throws(MemexError) {
        try checkSize(bytes.count)
        let end = try object(bytes, from: 0, facts: &facts, wanted: .notAnObject)
        guard let base = bytes.baseAddress else { return }
        let rest = ByteWords.skipSpace(base, end, bytes.count)
        if rest < bytes.count { throw JSONFault(.trailingText, rest).error() }
    }

    /// Checks that the text is one JSON object or an array of one or more, and hands over each object
    /// verbatim, without white space around it; offsets in its facts count from its first byte.
    ///
    /// Objects before a faulty one are handed over before the fault is thrown.
    package static func inspectElements(
        _ bytes: ByteView, _ each: (ByteView, BodyFacts) throws(MemexError) -> Void
    ) throws(MemexError) {
        guard bytes.count <= Limits.argumentBytes else {
            throw tooLong("messages have", bytes.count, Limits.argumentBytes)
        }
        guard let base = bytes.baseAddress else { throw JSONFault(.unexpectedEnd, 0).error() }
        let end = bytes.count
        var at = ByteWords.skipSpace(base, 0, end)
        guard at < end, base[at] == 0x5B else {
            let after = try element(bytes, from: at, .notMessages, each)
            try checkEnd(base, after, end)
            return
        }
        at = ByteWords.skipSpace(base, at &+ 1, end)
        if at < end, base[at] == 0x5D { throw JSONFault(.noMessages, at).error() }
        var count = 0
        while true {
            count &+= 1
            if count > Limits.appendMessages {
                throw MemexError(
                    .limit, "more than \(Limits.appendMessages) messages in one call; split them",
                    detailMembers: "\"limit\":\(Limits.appendMessages)")
            }
            at = ByteWords.skipSpace(base, try element(bytes, from: at, .notAnObject, each), end)
            guard at < end else { throw JSONFault(.unexpectedEnd, end).error() }
            if base[at] == 0x5D {
                try checkEnd(base, at &+ 1, end)
                return
            }
            guard base[at] == 0x2C else { throw JSONFault(.expectedCommaOrBracket, at).error() }
            at = ByteWords.skipSpace(base, at &+ 1, end)
        }
    }

    @inline(__always)
    private static func element(
        _ bytes: ByteView, from: Int, _ wanted: JSONFault.Kind,
        _ each: (ByteView, BodyFacts) throws(MemexError) -> Void
    ) throws(MemexError) -> Int {
        var facts = BodyFacts()
        let end = try object(bytes, from: from, facts: &facts, wanted: wanted)
        try checkSize(end &- from)
        try each(bytes.slice(from, end &- from), facts)
        return end
    }

    /// Checks the object at `from`, white space before it allowed; returns the offset after it.
    @inline(__always)
    private static func object(
        _ bytes: ByteView, from: Int, facts: inout BodyFacts, wanted: JSONFault.Kind
    ) throws(MemexError) -> Int {
        if let base = bytes.baseAddress {
            let start = ByteWords.skipSpace(base, from, bytes.count)
            if start < bytes.count, base[start] == 0x7B {
                let end = scanValue(bytes, from: from, facts: &facts)
                if end >= 0 { return end }
            }
        }
        return try SlowBody.inspect(bytes, from: from, facts: &facts, wanted: wanted)
    }

    private static func checkEnd(
        _ base: UnsafePointer<UInt8>, _ from: Int, _ end: Int
    ) throws(MemexError) {
        let rest = ByteWords.skipSpace(base, from, end)
        if rest < end { throw JSONFault(.trailingText, rest).error() }
    }

    @inline(__always)
    private static func checkSize(_ count: Int) throws(MemexError) {
        if count > Limits.bodyBytes { throw tooLong("a message body has", count, Limits.bodyBytes) }
    }

    @inline(never)
    private static func tooLong(_ what: String, _ count: Int, _ limit: Int) -> MemexError {
        MemexError(
            .limit, "\(what) \(count) bytes; at most \(limit) are allowed",
            detailMembers: "\"limit\":\(limit)")
    }
}
