internal import CMemexShim
internal import MemexModel
internal import MemexStorage

/// Looks for damage: SQLite's own structures, every record's checksum, every run, every seq, every count.
struct SQLiteChecker {
    private let connection: SQLiteConnection
    private static let problemsMaximum = 100

    init(_ connection: SQLiteConnection) { self.connection = connection }

    /// One sentence a problem, at most a hundred.
    func problems(until deadline: Deadline) throws(MemexError) -> [String] {
        var problems: [String] = []
        if try connection.text("PRAGMA quick_check(1)") != "ok" {
            problems.append("SQLite reports a damaged structure; restore the file from a backup")
        }
        var threads = try CheckedThreads(connection, self)
        try checkRows(&threads, &problems, deadline)
        try checkRuns(&problems)
        try checkNumbers(&problems)
        threads.check { problem in
            problems.append(problem)
            return problems.count < Self.problemsMaximum
        }
        return Array(problems.prefix(Self.problemsMaximum))
    }

    func forEach(
        _ sql: String, _ visit: (SQLiteStatement) throws(MemexError) -> Bool
    ) throws(MemexError) {
        let statement = try connection.prepare(sql)
        defer { _ = memex_sqlite_finalize(statement.handle) }
        while true {
            let code = statement.step()
            if code == SQLITE_DONE { return }
            guard code == SQLITE_ROW else { throw connection.error(code, "checking the database") }
            if try !visit(statement) { return }
        }
    }

    /// Every row's checksum, and that `runs` leads to it.
    private func checkRows(
        _ threads: inout CheckedThreads, _ problems: inout [String], _ deadline: Deadline
    ) throws(MemexError) {
        var previous: (row: Int64, key: Int64) = (0, 0)
        var count = 0
        var found: [String] = []
        try forEach(
            "SELECT m.row, m.key, m.created_at_us, m.role, m.head, m.body, m.extra, m.id, r.row, m.receipt "
                + "FROM messages m LEFT JOIN runs r ON r.key = m.key ORDER BY m.row"
        ) { (row) throws(MemexError) -> Bool in
            let here = (row: row.int(0), key: row.int(1))
            let name = "message \(RowKey.seq(here.key)) of thread number \(here.key >> 32)"
            var view = MessageView()
            view.seq = RowKey.seq(here.key)
            view.createdAt = row.int(2)
            view.role = row.bytes(3)
            view.body = row.bytes(5)
            view.extra = row.bytes(6)
            view.id = row.bytes(7)
            do throws(MemexError) {
                view.head = try RecordHead(row.bytes(4))
                try view.verify()
            } catch { found.append("\(name) is damaged") }
            if !RowKey.isPossible(here.key) || here.row < 1 || !StoredNumber.isCount(here.row) {
                found.append("\(name) has an impossible key or row")
            }
            if !StoredNumber.isTime(view.createdAt) { found.append("\(name) has an impossible time") }
            if !row.isNull(9), (try? SQLiteReceipt(row.bytes(9))) == nil {
                found.append("\(name) has a damaged receipt")
            }
            let continues = here.row == previous.row &+ 1 && here.key == previous.key &+ 1
            if row.isNull(8) ? !continues : row.int(8) != here.row {
                found.append("\(name) cannot be found through its run")
            }
            threads.note(here.key >> 32, view)
            previous = here
            count += 1
            if count % 4096 == 0, deadline.isPast {
                throw MemexError(.timeout, "the check was not finished within timeout_us")
            }
            return found.count < Self.problemsMaximum
        }
        // What was not read would look as if it were missing.
        if found.count >= Self.problemsMaximum { threads.isIncomplete = true }
        problems += found
    }

    /// Every run begins with a message.
    private func checkRuns(_ problems: inout [String]) throws(MemexError) {
        var found: [String] = []
        try forEach(
            "SELECT r.key FROM runs r LEFT JOIN messages m ON m.row = r.row WHERE m.key IS NOT r.key"
        ) { (row) throws(MemexError) -> Bool in
            found.append("message \(RowKey.seq(row.int(0))) of thread number \(row.int(0) >> 32) is missing")
            return found.count < Self.problemsMaximum
        }
        problems += found
    }

    /// Columns of integers that hold something else, or what no run can have.
    private func checkNumbers(_ problems: inout [String]) throws(MemexError) {
        var found: [String] = []
        let columns = [
            ("messages", "row", ["key", "created_at_us"]), ("runs", "key", ["row"]),
            (
                "threads", "key",
                [
                    "version", "created_at_us", "updated_at_us", "activity_at_us", "changes", "deleted",
                    "floor",
                    "base_key", "base_seq", "base_rev", "root_key", "forks", "hidden",
                ]
            ),
            ("derived", "thread", ["thread", "from_seq", "to_seq", "rev", "created_at_us"]),
            ("pieces", "key", ["key", "piece"]),
        ]
        for (table, key, names) in columns {
            let condition = names.map { "typeof(\($0)) <> 'integer'" }.joined(separator: " OR ")
            try forEach("SELECT \(key) FROM \(table) WHERE \(condition)") {
                (row) throws(MemexError) -> Bool in
                found.append("row \(row.int(0)) of the table \(table) holds something else than a number")
                return found.count < Self.problemsMaximum
            }
        }
        problems += found
    }
}
