internal import CMemexShim
internal import MemexModel
internal import MemexStorage

/// How a row becomes a line of the journal, and back.
///
///     {"message":[3,7],"sizes":[0,36],"at":1732281255123456,"head":"01…","role":"user","body":{…},"last":[12,1],"crc":"8a…"}
///     {"put":"74…","value":"01…","part":[13,1],"crc":"…"}
///     {"delete":"70…","last":[13,2],"crc":"…"}
///
/// `part` and `last` have the number of the commit and of the line in it; a commit ends with its `last`. The
/// checksum is CRC-32C over all that stands before `,"crc"`.
enum JournalLine {
    /// What stands behind the part that is summed, without the newline.
    static let tailSize = 18

    /// The part of a line in front of its place in the commit.
    static func begin(_ write: KeyValueWrite, to buffer: inout ByteBuffer) {
        if write.kind == .delete {
            buffer.append("{\"delete\":\"")
            buffer.append(hex: write.key)
            buffer.append("\"")
            return
        }
        if let place = MessageRowParts.place(write.key), let parts = MessageRowParts(write.value),
            isPlain(parts)
        {
            message(place, parts, &buffer)
            return
        }
        buffer.append("{\"put\":\"")
        buffer.append(hex: write.key)
        buffer.append("\",\"value\":\"")
        buffer.append(hex: write.value)
        buffer.append("\"")
    }

    /// The rest of it; the line begins at `start`.
    static func finish(
        _ buffer: inout ByteBuffer, from start: Int, commit: Int64, line: Int64, isLast: Bool
    ) {
        buffer.append(isLast ? ",\"last\":[" : ",\"part\":[")
        buffer.append(number: commit)
        buffer.append(",")
        buffer.append(number: line)
        buffer.append("]")
        let summed = buffer.view.slice(start, buffer.count &- start)
        let checksum = memex_shim_crc32c(0, summed.baseAddress, summed.count)
        buffer.append(",\"crc\":\"")
        buffer.append(hex: checksum)
        buffer.append("\"}\n")
    }

    /// Bytes that `finish` adds, without the newline.
    static func endSize(commit: Int64, line: Int64) -> Int {
        11 &+ digits(commit) &+ digits(line) &+ tailSize
    }

    private static func digits(_ number: Int64) -> Int {
        var digits = 1
        var rest = number
        while rest >= 10 {
            rest /= 10
            digits &+= 1
        }
        return digits
    }

    /// Whether its texts can be written as they are: one line, and their ends are seen.
    private static func isPlain(_ parts: MessageRowParts) -> Bool {
        memex_shim_needs_escape(parts.role.baseAddress, parts.role.count) == 0
            && memex_shim_needs_escape(parts.id.baseAddress, parts.id.count) == 0
            && memex_shim_needs_escape(parts.idempotencyKey.baseAddress, parts.idempotencyKey.count) == 0
            && isObject(parts.extra) && isObject(parts.body)
    }

    private static func isObject(_ bytes: ByteView) -> Bool {
        bytes.count == 0
            || bytes.count > 1 && bytes[0] == 0x7B && bytes[bytes.count &- 1] == 0x7D
                && memex_shim_has_control(bytes.baseAddress, bytes.count) == 0
    }

    private static func message(
        _ place: (thread: Int64, seq: Int64), _ parts: MessageRowParts, _ buffer: inout ByteBuffer
    ) {
        buffer.reserve(
            256 &+ parts.head.count &* 2 &+ parts.role.count &+ parts.id.count &+ parts.idempotencyKey.count
                &+ parts.extra.count &+ parts.body.count)
        buffer.append("{\"message\":[")
        buffer.append(number: place.thread)
        buffer.append(",")
        buffer.append(number: place.seq)
        buffer.append("],\"sizes\":[")
        buffer.append(number: Int64(parts.extra.count))
        buffer.append(",")
        buffer.append(number: Int64(parts.body.count))
        buffer.append("],\"at\":")
        buffer.append(number: parts.createdAt)
        buffer.append(",\"head\":\"")
        buffer.append(hex: parts.head)
        buffer.append("\"")
        text(",\"role\":\"", parts.role, &buffer)
        text(",\"id\":\"", parts.id, &buffer)
        text(",\"idempotency_key\":\"", parts.idempotencyKey, &buffer)
        if parts.extra.count > 0 {
            buffer.append(",\"extra\":")
            buffer.append(parts.extra)
        }
        if parts.body.count > 0 {
            buffer.append(",\"body\":")
            buffer.append(parts.body)
        }
    }

    private static func text(_ name: StaticString, _ bytes: ByteView, _ buffer: inout ByteBuffer) {
        guard bytes.count > 0 else { return }
        buffer.append(name)
        buffer.append(bytes)
        buffer.append("\"")
    }
}
