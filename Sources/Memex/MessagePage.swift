internal import MemexModel
internal import MemexStorage

/// How a page of messages is laid out.
enum MessageLayout {
    /// `{"messages":[{envelope…,"body":…},…]}`
    case json
    /// `[body,…]`, null for a deleted message.
    case bodies
    /// Arrays of numbers, then text: docs/reference/packed-page.md.
    case packed
}

/// Writes messages as JSON.
enum MessageJSON {
    static func append(
        _ view: borrowing MessageView, _ ids: MessageID, tokens: UInt32, to out: inout ByteBuffer
    ) {
        out.reserve(view.body.count &+ view.extra.count &+ 320)
        out.append("{\"id\":")
        appendID(view, ids, to: &out)
        out.append(",\"seq\":")
        out.append(number: view.seq)
        out.append(",\"rev\":")
        out.append(number: view.rev)
        switch view.head.state {
        case .complete: out.append(",\"state\":\"complete\"")
        case .incomplete: out.append(",\"state\":\"incomplete\"")
        case .deleted: out.append(",\"state\":\"deleted\"")
        }
        out.append(",\"role\":")
        _ = JSONEscape.appendQuoted(view.role, to: &out)
        out.append(",\"created_at_us\":")
        out.append(number: view.createdAt)
        out.append(",\"format\":\"")
        out.append((MessageFormat(rawValue: view.head.format) ?? .opaque).name)
        out.append("\",\"tokens\":")
        out.append(number: Int64(tokens))
        if view.head.has(RecordHead.Flag.pinned) { out.append(",\"pinned\":true") }
        if view.idempotencyKey.count > 0 {
            out.append(",\"idempotency_key\":")
            _ = JSONEscape.appendQuoted(view.idempotencyKey, to: &out)
        }
        if view.extra.count > 2 {
            // The members of {"metadata":…,"provenance":…}.
            out.append(byte: 0x2C)
            out.append(view.extra.slice(1, view.extra.count &- 2))
        }
        if !view.isDeleted {
            out.append(",\"body\":")
            out.append(view.body)
        }
        out.append(byte: 0x7D)
    }

    static func appendID(_ view: borrowing MessageView, _ ids: MessageID, to out: inout ByteBuffer) {
        if view.id.count > 0 {
            _ = JSONEscape.appendQuoted(view.id, to: &out)
        } else {
            out.append(byte: 0x22)
            ids.append(seq: view.seq, createdAt: view.createdAt, to: &out)
            out.append(byte: 0x22)
        }
    }
}
