internal import CMemexShim
internal import MemexModel
internal import MemexStorage

/// The reading statements of one connection. Used by one thread at a time.
final class SQLiteReader {
    let connection: SQLiteConnection
    private let beginRead: SQLiteStatement
    private let endRead: SQLiteStatement
    private let ascending: SQLiteStatement
    private let descending: SQLiteStatement
    private let runsAscending: SQLiteStatement
    private let runsDescending: SQLiteStatement
    private let locator: RunLocator
    private let marked: SQLiteStatement
    private let byID: SQLiteStatement
    private let threadByID: SQLiteStatement
    private let threadByKey: SQLiteStatement
    private let forks: SQLiteStatement
    private let derivedOne: SQLiteStatement
    private let derivedAll: SQLiteStatement
    private let blob: SQLiteStatement
    private let pieces: SQLiteStatement
    private var scans: [String: SQLiteStatement] = [:]
    private var all: [SQLiteStatement] = []

    private static let threadColumns =
        "key, tenant, id, title, metadata, version, created_at_us, updated_at_us, activity_at_us, changes, "
        + "deleted, floor, base_key, base_seq, base_rev, root_key, forks, hidden"

    init(_ connection: SQLiteConnection) throws(MemexError) {
        self.connection = connection
        var prepared: [SQLiteStatement] = []
        func prepare(_ sql: String) throws(MemexError) -> SQLiteStatement {
            let statement = try connection.prepare(sql)
            prepared.append(statement)
            return statement
        }
        beginRead = try prepare("BEGIN")
        endRead = try prepare("COMMIT")
        let messages =
            "SELECT key, created_at_us, role, head, body, extra, id, idempotency_key FROM messages "
            + "WHERE row BETWEEN ? AND ? ORDER BY row"
        ascending = try prepare(messages + " LIMIT ?")
        descending = try prepare(messages + " DESC LIMIT ?")
        runsAscending = try prepare("SELECT key, row FROM runs WHERE key BETWEEN ? AND ? ORDER BY key")
        runsDescending = try prepare("SELECT key, row FROM runs WHERE key BETWEEN ? AND ? ORDER BY key DESC")
        locator = try RunLocator(connection, prepare)
        marked = try prepare(
            "SELECT key FROM messages WHERE marked IS NOT NULL AND key BETWEEN ? AND ? ORDER BY key")
        byID = try prepare("SELECT key FROM messages WHERE key >> 32 = ? AND id = ?")
        threadByID = try prepare(
            "SELECT \(Self.threadColumns) FROM threads WHERE tenant = ? AND id = ? AND hidden = 0")
        threadByKey = try prepare("SELECT \(Self.threadColumns) FROM threads WHERE key = ?")
        forks = try prepare("SELECT \(Self.threadColumns) FROM threads WHERE base_key = ? AND base_key <> 0")
        derivedOne = try prepare(
            "SELECT name, from_seq, to_seq, rev, created_at_us, body FROM derived "
                + "WHERE thread = ? AND kind = ? AND name = ?")
        derivedAll = try prepare(
            "SELECT name, from_seq, to_seq, rev, created_at_us, body FROM derived "
                + "WHERE thread = ? AND kind = ? ORDER BY name")
        blob = try prepare("SELECT bytes FROM blobs WHERE hash = ?")
        pieces = try prepare("SELECT bytes FROM pieces WHERE key = ? ORDER BY piece")
        all = prepared
    }

    func begin() throws(MemexError) {
        let code = beginRead.step()
        beginRead.reset()
        guard code == SQLITE_DONE else { throw connection.error(code, "beginning to read") }
    }

    func end() {
        _ = endRead.step()
        endRead.reset()
    }

    func finalize() {
        for statement in all { _ = memex_sqlite_finalize(statement.handle) }
        for statement in scans.values { _ = memex_sqlite_finalize(statement.handle) }
    }

    func close() {
        finalize()
        connection.close()
    }

    /// Runs the statement, a visit a row, until the visit says false.
    private func rows(
        _ statement: SQLiteStatement, _ doing: StaticString, _ visit: () throws(MemexError) -> Bool
    ) throws(MemexError) {
        defer { statement.reset() }
        while true {
            let code = statement.step()
            if code == SQLITE_DONE { return }
            guard code == SQLITE_ROW else { throw connection.error(code, doing) }
            if try !visit() { return }
        }
    }

    // MARK: Messages

    func messages(
        _ key: Int64, _ range: MessageRange, _ visit: (borrowing MessageView) throws(MemexError) -> Bool
    ) throws(MemexError) {
        guard range.from <= range.to, range.to >= 1, range.from <= Limits.seq, range.limit > 0 else { return }
        let first = RowKey.make(key, max(range.from, 1))
        let last = RowKey.make(key, min(range.to, Limits.seq))
        var left = range.limit
        if range.descending {
            try readDescending(key, first, last, &left, visit)
        } else {
            try readAscending(key, first, last, &left, visit)
        }
    }

