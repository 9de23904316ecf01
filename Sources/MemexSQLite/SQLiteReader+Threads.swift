internal import CMemexShim
internal import MemexModel
internal import MemexStorage

/// Threads.
extension SQLiteReader {
    static let threadColumns =
        "key, tenant, id, title, metadata, version, created_at_us, updated_at_us, activity_at_us, changes, "
        + "deleted, floor, base_key, base_seq, base_rev, root_key, forks, hidden"

    func thread(tenant: String, id: String) throws(MemexError) -> ThreadRecord? {
        var (tenant, id) = (tenant, id)
        var found: ThreadRecord?
        let failure: MemexError? = tenant.withUTF8 { tenant in
            id.withUTF8 { id in
                threadByID.bind(1, text: tenant)
                threadByID.bind(2, text: id)
                do throws(MemexError) {
                    try rows(threadByID, "reading a thread") { () throws(MemexError) -> Bool in
                        found = try record(threadByID)
                        return false
                    }
                    return nil
                } catch { return error }
            }
        }
        if let failure { throw failure }
        return found
    }

    func thread(key: Int64) throws(MemexError) -> ThreadRecord? {
        threadByKey.bind(1, key)
        var found: ThreadRecord?
        try rows(threadByKey, "reading a thread") { () throws(MemexError) -> Bool in
            found = try record(threadByKey)
            return false
        }
        return found
    }

    func forks(of key: Int64) throws(MemexError) -> [ThreadRecord] {
        forks.bind(1, key)
        var found: [ThreadRecord] = []
        try rows(forks, "reading forks") { () throws(MemexError) -> Bool in
            found.append(try record(forks))
            return true
        }
        return found
    }

    func threads(_ scan: ThreadScan, _ visit: (ThreadRecord) throws(MemexError) -> Bool) throws(MemexError) {
        let statement = try scanStatement(scan)
        var tenant = scan.tenant
        let from = scan.from ?? (scan.descending ? (Int64.max, Int64.max) : (0, 0))
        let failure: MemexError? = tenant.withUTF8 { tenant in
            statement.bind(1, text: tenant)
            statement.bind(2, from.1)
            if scan.order == .coarseActivity { statement.bind(3, from.0) }
            if scan.rootKey != 0 { statement.bind(4, scan.rootKey) }
            do throws(MemexError) {
                try rows(statement, "listing threads") { () throws(MemexError) -> Bool in
                    try visit(try record(statement))
                }
                return nil
            } catch { return error }
        }
        if let failure { throw failure }
    }

    private func scanStatement(_ scan: ThreadScan) throws(MemexError) -> SQLiteStatement {
        let (order, compare) = scan.descending ? ("DESC", "<=") : ("ASC", ">=")
        let family = scan.rootKey != 0 ? " AND (root_key = ?4 OR key = ?4)" : ""
        let place =
            scan.order == .creation
            ? "key \(compare) ?2\(family) ORDER BY key \(order)"
            : "(activity_at_us, key) \(compare) (?3, ?2)\(family) "
                + "ORDER BY activity_at_us \(order), key \(order)"
        let sql = "SELECT \(Self.threadColumns) FROM threads WHERE tenant = ?1 AND hidden = 0 AND \(place)"
        if let known = scans[sql] { return known }
        let statement = try connection.prepare(sql)
        scans[sql] = statement
        return statement
    }

    /// The thread of a row; throws CORRUPT for values that the library has not written. What it looks up beside
    /// the row is of the same state, because the row's statement is not done.
    private func record(_ row: SQLiteStatement) throws(MemexError) -> ThreadRecord {
        var record = ThreadRecord()
        record.key = row.stored(0)
        record.version = row.stored(5)
        record.createdAt = row.stored(6)
        record.updatedAt = row.stored(7)
        record.activityAt = row.stored(8)
        record.changes = row.stored(9)
        record.deletedCount = row.stored(10)
        record.floor = row.stored(11)
        record.baseKey = row.stored(12)
        record.baseSeq = row.stored(13)
        record.baseRev = row.stored(14)
        record.rootKey = row.stored(15)
        record.forkCount = row.stored(16)
        try record.confirm()
        guard record.key <= RowKey.threadMaximum else {
            throw StoredNumber.impossible("key", record.key, of: "a thread")
        }
        record.isHidden = row.stored(17) != 0
        record.tenant = try text(row, 1, "tenant", record.key)
        record.id = try text(row, 2, "id", record.key)
        if !row.isNull(3) { record.title = try text(row, 3, "title", record.key) }
        record.metadata = row.arrayOrNil(4)
        try addLastRow(&record)
        return record
    }

    private func text(
        _ row: SQLiteStatement, _ column: Int32, _ name: StaticString, _ key: Int64
    ) throws(MemexError) -> String {
        let bytes = row.bytes(column)
        guard Unicode.UTF8.firstInvalid(bytes) == nil else {
            throw ThreadRecord.impossibleText(name, of: key)
        }
        return bytes.text
    }

    private func addLastRow(_ record: inout ThreadRecord) throws(MemexError) {
        let last = try locator.last(record.key)
        record.lastSeq = max(record.floor, last.seq)
        record.lastMessageAt = last.seq > record.baseSeq ? last.createdAt : 0
        guard record.isHidden || record.deletedCount <= record.lastSeq else {
            throw MemexError(
                .corrupt,
                "the head of a thread says that it has \(record.deletedCount) deleted messages of "
                    + "\(record.lastSeq); run the check command and restore from a backup")
        }
    }
}
