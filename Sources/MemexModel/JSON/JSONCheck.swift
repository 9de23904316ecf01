/// Strict JSON of any kind that is not a message body.
package enum JSONCheck {
    /// Checks that the whole text is one value, white space around it allowed, without a key that comes
    /// twice: everything the door asks for.
    package static func strict(_ bytes: ByteView) throws(MemexError) {
        var facts = BodyFacts()
        let end = scanValue(bytes, from: 0, facts: &facts)
        if end >= 0, let base = bytes.baseAddress, ByteWords.skipSpace(base, end, bytes.count) == bytes.count
        {
            return
        }
        _ = try value(bytes)
        try JSONReferee.judge(bytes, at: 0)
    }

    /// Checks the grammar of the whole text, not its keys; tells whether it holds numbers that jansson has
    /// no room for.
    package static func value(_ bytes: ByteView) throws(MemexError) -> Bool {
        do throws(JSONFault) {
            return try syntax(bytes, JSONSyntax())
        } catch {
            throw error.error()
        }
    }

    /// The same for options with metadata or provenance, which have all their levels for themselves.
    static func carrier(_ bytes: ByteView) throws(MemexError) -> Bool {
        do throws(JSONFault) {
            return try syntax(bytes, JSONSyntax(levels: Limits.jsonDepth &+ CarriedValue.outerLevels))
        } catch {
            guard let value = CarriedValue(in: bytes, at: error.offset) else { throw error.error() }
            let rest = bytes.slice(value.start, bytes.count &- value.start)
            if case .tooDeep = error.kind { try CarriedValue.checkLevels(rest, value.path) }
            throw error.error(path: value.path, start: value.start)
        }
    }

    private static func syntax(_ bytes: ByteView, _ grammar: JSONSyntax) throws(JSONFault) -> Bool {
        if SlowBody.hasByteOrderMark(bytes) { throw JSONFault(.byteOrderMark, 0) }
        var grammar = grammar
        let end = try grammar.check(bytes, from: 0)
        if let base = bytes.baseAddress {
            let rest = ByteWords.skipSpace(base, end, bytes.count)
            if rest < bytes.count { throw JSONFault(.trailingText, rest) }
        }
        return grammar.hasHugeNumbers
    }
}