    private typealias Visit = (borrowing MessageView) throws(MemexError) -> Bool

    private func readAscending(
        _ thread: Int64, _ first: Int64, _ last: Int64, _ left: inout Int64, _ visit: Visit
    ) throws(MemexError) {
        let begin = try locator.run(thread, upTo: first)
        runsAscending.bind(1, begin?.key ?? first)
        runsAscending.bind(2, last)
        defer { runsAscending.reset() }
        var current: RunLocator.Run?
        var expected = first
        while true {
            let code = runsAscending.step()
            guard code == SQLITE_ROW || code == SQLITE_DONE else {
                throw connection.error(code, "reading messages")
            }
            var next: RunLocator.Run?
            if code == SQLITE_ROW {
                next = RunLocator.Run(key: runsAscending.int(0), row: runsAscending.int(1))
            }
            if let run = current {
                let start = max(run.key, first)
                let end = next.map { $0.key - 1 } ?? last
                try locator.confirmGap(thread, after: nil, from: expected, to: start - 1, hasLater: true)
                expected = start
                if start <= end,
                    try !readRows(
                        ascending, run.row(of: start), run.row(of: end), &expected, 1, &left, visit)
                {
                    return
                }
                if left == 0 { return }
                if expected == run.key { throw RunLocator.lost(expected) }
            }
            if next == nil { break }
            current = next
        }
        try locator.confirmGap(thread, after: current, from: expected, to: last)
    }

    private func readDescending(
        _ thread: Int64, _ first: Int64, _ last: Int64, _ left: inout Int64, _ visit: Visit
    ) throws(MemexError) {
        runsDescending.bind(1, RowKey.bounds(thread).0)
        runsDescending.bind(2, last)
        defer { runsDescending.reset() }
        var top = last
        var hasLater = false
        while top >= first {
            let code = runsDescending.step()
            if code == SQLITE_DONE { break }
            guard code == SQLITE_ROW else { throw connection.error(code, "reading messages") }
            let run = RunLocator.Run(key: runsDescending.int(0), row: runsDescending.int(1))
            let end = try locator.end(run, atMost: top)
            let start = max(run.key, first)
            if end > top { throw RunLocator.lost(top) }
            try locator.confirmGap(
                thread, after: run, from: max(end + 1, first), to: top, hasLater: hasLater)
            top = run.key - 1
            hasLater = true
            if start > end { continue }
            var expected = end
            if try !readRows(
                descending, run.row(of: start), run.row(of: end), &expected, -1, &left, visit)
            {
                return
            }
            if left == 0 { return }
            if expected >= start { throw RunLocator.lost(expected) }
        }
        try locator.confirmGap(thread, after: nil, from: first, to: top, hasLater: hasLater)
    }

    /// Rows of one run, until one is not that of the expected key. False when the visit had enough.
    private func readRows(
        _ statement: SQLiteStatement, _ from: Int64, _ to: Int64, _ expected: inout Int64, _ step: Int64,
        _ left: inout Int64, _ visit: Visit
    ) throws(MemexError) -> Bool {
        statement.bind(1, from)
        statement.bind(2, to)
        statement.bind(3, left)
        defer { statement.reset() }
        var view = MessageView()
        while true {
            let code = statement.step()
            if code == SQLITE_DONE { return true }
            guard code == SQLITE_ROW else { throw connection.error(code, "reading messages") }
            let key = statement.int(0)
            guard key == expected else { return true }
            expected &+= step
            left &-= 1
            view.seq = RowKey.seq(key)
            view.createdAt = statement.int(1)
            view.role = statement.bytes(2)
            view.head = try RecordHead(statement.bytes(3))
            view.body = statement.bytes(4)
            view.extra = statement.bytes(5)
            view.id = statement.bytes(6)
            view.idempotencyKey = statement.bytes(7)
            if try !visit(view) { return false }
        }
    }

    func markedSeqs(_ key: Int64, from: Int64, to: Int64, _ visit: (Int64) -> Bool) throws(MemexError) {
        guard from <= to, to >= 1, from <= Limits.seq else { return }
        marked.bind(1, RowKey.make(key, max(from, 1)))
        marked.bind(2, RowKey.make(key, min(to, Limits.seq)))
        try rows(marked, "reading marked messages") { () throws(MemexError) -> Bool in
            visit(RowKey.seq(marked.int(0)))
        }
    }

    func seq(_ key: Int64, id: ByteView) throws(MemexError) -> Int64? {
        byID.bind(1, key)
        byID.bind(2, text: id)
        var found: Int64?
        try rows(byID, "looking up a message") { () throws(MemexError) -> Bool in
            found = RowKey.seq(byID.int(0))
            return false
        }
        return found
    }

