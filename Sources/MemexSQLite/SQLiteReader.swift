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
    let locator: RunLocator
    private let marked: SQLiteStatement
    private let byID: SQLiteStatement
    let threadByID: SQLiteStatement
    let threadByKey: SQLiteStatement
    let forks: SQLiteStatement
    let derivedOne: SQLiteStatement
    let derivedAll: SQLiteStatement
    let blob: SQLiteStatement
    private let pieces: SQLiteStatement
    var scans: [String: SQLiteStatement] = [:]
    private var all: [SQLiteStatement] = []

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
        // From the run that holds the first key on: the one that begins at or before it.
        runsAscending = try prepare(
            "SELECT key, row FROM runs WHERE key BETWEEN "
                + "ifnull((SELECT max(key) FROM runs WHERE key BETWEEN ?1 AND ?2), ?2) AND ?3 ORDER BY key")
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
    func rows(
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
            try readDescending(key, first, last, &left, range.wantsKeys, visit)
        } else {
            try readAscending(key, first, last, &left, range.wantsKeys, visit)
        }
    }

    private typealias Visit = (borrowing MessageView) throws(MemexError) -> Bool

    private func readAscending(
        _ thread: Int64, _ first: Int64, _ last: Int64, _ left: inout Int64, _ wantsKeys: Bool, _ visit: Visit
    ) throws(MemexError) {
        runsAscending.bind(1, RowKey.bounds(thread).0)
        runsAscending.bind(2, first)
        runsAscending.bind(3, last)
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
                next = try RunLocator.Run(runsAscending)
            }
            if let run = current {
                let start = max(run.key, first)
                let end = next.map { $0.key &- 1 } ?? last
                try locator.confirmGap(thread, after: nil, from: expected, to: start &- 1, hasLater: true)
                expected = start
                if start <= end,
                    try !readRows(
                        ascending, run.row(of: start), run.row(of: end), &expected, 1, &left, wantsKeys, visit
                    )
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
        _ thread: Int64, _ first: Int64, _ last: Int64, _ left: inout Int64, _ wantsKeys: Bool, _ visit: Visit
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
            let run = try RunLocator.Run(runsDescending)
            let end = try locator.end(run, atMost: top)
            let start = max(run.key, first)
            if end > top { throw RunLocator.lost(top) }
            try locator.confirmGap(
                thread, after: run, from: max(end &+ 1, first), to: top, hasLater: hasLater)
            top = run.key &- 1
            hasLater = true
            if start > end { continue }
            var expected = end
            if try !readRows(
                descending, run.row(of: start), run.row(of: end), &expected, -1, &left, wantsKeys, visit)
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
        _ left: inout Int64, _ wantsKeys: Bool, _ visit: Visit
    ) throws(MemexError) -> Bool {
        statement.bind(1, from)
        statement.bind(2, to)
        statement.bind(3, left)
        defer { statement.reset() }
        let none = ByteView(start: nil, count: 0)
        var view = MessageView()
        while true {
            let code = statement.step()
            if code == SQLITE_DONE { return true }
            guard code == SQLITE_ROW else { throw connection.error(code, "reading messages") }
            let key = statement.int(0)
            guard key == expected else { return true }
            let createdAt = statement.int(1)
            guard StoredNumber.isTime(createdAt) else {
                throw StoredNumber.impossible("created_at_us", createdAt, of: "message \(RowKey.seq(key))")
            }
            expected &+= step
            left &-= 1
            view.seq = RowKey.seq(key)
            view.createdAt = createdAt
            view.role = statement.bytes(2)
            view.head = try RecordHead(statement.bytes(3))
            view.body = statement.bytes(4)
            let isPlain = view.head.has(RecordHead.Flag.plain)
            view.extra = isPlain ? none : statement.bytes(5)
            view.id = isPlain ? none : statement.bytes(6)
            if wantsKeys { view.idempotencyKey = statement.bytes(7) }
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
}
