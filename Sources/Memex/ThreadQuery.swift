internal import MemexModel
internal import MemexStorage

/// Which threads to list, and how.
struct ThreadQuery: Sendable {
    enum Order { case activity, created }
    var order = Order.activity
    var descending = true
    var limit: Int64 = .max
    var pageSize: Int64 = 100
    var rootKey: Int64 = 0
    var filter: ThreadFilter?
    /// (activity or 0, key) of the last thread seen.
    var after: (Int64, Int64)?
    let begun: Int64
    private let limitAsked: Int64
    /// Threads whose activity is later moved after the listing began; nil when its first page is to say.
    var bound: Int64?

    init(_ bytes: ByteView, _ session: Session) throws(MemexError) {
        var options = try OptionReader(bytes, what: "query")
        if let name = try options.string("order") {
            if name.equals("created") {
                order = .created
            } else if !name.equals("activity") {
                throw MemexError.invalid(path: "/order", "is neither \"activity\" nor \"created\"")
            }
        }
        if let descending = try options.bool("descending") { self.descending = descending }
        if let limit = try options.int64("limit", in: 0...Int64.max) { self.limit = limit }
        if let size = try options.int64("page_size", in: 1...Limits.pageItems) { pageSize = size }
        if let root = try options.string("root") {
            try Identifier.check(root, "/root")
            guard let record = try session.store.engine.thread(tenant: session.tenant, id: root.text) else {
                throw MemexError(
                    .notFound, "/root: no thread has this id", detailMembers: "\"path\":\"/root\"")
            }
            rootKey = record.rootKey != 0 ? record.rootKey : record.key
        }
        if let node = try options.object("filter") { filter = try ThreadFilter(node, OptionPath("/filter")) }
        let token = try options.string("cursor")
        try options.finish()
        begun = session.store.environment.now()
        limitAsked = limit
        if let token {
            try resume(token, session)
        } else if order == .activity, !descending {
            bound = try Self.latestActivity(session, rootKey: rootKey, now: begun)
        }
    }

    /// The latest activity there is, at least now: a thread's time may come from a clock that is ahead.
    private static func latestActivity(
        _ session: Session, rootKey: Int64, now: Int64
    ) throws(MemexError) -> Int64 {
        var scan = ThreadScan(tenant: session.tenant, order: .coarseActivity, descending: true)
        scan.rootKey = rootKey
        var latest = now
        try session.store.engine.threads(scan) { (record) throws(MemexError) in
            latest = max(latest, record.activity)
            return !ActivityOrder.mustMove(activityAt: record.activityAt, to: now) || record.activityAt > now
        }
        return latest
    }

    /// For tokens.
    func digest(_ session: Session) -> String {
        var digest = QueryDigest()
        digest.add(session.tenant)
        digest.add(order == .created)
        digest.add(descending)
        digest.add(limitAsked)
        digest.add(rootKey)
        filter?.add(to: &digest)
        return digest.text()
    }

    private mutating func resume(_ token: ByteView, _ session: Session) throws(MemexError) {
        let parts = token.text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == "t2", parts[1] == digest(session), let time = Int64(parts[2]),
            let key = Int64(parts[3]), let bound = Int64(parts[4]), let left = Int64(parts[5]), key >= 0,
            key < .max, left >= 0
        else {
            throw MemexError.invalid(path: "/cursor", "is not a token of this query; begin again without it")
        }
        after = key == 0 ? nil : (time, key)
        self.bound = key == 0 && bound == .max ? nil : bound
        limit = left
    }
}
