internal import CMemexShim
internal import MemexModel

/// One connection. Used by one thread at a time: whoever holds it sees to that.
final class SQLiteConnection {
    let database: OpaquePointer?

    init(path: String, readOnly: Bool, create: Bool, busyTimeout: Int64) throws(MemexError) {
        var opened: OpaquePointer?
        var flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        flags |= readOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE
        if create, !readOnly { flags |= SQLITE_OPEN_CREATE }
        let code = memex_sqlite_open(path, &opened, flags)
        guard code == SQLITE_OK else {
            // Why the system refused, where that is known.
            let reason = code & 0xFF == SQLITE_CANTOPEN ? memex_sqlite_errno(opened) : 0
            let failure =
                reason != 0
                ? SystemFailure.error(reason, path, "the database")
                : SQLiteFailure.error(code, opened, "opening the database")
            _ = memex_sqlite_close(opened)
            throw failure
        }
        database = opened
        let milliseconds = Int32(clamping: busyTimeout / 1000)
        _ = memex_sqlite_busy_timeout(database, milliseconds)
        _ = memex_sqlite_no_checkpoint_on_close(database)
    }

    func execute(_ sql: String, _ doing: StaticString) throws(MemexError) {
        let code = memex_sqlite_exec(database, sql)
        guard code == SQLITE_OK else { throw error(code, doing) }
    }

    func prepare(_ sql: String) throws(MemexError) -> SQLiteStatement {
        var handle: OpaquePointer?
        let code = memex_sqlite_prepare(database, sql, -1, &handle)
        guard code == SQLITE_OK else { throw error(code, "preparing a statement") }
        return SQLiteStatement(handle: handle)
    }

    /// First column of the first row of a statement that is run once.
    func value(_ sql: String) throws(MemexError) -> Int64? {
        let statement = try prepare(sql)
        defer { _ = memex_sqlite_finalize(statement.handle) }
        let code = statement.step()
        if code == SQLITE_ROW { return statement.int(0) }
        guard code == SQLITE_DONE else { throw error(code, "reading a setting") }
        return nil
    }

    func text(_ sql: String) throws(MemexError) -> String? {
        let statement = try prepare(sql)
        defer { _ = memex_sqlite_finalize(statement.handle) }
        let code = statement.step()
        if code == SQLITE_ROW { return statement.text(0) }
        guard code == SQLITE_DONE else { throw error(code, "reading a setting") }
        return nil
    }

    /// Whether the path leads to another file than the open one.
    var hasMoved: Bool {
        var moved: Int32 = 0
        return memex_sqlite_has_moved(database, &moved) == SQLITE_OK && moved != 0
    }

    func error(_ code: Int32, _ doing: StaticString) -> MemexError {
        SQLiteFailure.error(code, database, doing)
    }

    /// Closes; statements must be finalized before.
    func close() { _ = memex_sqlite_close(database) }
}
