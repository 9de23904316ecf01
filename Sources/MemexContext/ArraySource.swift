package import MemexModel
internal import MemexStorage

/// Messages that are not stored: an array of bodies, with seqs from 1. None is pinned or incomplete.
///
/// Bodies are borrowed: the bytes must outlive the source.
package struct ArraySource: MessageSource {
    private var messages = ContiguousArray<Candidate>()
    private var instructions: [Int64] = []

    package init(bodies: ByteView) throws(MemexError) {
        if Self.isEmptyArray(bodies) { return }
        var messages = ContiguousArray<Candidate>()
        try BodyInspector.inspectElements(bodies) { (body, facts) throws(MemexError) in
            var message = Candidate()
            message.seq = Int64(messages.count &+ 1)
            message.role = try Self.role(body, facts)
            if facts.has(BodyFacts.toolCalls) { message.flags |= RecordHead.Flag.toolCalls }
            if facts.has(BodyFacts.toolCallID) { message.flags |= RecordHead.Flag.toolCallID }
            message.hasText = facts.contentOffset >= 0
            message.body = body
            messages.append(message)
        }
        self.messages = messages
        instructions = messages.filter { $0.role.isInstruction }.map(\.seq)
    }

    private static func role(_ body: ByteView, _ facts: BodyFacts) throws(MemexError) -> ChatRole {
        guard let raw = facts.role(in: body) else { return .other }
        guard facts.has(BodyFacts.roleEscaped) else { return ChatRole(raw) }
        var decoded = ByteBuffer(capacity: raw.count)
        try JSONEscape.decode(raw, to: &decoded)
        return ChatRole(decoded.view)
    }

    /// `[]`, white space allowed: a conversation that has not begun.
    private static func isEmptyArray(_ bytes: ByteView) -> Bool {
        var brackets: [UInt8] = []
        for byte in bytes {
            if byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { continue }
            brackets.append(byte)
            if brackets.count > 2 { return false }
        }
        return brackets == [0x5B, 0x5D]
    }

    package var lastSeq: Int64 { Int64(messages.count) }
    package var messageCount: Int64 { Int64(messages.count) }

    package func newest(
        before seq: Int64, limit: Int64, _ visit: (borrowing Candidate) throws(MemexError) -> Bool
    ) throws(MemexError) {
        var index = Int(clamping: min(seq &- 1, lastSeq)) &- 1
        var left = limit
        while index >= 0, left > 0 {
            guard try visit(messages[index]) else { return }
            index &-= 1
            left &-= 1
        }
    }

    package func oldest(
        from seq: Int64, _ visit: (borrowing Candidate) throws(MemexError) -> Bool
    ) throws(MemexError) {
        var index = Int(clamping: max(seq, 1)) &- 1
        while index < messages.count {
            guard try visit(messages[index]) else { return }
            index &+= 1
        }
    }

    package func marked(from: Int64, to: Int64) throws(MemexError) -> [Int64] {
        instructions.filter { $0 >= from && $0 <= to }
    }

    package func message(
        seq: Int64, _ visit: (borrowing Candidate) throws(MemexError) -> Void
    ) throws(MemexError) {
        guard seq >= 1, seq <= lastSeq else { return }
        try visit(messages[Int(seq &- 1)])
    }
}
