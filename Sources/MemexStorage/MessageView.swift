package import MemexModel

/// A stored message as a reader sees it. All bytes are borrowed for the duration of the visit.
package struct MessageView {
    package var seq: Int64 = 0
    package var createdAt: Int64 = 0
    package var head = RecordHead()
    package var role = ByteView(start: nil, count: 0)
    /// The caller's id; empty for a generated one.
    package var id = ByteView(start: nil, count: 0)
    package var idempotencyKey = ByteView(start: nil, count: 0)
    package var extra = ByteView(start: nil, count: 0)
    package var body = ByteView(start: nil, count: 0)

    package init() {}

    package var rev: Int64 { seq &+ Int64(head.changes) }
    package var isDeleted: Bool { head.state == .deleted }

    /// Throws CORRUPT unless the checksum agrees.
    package func verify() throws(MemexError) {
        let payload = RecordChecksum.payload(body: body, role: role, id: id, extra: extra)
        guard RecordChecksum.seal(payload, head, seq: seq, createdAt: createdAt) == head.checksum else {
            throw MemexError(
                .corrupt,
                "message \(seq) is damaged: its checksum does not agree; restore it from a backup",
                detailMembers: "\"seq\":\(seq)")
        }
    }
}

/// Which messages of one thread's own rows to read.
package struct MessageRange: Sendable {
    package var from: Int64
    package var to: Int64
    package var descending: Bool
    package var limit: Int64
    /// Whether the views must have idempotency keys; an engine to which they cost something may leave them out.
    package var wantsKeys = true

    package init(from: Int64 = 1, to: Int64 = Limits.seq, descending: Bool = false, limit: Int64 = .max) {
        self.from = from
        self.to = to
        self.descending = descending
        self.limit = limit
    }
}
