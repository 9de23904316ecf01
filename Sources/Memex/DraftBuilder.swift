internal import MemexModel
internal import MemexStorage
internal import MemexTokens

/// Makes drafts of bodies, and keeps what they need beside the caller's bytes.
struct DraftBuilder {
    /// The first lies here: most appends have one message, and need no array for it.
    private(set) var first = MessageDraft()
    private var several: ContiguousArray<MessageDraft> = []
    private(set) var count = 0
    private var owned: [OwnedBytes] = []
    let store: Store
    let format: MessageFormat
    /// Bodies come as a list: errors name the place.
    var isList = false

    init(_ store: Store, _ format: MessageFormat) {
        self.store = store
        self.format = format
    }

    mutating func add(_ body: ByteView, _ facts: BodyFacts, _ options: MessageOptions?) throws(MemexError) {
        var draft = MessageDraft()
        draft.body = body
        draft.role = try role(body, facts)
        draft.head.format = format.rawValue
        draft.head.tokens = UInt32(clamping: try store.tokens(body))
        if store.counter.mark != 0 { draft.head.counter = store.counter.mark }
        note(facts, &draft.head)
        var isMarked = draft.role.equals("system") || draft.role.equals("developer")
        if let options {
            draft.id = options.id
            draft.createdAt = options.createdAt
            if let extra = try MessageOptions.extra(
                metadata: options.metadata, provenance: options.provenance)
            {
                owned.append(extra)
                draft.extra = extra.view
            }
            draft.head.state = options.state
            draft.head.set(RecordHead.Flag.pinned, options.pinned)
            isMarked = isMarked || options.pinned
        }
        draft.head.set(RecordHead.Flag.marked, isMarked)
        draft.seal()
        keep(draft)
    }

    private mutating func keep(_ draft: MessageDraft) {
        if count == 0 {
            first = draft
        } else {
            if count == 1 { several.append(first) }
            several.append(draft)
        }
        count += 1
    }

    /// The drafts, while the builder lives.
    func withDrafts<Result>(
        _ body: (UnsafeBufferPointer<MessageDraft>) throws(MemexError) -> Result
    ) throws(MemexError) -> Result {
        if count > 1 {
            return try several.withUnsafeBufferPointer { (drafts) throws(MemexError) in try body(drafts) }
        }
        return try withUnsafePointer(to: first) { (draft) throws(MemexError) in
            try body(UnsafeBufferPointer(start: draft, count: count))
        }
    }

    /// Text as a chat message: `{"role":…,"content":…}`.
    mutating func add(role: ByteView, text: ByteView, _ options: MessageOptions?) throws(MemexError) {
        try Identifier.check(role, "/role")
        guard text.count <= Limits.bodyBytes else { throw Self.tooLarge(text.count) }
        var buffer = ByteBuffer(capacity: role.count + text.count + text.count / 8 + 40)
        buffer.append("{\"role\":")
        let roleStart = buffer.count + 1
        _ = JSONEscape.appendQuoted(role, to: &buffer)
        let roleLength = buffer.count - roleStart - 1
        buffer.append(",\"content\":")
        let start = buffer.count + 1
        let invalid = JSONEscape.appendQuoted(text, to: &buffer)
        guard invalid < 0 else {
            throw MemexError(
                .invalid, "/content: is not UTF-8 at byte \(invalid)",
                detailMembers: "\"path\":\"/content\",\"offset\":\(invalid)")
        }
        let length = buffer.count - start - 1
        buffer.append(byte: 0x7D)
        guard buffer.count <= Limits.bodyBytes else { throw Self.tooLarge(buffer.count) }
        let body = try OwnedBytes(buffer)
        owned.append(body)
        var facts = BodyFacts()
        facts.roleOffset = Int32(truncatingIfNeeded: roleStart)
        facts.roleLength = Int32(truncatingIfNeeded: roleLength)
        facts.contentOffset = Int32(truncatingIfNeeded: start)
        facts.contentLength = Int32(truncatingIfNeeded: length)
        facts.flags = BodyFacts.simple
        if roleLength != role.count { facts.flags |= BodyFacts.roleEscaped }
        if length != text.count { facts.flags |= BodyFacts.contentEscaped }
        try add(body.view, facts, options)
    }

    private static func tooLarge(_ count: Int) -> MemexError {
        MemexError(
            .limit, "/content: the message has \(count) bytes; the limit is \(Limits.bodyBytes)",
            detailMembers: "\"path\":\"/content\",\"limit\":\(Limits.bodyBytes)")
    }

    private mutating func role(_ body: ByteView, _ facts: BodyFacts) throws(MemexError) -> ByteView {
        guard let raw = facts.role(in: body) else {
            if format == .openaiChat {
                throw MemexError.invalid(
                    path: rolePath, "is missing or no string; give one, or say \"format\":\"opaque\"")
            }
            return ByteView(start: nil, count: 0)
        }
        var role = raw
        if facts.has(BodyFacts.roleEscaped) {
            var decoded = ByteBuffer(capacity: raw.count)
            try JSONEscape.decode(raw, to: &decoded)
            let kept = try OwnedBytes(decoded)
            owned.append(kept)
            role = kept.view
        }
        if format == .openaiChat {
            if RoleCode.of(role) == 0 { try Identifier.check(role, rolePath) }
        } else if role.count > Limits.idBytes {
            return role.slice(0, 0)
        }
        return role
    }

    private var rolePath: String { isList ? "/\(count)/role" : "/role" }

    private func note(_ facts: BodyFacts, _ head: inout RecordHead) {
        // With the role first, so that role and content alone give the body's order back.
        let isSimple = facts.has(BodyFacts.simple) && facts.roleOffset < facts.contentOffset
        head.set(RecordHead.Flag.simple, isSimple)
        head.set(RecordHead.Flag.contentEscaped, facts.has(BodyFacts.contentEscaped))
        head.set(RecordHead.Flag.roleEscaped, facts.has(BodyFacts.roleEscaped))
        head.set(RecordHead.Flag.toolCalls, facts.has(BodyFacts.toolCalls))
        head.set(RecordHead.Flag.toolCallID, facts.has(BodyFacts.toolCallID))
        if facts.contentOffset >= 0 {
            head.contentOffset = facts.contentOffset
            head.contentLength = facts.contentLength
        }
    }
}