    func pieces(_ key: Int64, seq: Int64, _ visit: (ByteView) throws(MemexError) -> Bool) throws(MemexError) {
        pieces.bind(1, RowKey.make(key, seq))
        try rows(pieces, "reading stream pieces") { () throws(MemexError) -> Bool in
            try visit(pieces.bytes(0))
        }
    }

    // MARK: Threads

    func thread(tenant: String, id: String) throws(MemexError) -> ThreadRecord? {
        var (tenant, id) = (tenant, id)
        var found: ThreadRecord?
        let failure: MemexError? = tenant.withUTF8 { tenant in
            id.withUTF8 { id in
                threadByID.bind(1, text: tenant)
                threadByID.bind(2, text: id)
                do throws(MemexError) {
                    try rows(threadByID, "reading a thread") { () throws(MemexError) -> Bool in
                        found = record(threadByID)
                        return false
                    }
                    return nil
                } catch { return error }
            }
        }
        if let failure { throw failure }
        if var record = found {
            try addLastRow(&record)
            return record
        }
        return nil
    }

    func thread(key: Int64) throws(MemexError) -> ThreadRecord? {
        threadByKey.bind(1, key)
        var found: ThreadRecord?
        try rows(threadByKey, "reading a thread") { () throws(MemexError) -> Bool in
            found = record(threadByKey)
            return false
        }
        if var record = found {
            try addLastRow(&record)
            return record
        }
        return nil
    }

    func forks(of key: Int64) throws(MemexError) -> [ThreadRecord] {
        forks.bind(1, key)
        var found: [ThreadRecord] = []
        try rows(forks, "reading forks") { () throws(MemexError) -> Bool in
            var next = record(forks)
            try addLastRow(&next)
            found.append(next)
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
                    var next = record(statement)
                    try addLastRow(&next)
                    return try visit(next)
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

    private func record(_ row: SQLiteStatement) -> ThreadRecord {
        var record = ThreadRecord()
        record.key = row.int(0)
        record.tenant = row.text(1)
        record.id = row.text(2)
        record.title = row.textOrNil(3)
        record.metadata = row.arrayOrNil(4)
        record.version = row.int(5)
        record.createdAt = row.int(6)
        record.updatedAt = row.int(7)
        record.activityAt = row.int(8)
        record.changes = row.int(9)
        record.deletedCount = row.int(10)
        record.floor = row.int(11)
        record.baseKey = row.int(12)
        record.baseSeq = row.int(13)
        record.baseRev = row.int(14)
        record.rootKey = row.int(15)
        record.forkCount = row.int(16)
        record.isHidden = row.int(17) != 0
        return record
    }

    private func addLastRow(_ record: inout ThreadRecord) throws(MemexError) {
        let last = try locator.last(record.key)
        record.lastSeq = max(record.floor, last.seq)
        record.lastMessageAt = last.seq > record.baseSeq ? last.createdAt : 0
        guard record.isHidden || (record.deletedCount >= 0 && record.deletedCount <= record.lastSeq) else {
            throw MemexError(
                .corrupt,
                "the head of a thread says that it has \(record.deletedCount) deleted messages of "
                    + "\(record.lastSeq); run the check command and restore from a backup")
        }
    }

    // MARK: Derived records and blobs

    func derived(
        _ key: Int64, kind: String, name: String?, _ visit: (DerivedRecord) throws(MemexError) -> Bool
    ) throws(MemexError) {
        let statement = name == nil ? derivedAll : derivedOne
        var (kindText, nameText) = (kind, name ?? "")
        let failure: MemexError? = kindText.withUTF8 { kindBytes in
            nameText.withUTF8 { nameBytes in
                statement.bind(1, key)
                statement.bind(2, text: kindBytes)
                if name != nil { statement.bind(3, text: nameBytes) }
                do throws(MemexError) {
                    try rows(statement, "reading derived records") { () throws(MemexError) -> Bool in
                        var record = DerivedRecord(
                            kind: kind, name: statement.text(0), body: Array(statement.bytes(5)))
                        record.fromSeq = statement.int(1)
                        record.toSeq = statement.int(2)
                        record.rev = statement.int(3)
                        record.createdAt = statement.int(4)
                        return try visit(record)
                    }
                    return nil
                } catch { return error }
            }
        }
        if let failure { throw failure }
    }

    func blob(_ hash: BlobHash) throws(MemexError) -> [UInt8]? {
        let address = hash.bytes
        var found: [UInt8]?
        let failure: MemexError? = address.withUnsafeBufferPointer { address in
            blob.bind(1, blob: address)
            do throws(MemexError) {
                try rows(blob, "reading a blob") { () throws(MemexError) -> Bool in
                    found = Array(blob.bytes(0))
                    return false
                }
                return nil
            } catch { return error }
        }
        if let failure { throw failure }
        return found
    }
}
