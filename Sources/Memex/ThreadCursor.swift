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
    /// Threads that would come again when a message takes them back from the future to now.
    private var seen: Set<Int64> = []

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
            try turn.take { () throws(MemexError) in
                // A call that fails leaves the position where it was.
                var next = position
                var buffer = ByteBuffer()
                let records = try page(&next)
                if !records.isEmpty {
                    try write(records, &buffer)
                    try buffer.makeReady()
                }
                position = next
                note(records)
                swap(&buffer, &out)
                return !records.isEmpty
            }
        }
    }

    private func page(_ position: inout Position) throws(MemexError) -> [ThreadRecord] {
        guard position.left > 0 else { return [] }
        var records: [ThreadRecord] = []
        let wanted = min(query.pageSize, position.left)
        var hasMore = false
        var bound = position.bound
        try list(after: position.after, bound: bound ?? .max) { (record) throws(MemexError) in
            if bound == nil {
                // The latest comes first. It may be ahead of our clock, when it was stored by another's.
                bound = max(query.begun, record.activity)
            }
            try record.confirmFloor()
            if seen.contains(record.key) { return true }
            guard try query.filter?.matches(record) ?? true else { return true }
            if Int64(records.count) == wanted {
                hasMore = true
                return false
            }
            records.append(record)
            return Int64(records.count) < wanted || wanted < position.left
        }
        position.bound = bound
        if let last = records.last {
            position.after = (query.order == .activity ? last.activity : 0, last.key)
        }
        position.left = hasMore ? position.left - Int64(records.count) : 0
        return records
    }

    private func write(_ records: [ThreadRecord], _ out: inout ByteBuffer) throws(MemexError) {
        out.append("{\"threads\":[")
        for (index, record) in records.enumerated() {
            if index > 0 { out.append(byte: 0x2C) }
            try ThreadDocument.append(record, session.store.engine, to: &out)
        }
        out.append("]}")
    }

    /// Only a bound in the future lets threads through that were moved after the listing began.
    private func note(_ records: [ThreadRecord]) {
        guard query.order == .activity, let bound = position.bound, bound > query.begun else { return }
        for record in records where !query.descending || record.activity > query.begun {
            seen.insert(record.key)
        }
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
        // No thread has the number 0: the beginning.
        let (time, key) = position.after ?? (0, 0)
        return "t2.\(query.digest(session)).\(time).\(key).\(position.bound ?? .max).\(position.left)"
    }
}
