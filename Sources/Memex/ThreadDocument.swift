internal import MemexModel
internal import MemexStorage

/// Writes a thread's document as JSON.
enum ThreadDocument {
    static func append(
        _ record: ThreadRecord, _ engine: any StorageEngine, to out: inout ByteBuffer
    ) throws(MemexError) {
        out.append("{\"id\":")
        quote(record.id, &out)
        if !record.tenant.isEmpty {
            out.append(",\"tenant\":")
            quote(record.tenant, &out)
        }
        if let title = record.title {
            out.append(",\"title\":")
            quote(title, &out)
        }
        if let metadata = record.metadata {
            let isWhole = metadata.withUnsafeBufferPointer { metadata in
                guard ThreadRecord.isMetadata(metadata) else { return false }
                out.append(",\"metadata\":")
                out.append(metadata)
                return true
            }
            guard isWhole else { throw ThreadRecord.impossibleText("metadata", of: record.key) }
        }
        number(",\"version\":", record.version, &out)
        number(",\"rev\":", record.rev, &out)
        number(",\"created_at_us\":", record.createdAt, &out)
        number(",\"updated_at_us\":", max(record.updatedAt, record.lastMessageAt), &out)
        if record.lastMessageAt != 0 { number(",\"last_message_at_us\":", record.lastMessageAt, &out) }
        number(",\"message_count\":", record.messageCount, &out)
        number(",\"last_seq\":", record.lastSeq, &out)
        if record.baseKey != 0 {
            if record.rootKey != 0, let root = try engine.thread(key: record.rootKey) {
                out.append(",\"root\":")
                quote(root.id, &out)
            }
            if let base = try engine.thread(key: record.baseKey) {
                out.append(",\"base\":{\"thread\":")
                quote(base.id, &out)
                number(",\"seq\":", record.baseSeq, &out)
                number(",\"rev\":", record.baseRev, &out)
                out.append("}")
            }
        }
        out.append("}")
    }

    private static func number(_ key: StaticString, _ value: Int64, _ out: inout ByteBuffer) {
        out.append(key)
        out.append(number: value)
    }

    private static func quote(_ text: String, _ out: inout ByteBuffer) {
        var copy = text
        copy.withUTF8 { _ = JSONEscape.appendQuoted($0, to: &out) }
    }
}
