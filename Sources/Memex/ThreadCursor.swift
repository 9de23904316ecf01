package import MemexModel
internal import MemexStorage

/// Pages of a tenant's threads.
package final class ThreadCursor: Cursor, @unchecked Sendable {
    private let session: Session
    private let query: ThreadQuery
    private struct Position {
        var after: (Int64, Int64)?
        var left: Int64
        /// Threads whose activity is later moved after the listing began; nil until its first thread says.
        var bound: Int64?
    }
    private let turn = Turn()
    private var position: Position

    package init(_ session: Session, _ bytes: ByteView) throws(MemexError) {
        try session.authorize(.read)
        let query: ThreadQuery = try session.store.inside { () throws(MemexError) in
            try ThreadQuery(bytes, session)
        }
        self.session = session
        self.query = query
        position = Position(after: query.after, left: query.limit, bound: query.bound)
    }

    package func next(_ out: inout ByteBuffer) throws(MemexError) -> Bool {
        try session.authorize(.read)
        return try session.store.inside { () throws(MemexError) in
            var buffer = ByteBuffer()
            let found = try turn.take { () throws(MemexError) in try page(&position, &buffer) }
            out = buffer
            return found
        }
    }

    private func page(_ position: inout Position, _ out: inout ByteBuffer) throws(MemexError) -> Bool {
        guard position.left > 0 else { return false }
        var records: [ThreadRecord] = []
        let wanted = min(query.pageSize, position.left)
        var hasMore = false
        try list(after: position.after, bound: position.bound ?? .max) { (record) throws(MemexError) in
            if position.bound == nil {
                // The latest comes first. It may be ahead of our clock, when it was stored by another's.
                position.bound = max(query.begun, record.activity)
            }
            guard try query.filter?.matches(record) ?? true else { return true }
            if Int64(records.count) == wanted {
                hasMore = true
                return false
            }
            records.append(record)
            return Int64(records.count) < wanted || wanted < position.left
        }
        guard let last = records.last else {
            position.left = 0
            return false
        }
        position.after = (query.order == .activity ? last.activity : 0, last.key)
        position.left = hasMore ? position.left - Int64(records.count) : 0
        out.append("{\"threads\":[")
        for (index, record) in records.enumerated() {
            if index > 0 { out.append(byte: 0x2C) }
            try ThreadDocument.append(record, session.store.engine, to: &out)
        }
        out.append("]}")
        if out.failed { throw MemexError.noMemory }
        return true
    }

    private func list(
        after: (Int64, Int64)?, bound: Int64, _ visit: (ThreadRecord) throws(MemexError) -> Bool
    ) throws(MemexError) {
        let engine = session.store.engine
        if query.order == .activity {
            try ActivityOrder.list(
                engine, tenant: session.tenant, rootKey: query.rootKey, descending: query.descending,
                after: after, bound: bound, visit)
            return
        }
        var scan = ThreadScan(tenant: session.tenant, order: .creation, descending: query.descending)
        scan.rootKey = query.rootKey
        if let after { scan.from = (0, query.descending ? after.1 - 1 : after.1 + 1) }
        try engine.threads(scan, visit)
    }

    package func token() throws(MemexError) -> String {
        try session.checkOpen()
        let position = try turn.take { () throws(MemexError) in self.position }
        guard position.left > 0 else { return "" }
        guard let (time, key) = position.after else { return "" }
        return "t1.\(time).\(key).\(position.bound ?? .max).\(position.left)"
    }
}
