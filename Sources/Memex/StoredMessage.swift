package import MemexModel
package import MemexStorage

/// A stored message with bytes of its own.
package struct StoredMessage {
    package let seq: Int64
    package let createdAt: Int64
    package let head: RecordHead
    private let bytes: OwnedBytes
    private let lengths: (role: Int, id: Int, key: Int, extra: Int, body: Int)

    /// Copies; throws CORRUPT when the record's checksum does not agree.
    package init(_ view: borrowing MessageView) throws(MemexError) {
        try view.verify()
        seq = view.seq
        createdAt = view.createdAt
        head = view.head
        lengths = (
            view.role.count, view.id.count, view.idempotencyKey.count, view.extra.count, view.body.count
        )
        var buffer = ByteBuffer(
            capacity: lengths.role + lengths.id + lengths.key + lengths.extra + lengths.body + 1)
        buffer.append(view.role)
        buffer.append(view.id)
        buffer.append(view.idempotencyKey)
        buffer.append(view.extra)
        buffer.append(view.body)
        bytes = try OwnedBytes(buffer)
    }

    // Views of the message's bytes: they live as long as somebody refers to the message.

    package var role: ByteView { bytes.view.slice(0, lengths.role) }
    package var id: ByteView { bytes.view.slice(lengths.role, lengths.id) }
    package var idempotencyKey: ByteView { bytes.view.slice(lengths.role + lengths.id, lengths.key) }
    package var extra: ByteView { bytes.view.slice(lengths.role + lengths.id + lengths.key, lengths.extra) }
    package var body: ByteView {
        bytes.view.slice(lengths.role + lengths.id + lengths.key + lengths.extra, lengths.body)
    }

    package var rev: Int64 { seq + Int64(head.changes) }
    package var isDeleted: Bool { head.state == .deleted }

    /// As a view; valid during the call.
    package func withView<Result>(
        _ body: (borrowing MessageView) throws(MemexError) -> Result
    ) throws(MemexError) -> Result {
        var view = MessageView()
        view.seq = seq
        view.createdAt = createdAt
        view.head = head
        view.role = role
        view.id = id
        view.idempotencyKey = idempotencyKey
        view.extra = extra
        view.body = self.body
        return try withExtendedLifetime(bytes) { () throws(MemexError) in try body(view) }
    }

    package var roleText: String { withExtendedLifetime(bytes) { role.text } }

    /// The id as text: the caller's, or the computed one.
    package func idText(_ ids: MessageID) -> String {
        withExtendedLifetime(bytes) { id.count > 0 ? id.text : ids.text(seq: seq, createdAt: createdAt) }
    }

    /// A draft of the same content; its bytes live as long as this message.
    package func draft() -> MessageDraft {
        var draft = MessageDraft()
        draft.body = body
        draft.role = role
        draft.id = id
        draft.extra = extra
        draft.createdAt = createdAt
        draft.head = head
        draft.seal()
        return draft
    }
}
