internal import MemexModel
internal import MemexStorage

/// Which messages to read, and how.
struct MessageQuery {
    var from: Int64 = 1
    var to: Int64 = 0
    var limit: Int64 = .max
    var pageSize: Int64 = 250
    var descending = false
    var includeDeleted = false
    var layout = MessageLayout.json
    /// Rows to read beyond a page for the tombstones among them, as far as they are known.
    var slack: Int64 = 0
    /// As they were asked for, 0 for those that were not: a token's digest is about them.
    private var asked: (last: Int64, from: Int64, to: Int64, after: Int64, before: Int64, limit: Int64)

    init(_ bytes: ByteView, _ record: ThreadRecord, _ chainRead: (Int64, Int64) throws(MemexError) -> Int64)
        throws(MemexError)
    {
        var options = try OptionReader(bytes, what: "query")
        let last = try options.int64("last", in: 0...Int64.max)
        let fromSeq = try options.int64("from_seq", in: 1...Limits.seq)
        let toSeq = try options.int64("to_seq", in: 1...Limits.seq)
        let afterSeq = try options.int64("after_seq", in: 0...Limits.seq)
        let beforeSeq = try options.int64("before_seq", in: 1...Limits.seq + 1)
        if let limit = try options.int64("limit", in: 0...Int64.max) { self.limit = limit }
        if let size = try options.int64("page_size", in: 1...Limits.pageItems) { pageSize = size }
        if let descending = try options.bool("descending") { self.descending = descending }
        if let deleted = try options.bool("include_deleted") { includeDeleted = deleted }
        if let layout = try options.string("layout") { self.layout = try Self.layout(layout) }
        let token = try options.string("cursor")
        try options.finish()

        // With one added where 0 can be asked for.
        asked = (
            (last ?? -1) &+ 1, fromSeq ?? 0, toSeq ?? 0, (afterSeq ?? -1) + 1, beforeSeq ?? 0, limit
        )
        slack = includeDeleted ? 0 : record.deletedCount
        to = min(record.lastSeq, toSeq ?? record.lastSeq)
        from = fromSeq ?? 1
        let ways = [last != nil, fromSeq != nil || toSeq != nil, afterSeq != nil, beforeSeq != nil]
        guard ways.count(where: { $0 }) <= 1 else {
            throw MemexError(.invalid, "give one of last, from_seq and to_seq, after_seq, before_seq")
        }
        if let afterSeq { from = afterSeq + 1 }
        if let beforeSeq {
            to = min(to, beforeSeq - 1)
            // The messages next to it: the last `limit` below.
            if limit != .max, !self.descending {
                from = max(from, try start(of: limit, below: to, record, chainRead))
            }
        }
        if let last {
            limit = min(limit, last)
            from = try start(of: last, below: to, record, chainRead)
        }
        if let token { try resume(token, record) }
    }

    /// The seq at which the last `count` live messages up to a seq begin.
    private func start(
        of count: Int64, below top: Int64, _ record: ThreadRecord,
        _ chainRead: (Int64, Int64) throws(MemexError) -> Int64
    ) throws(MemexError) -> Int64 {
        if count == 0 { return top + 1 }
        if count >= top { return 1 }
        if record.deletedCount == 0 || includeDeleted { return top - count + 1 }
        return try chainRead(count, top)
    }

    private static func layout(_ name: ByteView) throws(MemexError) -> MessageLayout {
        if name.equals("json") { return .json }
        if name.equals("bodies") { return .bodies }
        if name.equals("packed") { return .packed }
        throw MemexError.invalid(path: "/layout", "is none of \"json\", \"bodies\", \"packed\"")
    }

    /// For tokens.
    func digest(tenant: String, thread: String, key: Int64) -> String {
        var digest = QueryDigest()
        digest.add(tenant)
        digest.add(thread)
        digest.add(key)
        digest.add(descending)
        digest.add(includeDeleted)
        for number in [asked.last, asked.from, asked.to, asked.after, asked.before, asked.limit] {
            digest.add(number)
        }
        return digest.text()
    }

    private mutating func resume(_ token: ByteView, _ record: ThreadRecord) throws(MemexError) {
        let digest = digest(tenant: record.tenant, thread: record.id, key: record.key)

        let parts = token.text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0] == "m2", parts[1] == digest, let from = Int64(parts[2]),
            let to = Int64(parts[3]), let left = Int64(parts[4]), from >= 1, to <= Limits.seq, left >= 0
        else {
            throw MemexError.invalid(path: "/cursor", "is not a token of this query; begin again without it")
        }
        self.from = from
        self.to = to
        limit = left
    }
}
