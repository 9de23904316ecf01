package import MemexModel
internal import MemexStorage

/// One message of a thread: a reference, whose body is read when it is asked for.
package final class Message: Sendable {
    package let thread: ConversationThread
    package let seq: Int64
    package let id: String
    /// At the time of opening.
    package let role: String

    init(_ thread: ConversationThread, seq: Int64, id: String, role: String) {
        self.thread = thread
        self.seq = seq
        self.id = id
        self.role = role
    }

    static let missing = MemexError(.notFound, "the thread has no such message, or it was deleted")

    private func stored() throws(MemexError) -> (StoredMessage, MessageID) {
        _ = try thread.record()
        guard let (message, ids) = try thread.chain().message(thread.store.engine, seq: seq),
            !message.isDeleted
        else { throw Self.missing }
        return (message, ids)
    }

    package func body(_ out: inout ByteBuffer) throws(MemexError) {
        try thread.reading { () throws(MemexError) in
            try stored().0.withView { (view) throws(MemexError) in out.append(view.body) }
        }
    }

    package func json(_ out: inout ByteBuffer) throws(MemexError) {
        try thread.reading { () throws(MemexError) in
            let (message, ids) = try stored()
            try message.withView { (view) throws(MemexError) in
                let tokens = try thread.store.tokens(of: view)
                MessageJSON.append(view, ids, tokens: tokens, to: &out)
            }
        }
    }

    /// Replaces the body: options {"if_rev", "state", "pinned", "format"}.
    package func replace(_ body: ByteView, _ optionBytes: ByteView) throws(MemexError) {
        try thread.writing { () throws(MemexError) in
            var options = try OptionReader(optionBytes, what: "options")
            let ifRev = try options.int64("if_rev", in: 1...Int64.max)
            let pinned = try options.bool("pinned")
            var state: MessageState?
            if let name = try options.string("state") { state = try MessageOptions.state(name) }
            try options.finish()
            guard body.first(where: { $0 > 0x20 }) != 0x5B else {
                throw MemexError.invalid(offset: 0, "an array where one message belongs, beginning")
            }
            // A transaction keeps the body until its commit; the caller's bytes are gone by then.
            let copy = thread.session.transaction == nil ? nil : try OwnedBytes(copying: body)
            let body = copy?.view ?? body
            var found: (ByteView, BodyFacts)?
            try BodyInspector.inspectElements(body) { (body, facts) throws(MemexError) in
                found = (body, facts)
            }
            guard let (body, facts) = found else { throw MemexError(.internal, "a body was not found") }
            try MessageChange(thread, seq).apply(ifRev: ifRev) { (old) throws(MemexError) in
                let format = MessageFormat(rawValue: old.head.format) ?? .opaque
                var builder = DraftBuilder(thread.store, format)
                try builder.add(body, facts, nil)
                var draft = builder.first
                draft.keepEnvelope(of: old, pinned: pinned, state: state ?? .complete)
                return MessageChange.New(draft, (builder, copy))
            }
        }
    }

    /// Changes the metadata by a merge patch: options {"if_rev", "pinned"}.
    package func updateMetadata(_ patch: ByteView, _ optionBytes: ByteView) throws(MemexError) {
        try thread.writing { () throws(MemexError) in
            var options = try OptionReader(optionBytes, what: "options")
            let ifRev = try options.int64("if_rev", in: 1...Int64.max)
            let pinned = try options.bool("pinned")
            try options.finish()
            try JSONObject.check(patch, "the patch")
            try MessageChange(thread, seq).apply(ifRev: ifRev) { (old) throws(MemexError) in
                let before = rawMember(object: old.extra, "metadata") ?? ByteView(start: nil, count: 0)
                var after = ByteBuffer()
                try JSONObject.patch(before, patch, to: &after)
                guard after.count <= Limits.metadataBytes else {
                    throw MessageOptions.tooLarge("/metadata", after.count)
                }
                let metadata = JSONObject.isEmpty(after.view) ? ByteView(start: nil, count: 0) : after.view
                let provenance = rawMember(object: old.extra, "provenance") ?? ByteView(start: nil, count: 0)
                let extra = try MessageOptions.extra(metadata: metadata, provenance: provenance)
                var draft = old.draft()
                draft.extra = extra?.view ?? ByteView(start: nil, count: 0)
                draft.keepEnvelope(of: old, pinned: pinned, state: nil, keepsExtra: false)
                return MessageChange.New(draft, (old, extra))
            }
        }
    }

    /// Deletes the message: options {"if_rev", "erase"}.
    package func delete(_ optionBytes: ByteView) throws(MemexError) {
        try thread.writing { () throws(MemexError) in
            var options = try OptionReader(optionBytes, what: "options")
            let ifRev = try options.int64("if_rev", in: 1...Int64.max)
            let erase = try options.bool("erase") ?? false
            try options.finish()
            let change = MessageChange(thread, seq)
            if erase { try change.erase(ifRev: ifRev) } else { try change.delete(ifRev: ifRev) }
        }
    }
}
