import CJansson

/// The slow way in for a body that the scanner declined: same facts, exact errors.
enum SlowBody {
    /// Checks the object that begins at `from`, white space before it allowed; returns the offset after it.
    @inline(never)
    static func inspect(
        _ bytes: ByteView, from: Int, facts: inout BodyFacts, wanted: JSONFault.Kind
    ) throws(MemexError) -> Int {
        guard let base = bytes.baseAddress else { throw JSONFault(.unexpectedEnd, 0).error() }
        let start = ByteWords.skipSpace(base, from, bytes.count)
        guard start < bytes.count else { throw JSONFault(.unexpectedEnd, bytes.count).error() }
        if start == 0, hasByteOrderMark(bytes) { throw JSONFault(.byteOrderMark, 0).error() }
        let end = try syntax(bytes, start)
        guard base[start] == 0x7B else { throw JSONFault(wanted, start).error() }
        guard end &- start <= Limits.bodyBytes else {
            throw MemexError(
                .limit,
                "a message body has \(end &- start) bytes; at most \(Limits.bodyBytes) are allowed",
                detailMembers: "\"limit\":\(Limits.bodyBytes)")
        }
        try JSONReferee.judge(bytes.slice(start, end &- start), at: start)
        facts = collect(bytes, start: start, end: end, from: from)
        return end
    }

    static func hasByteOrderMark(_ bytes: ByteView) -> Bool {
        bytes.count >= 3 && bytes[0] == 0xEF && bytes[1] == 0xBB && bytes[2] == 0xBF
    }

    private static func syntax(_ bytes: ByteView, _ start: Int) throws(MemexError) -> Int {
        var syntax = JSONSyntax()
        do throws(JSONFault) { return try syntax.check(bytes, from: start) } catch {
            throw error.error()
        }
    }

    /// The facts of a validated object.
    static func collect(_ bytes: ByteView, start: Int, end: Int, from: Int) -> BodyFacts {
        var facts = BodyFacts()
        facts.flags = BodyFacts.declined
        guard let base = bytes.baseAddress else { return facts }
        var members = RawMembers(bytes.slice(start, end &- start))
        var count = 0
        while let member = members.next() {
            count &+= 1
            let key = bodyKey(member)
            if key == .other { continue }
            if let raw = RawString.contents(member.value), let first = raw.baseAddress {
                facts.note(
                    key, string: (first - base) &- from, length: raw.count,
                    escaped: RawString.hasEscape(raw))
            } else if key == .toolCalls, !member.value.equals(RawCursor.bytes("null")) {
                facts.flags |= BodyFacts.toolCalls
            }
        }
        facts.note(memberCount: count)
        return facts
    }

    private static func bodyKey(_ member: RawMember) -> BodyKey {
        if member.isNamed("role") { return .role }
        if member.isNamed("content") { return .content }
        if member.isNamed("tool_calls") { return .toolCalls }
        if member.isNamed("tool_call_id") { return .toolCallID }
        return .other
    }
}
