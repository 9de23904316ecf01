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
        if SlowBody.hasByteOrderMark(bytes) { throw JSONFault(.byteOrderMark, 0).error() }
        var syntax = JSONSyntax()
        do throws(JSONFault) {
            let end = try syntax.check(bytes, from: 0)
            if let base = bytes.baseAddress {
                let rest = ByteWords.skipSpace(base, end, bytes.count)
                if rest < bytes.count { throw JSONFault(.trailingText, rest) }
            }
        } catch {
            throw error.error()
        }
        return syntax.hasHugeNumbers
    }
}
