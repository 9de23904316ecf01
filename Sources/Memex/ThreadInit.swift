internal import MemexModel
internal import MemexStorage

/// Reads what a thread begins with: {"id", "title", "metadata", "created_at_us"}.
enum ThreadInit {
    static func read(_ options: inout OptionReader, _ session: Session) throws(MemexError) -> ThreadRecord {
        var record = ThreadRecord()
        record.tenant = session.tenant
        if let id = try options.string("id") {
            try Identifier.check(id, "/id")
            record.id = id.text
        } else {
            record.id = UUIDv7.make(session.store.environment)
        }
        if let title = try options.string("title") { record.title = try checkedTitle(title) }
        if let metadata = try options.rawObject("metadata") {
            record.metadata = try checkedMetadata(metadata)
        }
        let now = session.store.environment.now()
        record.createdAt = try options.int64("created_at_us", in: 1...StoredNumber.latest) ?? now
        record.updatedAt = record.createdAt
        record.activityAt = record.createdAt
        return record
    }

    static func checkedTitle(_ title: ByteView) throws(MemexError) -> String {
        guard title.count <= Limits.titleBytes else {
            throw MemexError(
                .limit, "/title: has \(title.count) bytes; the limit is \(Limits.titleBytes)",
                detailMembers: "\"path\":\"/title\",\"limit\":\(Limits.titleBytes)")
        }
        return title.text
    }

    static func checkedMetadata(_ metadata: ByteView) throws(MemexError) -> [UInt8] {
        guard metadata.count <= Limits.metadataBytes else {
            throw MemexError(
                .limit, "/metadata: has \(metadata.count) bytes; the limit is \(Limits.metadataBytes)",
                detailMembers: "\"path\":\"/metadata\",\"limit\":\(Limits.metadataBytes)")
        }
        return Array(metadata)
    }
}
