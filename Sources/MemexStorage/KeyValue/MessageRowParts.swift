package import MemexModel

/// The parts of a message's record, for stores that write them down in a way of their own.
package struct MessageRowParts {
    package var createdAt: Int64 = 0
    package var head = ByteView(start: nil, count: 0)
    package var role = ByteView(start: nil, count: 0)
    package var id = ByteView(start: nil, count: 0)
    package var idempotencyKey = ByteView(start: nil, count: 0)
    package var extra = ByteView(start: nil, count: 0)
    package var body = ByteView(start: nil, count: 0)

    package init() {}

    /// The thread and the seq that a key names, when it is a message's.
    package static func place(_ key: ByteView) -> (thread: Int64, seq: Int64)? {
        guard key.count == 17, key[0] == KeyLayout.message else { return nil }
        var reader = ByteReader(key.slice(1, 16))
        return (reader.ordered(), reader.ordered())
    }

    package static func writeKey(thread: Int64, seq: Int64, to buffer: inout ByteBuffer) {
        buffer.key(KeyLayout.message, thread, seq)
    }

    /// Nil when it is of another version, or damaged.
    package init?(_ row: ByteView) {
        var reader = ByteReader(row)
        guard reader.byte() == MessageRow.version else { return nil }
        createdAt = reader.int64()
        let headLength = reader.length()
        let roleLength = reader.length()
        let idLength = reader.length()
        let keyLength = reader.length()
        let extraLength = reader.length()
        let bodyLength = reader.length()
        head = reader.take(headLength)
        role = reader.take(roleLength)
        id = reader.take(idLength)
        idempotencyKey = reader.take(keyLength)
        extra = reader.take(extraLength)
        body = reader.take(bodyLength)
        guard reader.isComplete else { return nil }
    }

    /// The record again.
    package func write(to buffer: inout ByteBuffer) {
        buffer.reserve(
            64 &+ head.count &+ role.count &+ id.count &+ idempotencyKey.count &+ extra.count &+ body.count)
        buffer.append(byte: MessageRow.version)
        buffer.append(littleEndian: createdAt)
        buffer.append(length: head.count)
        buffer.append(length: role.count)
        buffer.append(length: id.count)
        buffer.append(length: idempotencyKey.count)
        buffer.append(length: extra.count)
        buffer.append(length: body.count)
        buffer.append(head)
        buffer.append(role)
        buffer.append(id)
        buffer.append(idempotencyKey)
        buffer.append(extra)
        buffer.append(body)
    }
}
