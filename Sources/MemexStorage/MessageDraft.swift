package import MemexModel

/// State of a message.
package enum MessageState: UInt8, Sendable {
    case complete = 0
    case incomplete = 1
    /// A tombstone: the seq is taken, the content gone.
    case deleted = 2
}

/// A message on its way into an engine. All bytes are borrowed until the commit returns.
package struct MessageDraft {
    package var body = ByteView(start: nil, count: 0)
    /// Role as text, decoded.
    package var role = ByteView(start: nil, count: 0)
    /// The caller's id; empty for a generated one.
    package var id = ByteView(start: nil, count: 0)
    /// `{"metadata":…,"provenance":…}` or empty.
    package var extra = ByteView(start: nil, count: 0)
    /// Microseconds, or 0 for the moment of the commit.
    package var createdAt: Int64 = 0
    package var head = RecordHead()

    package init() {}

    /// Notes in the head what it says of the parts: their checksum, and whether there is an id or an extra.
    @inline(__always)
    package mutating func seal() {
        head.set(RecordHead.Flag.plain, id.count == 0 && extra.count == 0)
        head.checksum = RecordChecksum.payload(body: body, role: role, id: id, extra: extra)
    }
}
