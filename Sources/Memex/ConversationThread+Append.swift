package import MemexModel
package import MemexStorage

extension ConversationThread {
    /// Appends one body (an object) or several (an array), all or none.
    package func append(_ messages: ByteView, _ optionBytes: ByteView) throws(MemexError) -> WriteResult {
        try writing { () throws(MemexError) in
            try withOptions(optionBytes) { (options) throws(MemexError) in
                var builder = DraftBuilder(store, options?.format ?? .openaiChat)
                builder.isList = messages.first(where: { $0 > 0x20 }) == 0x5B
                try BodyInspector.inspectElements(messages) { (body, facts) throws(MemexError) in
                    try builder.add(body, facts, options?.message(builder.count))
                }
                return try commit(builder, options)
            }
        }
    }

    /// Appends plain text.
    package func append(role: ByteView, text: ByteView, _ optionBytes: ByteView) throws(MemexError)
        -> WriteResult
    {
        try writing { () throws(MemexError) in
            try withOptions(optionBytes) { (options) throws(MemexError) in
                var builder = DraftBuilder(store, options?.format ?? .openaiChat)
                try builder.add(role: role, text: text, options?.message(0))
                return try commit(builder, options)
            }
        }
    }

    private func withOptions(
        _ bytes: ByteView, _ body: (AppendOptions?) throws(MemexError) -> WriteResult
    ) throws(MemexError) -> WriteResult {
        if bytes.count == 0 { return try body(nil) }
        var reader = try OptionReader(bytes, what: "options", carries: true)
        let options = try AppendOptions(&reader)
        let result = try body(options)
        // The options' views point into the reader.
        extendLifetime(reader)
        return result
    }

    private func commit(_ builder: DraftBuilder, _ options: AppendOptions?) throws(MemexError) -> WriteResult
    {
        if let given = options?.messages.count, given > 0, given != builder.count {
            throw MemexError.invalid(
                path: "/messages", "has \(given) entries for \(builder.count) messages; give one each")
        }
        if builder.count > 1, let options, options.common.id.count > 0 {
            throw MemexError.invalid(path: "/id", "is for one message; give \"messages\" with one entry each")
        }
        // The builder owns what the drafts point to.
        defer { extendLifetime(builder) }
        return try builder.withDrafts { (drafts) throws(MemexError) in
            for draft in drafts where draft.id.count > 0 { try checkID(draft.id) }
            var operation = AppendOperation(thread: target, drafts: drafts)
            if let options {
                operation.expectSeq = options.expectSeq
                operation.idempotencyKey = options.idempotencyKey
                if options.idempotencyKey.count > 0 { operation.digest = Self.digest(drafts) }
            }
            if let transaction = session.transaction {
                try transaction.add(append: operation)
                return WriteResult()
            }
            return try store.append(operation, until: store.repeatableDeadline(options?.timeout))
        }
    }

    private func checkID(_ id: ByteView) throws(MemexError) {
        // The engine looks at the thread's own ids, once it knows that this is no retry.
        if baseKey != 0, try seq(ofID: id, sharedOnly: true) != nil {
            throw MemexError(
                .exists, "the message id is taken in this thread", detailMembers: "\"path\":\"/id\"")
        }
        if messageIDs.decode(id) != nil {
            throw MemexError.invalid(path: "/id", "has the form of this thread's own ids; choose another")
        }
    }

    /// Of the bodies, each with its length before it: however they came, the same bodies have the same.
    private static func digest(_ drafts: UnsafeBufferPointer<MessageDraft>) -> (UInt64, UInt64) {
        var digest = SHA256()
        for draft in drafts {
            var length = UInt64(truncatingIfNeeded: draft.body.count).littleEndian
            withUnsafeBytes(of: &length) { digest.update($0.bindMemory(to: UInt8.self)) }
            digest.update(draft.body)
        }
        let words = digest.finish()
        return (words.0, words.1)
    }
}
