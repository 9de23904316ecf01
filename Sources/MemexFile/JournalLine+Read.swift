internal import CMemexShim
internal import MemexModel
internal import MemexStorage

extension JournalLine {
    /// Where a line belongs.
    struct Place {
        var commit: Int64
        var line: Int64
        var isLast: Bool
    }

    /// What a line says.
    enum Content {
        case header(id: ByteView, format: Int64)
        case put
        case delete
    }

    /// The summed part of a line without its newline, or nil when the checksum does not agree.
    static func summed(_ line: ByteView) -> ByteView? {
        let length = line.count &- tailSize
        guard length > 0 else { return nil }
        var tail = LineCursor(line.slice(length, tailSize))
        guard tail.has(",\"crc\":\"") else { return nil }
        var checksum: UInt32 = 0
        for byte in tail.take(8) {
            guard let digit = LineCursor.digit(byte) else { return nil }
            checksum = checksum << 4 | UInt32(digit)
        }
        guard tail.has("\"}"), memex_shim_crc32c(0, line.baseAddress, length) == checksum else { return nil }
        return line.slice(0, length)
    }

    /// Takes the place off the end of the summed part.
    static func place(_ summed: ByteView) -> (content: ByteView, place: Place)? {
        var start = summed.count
        let least = summed.count > 60 ? summed.count &- 60 : 0
        while start > least {
            start &-= 1
            guard summed[start] == 0x2C else { continue }
            var cursor = LineCursor(summed.slice(start, summed.count &- start))
            let isLast = cursor.has(",\"last\":[")
            guard isLast || cursor.has(",\"part\":[") else { continue }
            var place = Place(commit: cursor.number(), line: 0, isLast: isLast)
            cursor.expect(",")
            place.line = cursor.number()
            cursor.expect("]")
            guard cursor.isComplete, place.line > 0 else { return nil }
            return (summed.slice(0, start), place)
        }
        return nil
    }

    /// Key and value of the content; the value only when it is asked for. Nil when it is no line of ours.
    static func read(
        _ content: ByteView, key: inout ByteBuffer, value: inout ByteBuffer, wantsValue: Bool
    ) -> Content? {
        var cursor = LineCursor(content)
        if cursor.has("{\"message\":[") {
            let thread = cursor.number()
            cursor.expect(",")
            let seq = cursor.number()
            guard cursor.isValid, thread > 0, seq > 0 else { return nil }
            MessageRowParts.writeKey(thread: thread, seq: seq, to: &key)
            if !wantsValue { return .put }
            return message(&cursor, &value) ? .put : nil
        }
        if cursor.has("{\"put\":\"") {
            cursor.hex(into: &key)
            cursor.expect(",\"value\":\"")
            if !wantsValue { return cursor.isValid ? .put : nil }
            cursor.hex(into: &value)
            return cursor.isComplete ? .put : nil
        }
        if cursor.has("{\"delete\":\"") {
            cursor.hex(into: &key)
            return cursor.isComplete ? .delete : nil
        }
        if cursor.has("{\"memex\":\"journal\",\"format\":") {
            let format = cursor.number()
            cursor.expect(",\"id\":\"")
            let id = cursor.quoted()
            return cursor.isValid ? .header(id: id, format: format) : nil
        }
        return nil
    }

    private static func message(_ cursor: inout LineCursor, _ value: inout ByteBuffer) -> Bool {
        var parts = MessageRowParts()
        cursor.expect("],\"sizes\":[")
        let extraSize = Int(cursor.number())
        cursor.expect(",")
        let bodySize = Int(cursor.number())
        cursor.expect("],\"at\":")
        parts.createdAt = cursor.number()
        cursor.expect(",\"head\":\"")
        var head = ByteBuffer(capacity: 64)
        cursor.hex(into: &head)
        if cursor.has(",\"role\":\"") { parts.role = cursor.quoted() }
        if cursor.has(",\"id\":\"") { parts.id = cursor.quoted() }
        if cursor.has(",\"idempotency_key\":\"") { parts.idempotencyKey = cursor.quoted() }
        if extraSize > 0 {
            cursor.expect(",\"extra\":")
            parts.extra = cursor.take(extraSize)
        }
        if bodySize > 0 {
            cursor.expect(",\"body\":")
            parts.body = cursor.take(bodySize)
        }
        guard cursor.isComplete, !head.failed else { return false }
        parts.head = head.view
        parts.write(to: &value)
        return true
    }
}
