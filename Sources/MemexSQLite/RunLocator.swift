internal import CMemexShim
internal import MemexModel
internal import MemexStorage

/// Finds the rows of messages.
///
/// Rows lie in the order of their insertion. A run is a stretch of rows that hold consecutive seqs of one
/// thread; `runs` has the first key and row of each. So the row of a key is an offset from the run that
/// begins at or before it, if the row found there says so: a run's end is written nowhere, it is where
/// another run of the thread begins or where the rows are somebody else's.
final class RunLocator {
    struct Run {
        /// Key of the first message.
        let key: Int64
        let row: Int64

        @inline(__always)
        func row(of key: Int64) -> Int64 { row &+ (key &- self.key) }

        /// From the columns key and row, of which the key lies within those of a thread.
        init(_ statement: SQLiteStatement) throws(MemexError) {
            key = statement.int(0)
            row = statement.stored(1)
            guard StoredNumber.isCount(row), row > 0, RowKey.isPossible(key) else {
                throw StoredNumber.impossible("row", row, of: "the run of message \(RowKey.seq(key))")
            }
        }
    }

    let connection: SQLiteConnection
    private let floor: SQLiteStatement
    private let keyOfRow: SQLiteStatement
    private let maximum: SQLiteStatement
    let rowFrom: SQLiteStatement
    let runAbove: SQLiteStatement
    let head: SQLiteStatement

    init(_ connection: SQLiteConnection, _ prepare: (String) throws(MemexError) -> SQLiteStatement)
        throws(MemexError)
    {
        self.connection = connection
        floor = try prepare("SELECT key, row FROM runs WHERE key BETWEEN ? AND ? ORDER BY key DESC LIMIT 1")
        keyOfRow = try prepare("SELECT key, created_at_us FROM messages WHERE row = ?")
        maximum = try prepare("SELECT row, key, created_at_us FROM messages ORDER BY row DESC LIMIT 1")
        rowFrom = try prepare("SELECT row, key FROM messages WHERE row >= ? ORDER BY row LIMIT 1")
        runAbove = try prepare("SELECT key FROM runs WHERE key > ? AND key <= ? LIMIT 1")
        head = try prepare("SELECT floor, base_seq, hidden FROM threads WHERE key = ?")
    }

    /// The thread's run that begins at or before a key.
    func run(_ thread: Int64, upTo key: Int64) throws(MemexError) -> Run? {
        floor.bind(1, RowKey.bounds(thread).0)
        floor.bind(2, key)
        defer { floor.reset() }
        let code = floor.step()
        if code == SQLITE_DONE { return nil }
        guard code == SQLITE_ROW else { throw connection.error(code, "finding a message") }
        return try Run(floor)
    }

    /// The row of a message; nil when there is none.
    func row(_ thread: Int64, _ seq: Int64) throws(MemexError) -> Int64? {
        let key = RowKey.make(thread, seq)
        guard let run = try run(thread, upTo: key) else { return nil }
        let row = run.row(of: key)
        return try time(of: key, at: row) == nil ? nil : row
    }

    /// When the message of a key was stored, if that row holds it.
    private func time(of key: Int64, at row: Int64) throws(MemexError) -> Int64? {
        keyOfRow.bind(1, row)
        defer { keyOfRow.reset() }
        let code = keyOfRow.step()
        if code == SQLITE_DONE { return nil }
        guard code == SQLITE_ROW else { throw connection.error(code, "finding a message") }
        return keyOfRow.int(0) == key ? keyOfRow.int(1) : nil
    }

    /// The last row of the table, its key and time, as they are found there; (0, 0, 0) when it is empty.
    func lastRow() throws(MemexError) -> (row: Int64, key: Int64, createdAt: Int64) {
        defer { maximum.reset() }
        let code = maximum.step()
        if code == SQLITE_DONE { return (0, 0, 0) }
        guard code == SQLITE_ROW else { throw connection.error(code, "finding the last message") }
        return (maximum.int(0), maximum.int(1), maximum.int(2))
    }

    /// The thread's last own message: seq and time; (0, 0) when there is none.
    func last(_ thread: Int64) throws(MemexError) -> (seq: Int64, createdAt: Int64) {
        let last = try lastFound(thread)
        guard StoredNumber.isTime(last.createdAt) else {
            throw StoredNumber.impossible("created_at_us", last.createdAt, of: "message \(last.seq)")
        }
        return last
    }

    private func lastFound(_ thread: Int64) throws(MemexError) -> (seq: Int64, createdAt: Int64) {
        guard let run = try run(thread, upTo: RowKey.bounds(thread).1) else {
            try confirmNewest()
            return (0, 0)
        }
        // The thread that was written last has the last row.
        let newest = try lastRow()
        if newest.key >= run.key, newest.key <= RowKey.bounds(thread).1, RowKey.isPossible(newest.key),
            run.row(of: newest.key) == newest.row
        {
            return (RowKey.seq(newest.key), newest.createdAt)
        }
        let end = try self.end(run)
        return (RowKey.seq(end.key), end.createdAt)
    }

    /// The last key of a run that is at most `top`: `top` itself, as a rule.
    func end(_ run: Run, atMost top: Int64) throws(MemexError) -> Int64 {
        try time(of: top, at: run.row(of: top)) != nil ? top : try end(run).key
    }

    /// Key and time of a run's last message, by galloping: steps that double, then halve.
    func end(_ run: Run) throws(MemexError) -> (key: Int64, createdAt: Int64) {
        guard var createdAt = try time(of: run.key, at: run.row) else {
            throw Self.lost(run.key)
        }
        let limit = RowKey.make(run.key >> 32, Limits.seq) &- run.key
        var known: Int64 = 0
        var step: Int64 = 1
        while known &+ step <= limit,
            let time = try time(of: run.key &+ known &+ step, at: run.row &+ known &+ step)
        {
            known &+= step
            createdAt = time
            step &*= 2
        }
        while step > 1 {
            step /= 2
            if known &+ step <= limit,
                let time = try time(of: run.key &+ known &+ step, at: run.row &+ known &+ step)
            {
                known &+= step
                createdAt = time
            }
        }
        try confirmGap(
            run.key >> 32, after: run, from: run.key &+ known &+ 1, to: RowKey.bounds(run.key >> 32).1)
        return (run.key &+ known, createdAt)
    }
}
