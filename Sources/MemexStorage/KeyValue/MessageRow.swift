internal import MemexModel

/// The record of a message: version, created_at, six lengths, then head, role, id, idempotency key, extra
/// and body.
enum MessageRow {
    static let version: UInt8 = 1

    /// Most bytes that `write` adds.
    static func bound(_ draft: MessageDraft, idempotencyKey: ByteView) -> Int {
        40 &+ RecordHead.maximumSize &+ draft.role.count &+ draft.id.count &+ idempotencyKey.count
            &+ draft.extra.count &+ draft.body.count
    }

    /// Writes it with its checksum sealed; the draft's head holds the payload's.
    @inline(__always)
    static func write(
        _ draft: MessageDraft, seq: Int64, createdAt: Int64, changes: UInt32, idempotencyKey: ByteView,
        to buffer: inout ByteBuffer
    ) {
        var head = draft.head
        head.changes = changes
        head.checksum = RecordChecksum.seal(draft.head.checksum, head, seq: seq, createdAt: createdAt)
        var space: (UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0)
        withUnsafeMutableBytes(of: &space) { raw in
            let bytes = raw.bindMemory(to: UInt8.self)
            guard let base = bytes.baseAddress else { return }
            let size = head.write(into: base)
            buffer.append(byte: version)
            buffer.append(littleEndian: createdAt)
            buffer.append(length: size)
            buffer.append(length: draft.role.count)
            buffer.append(length: draft.id.count)
            buffer.append(length: idempotencyKey.count)
            buffer.append(length: draft.extra.count)
            buffer.append(length: draft.body.count)
            buffer.append(ByteView(bytes).slice(0, size))
        }
        buffer.append(draft.role)
        buffer.append(draft.id)
        buffer.append(idempotencyKey)
        buffer.append(draft.extra)
        buffer.append(draft.body)
    }

    static func read(_ seq: Int64, _ bytes: ByteView, into view: inout MessageView) throws(MemexError) {
        var reader = ByteReader(bytes)
        let found = reader.byte()
        guard found == version else {
            if found > version {
                throw MemexError(
                    .newerFormat, "a message record has format \(found); this library reads \(version)")
            }
            throw damaged(seq)
        }
        view.seq = seq
        view.createdAt = reader.int64()
        guard StoredNumber.isTime(view.createdAt) else { throw damaged(seq) }
        let headLength = reader.length()
        let roleLength = reader.length()
        let idLength = reader.length()
        let keyLength = reader.length()
        let extraLength = reader.length()
        let bodyLength = reader.length()
        let head = reader.take(headLength)
        view.role = reader.take(roleLength)
        view.id = reader.take(idLength)
        view.idempotencyKey = reader.take(keyLength)
        view.extra = reader.take(extraLength)
        view.body = reader.take(bodyLength)
        guard reader.isComplete else { throw damaged(seq) }
        view.head = try RecordHead(head)
    }

    /// When it was stored, read from the front of the record alone.
    static func createdAt(_ seq: Int64, _ bytes: ByteView) throws(MemexError) -> Int64 {
        var reader = ByteReader(bytes)
        let found = reader.byte()
        let moment = reader.int64()
        guard reader.isValid, found == version, StoredNumber.isTime(moment) else { throw damaged(seq) }
        return moment
    }

    static func damaged(_ seq: Int64) -> MemexError {
        MemexError(
            .corrupt, "message \(seq) is damaged; run the check command and restore it from a backup",
            detailMembers: "\"seq\":\(seq)")
    }
}
