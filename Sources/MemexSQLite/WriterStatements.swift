internal import CMemexShim
internal import MemexModel

/// The writer's statements, prepared once.
struct WriterStatements {
    let begin: SQLiteStatement
    let commit: SQLiteStatement
    let rollback: SQLiteStatement
    let savepoint: SQLiteStatement
    let release: SQLiteStatement
    let rollbackTo: SQLiteStatement
    /// An ordinary message: five values.
    let insert: SQLiteStatement
    let insertFull: SQLiteStatement
    let updateMessage: SQLiteStatement
    let insertRun: SQLiteStatement
    let runs: SQLiteStatement
    let deleteRuns: SQLiteStatement
    let locator: RunLocator
    let receipt: SQLiteStatement
    let threadState: SQLiteStatement
    let moveActivity: SQLiteStatement
    let insertThread: SQLiteStatement
    let threadForUpdate: SQLiteStatement
    let updateThread: SQLiteStatement
    let deleteThread: SQLiteStatement
    let deleteMessages: SQLiteStatement
    let deleteThreadDerived: SQLiteStatement
    let deleteThreadPieces: SQLiteStatement
    let raiseFloor: SQLiteStatement
    let putDerived: SQLiteStatement
    let deleteDerived: SQLiteStatement
    let putBlob: SQLiteStatement
    let addPiece: SQLiteStatement
    let deletePieces: SQLiteStatement
    private let all: [SQLiteStatement]

    init(_ connection: SQLiteConnection) throws(MemexError) {
        var prepared: [SQLiteStatement] = []
        func prepare(_ sql: String) throws(MemexError) -> SQLiteStatement {
            let statement = try connection.prepare(sql)
            prepared.append(statement)
            return statement
        }
        begin = try prepare("BEGIN IMMEDIATE")
        commit = try prepare("COMMIT")
        rollback = try prepare("ROLLBACK")
        savepoint = try prepare("SAVEPOINT batch")
        release = try prepare("RELEASE batch")
        rollbackTo = try prepare("ROLLBACK TO batch")
        insert = try prepare(
            "INSERT INTO messages(row, key, created_at_us, role, head, body) VALUES(?,?,?,?,?,?)")
        insertFull = try prepare(
            "INSERT INTO messages(row, key, created_at_us, role, head, body, extra, id, marked, "
                + "idempotency_key, receipt) VALUES(?,?,?,?,?,?,?,?,?,?,?)")
        updateMessage = try prepare(
            "UPDATE messages SET created_at_us=?3, role=?4, head=?5, body=?6, extra=?7, id=?8, marked=?9 "
                + "WHERE row=?1 AND key=?2")
        insertRun = try prepare("INSERT OR REPLACE INTO runs(key, row) VALUES(?,?)")
        runs = try prepare("SELECT key, row FROM runs WHERE key BETWEEN ? AND ? ORDER BY key")
        deleteRuns = try prepare("DELETE FROM runs WHERE key BETWEEN ? AND ?")
        locator = try RunLocator(connection, prepare)
        receipt = try prepare(
            "SELECT key, created_at_us, receipt FROM messages WHERE key >> 32 = ? AND idempotency_key = ?")
        threadState = try prepare(
            "SELECT changes, activity_at_us, floor, hidden, created_at_us, base_seq, deleted, version, "
                + "updated_at_us, base_key, base_rev, root_key, forks FROM threads WHERE key = ?")
        moveActivity = try prepare("UPDATE threads SET activity_at_us=?2 WHERE key=?1")
        insertThread = try prepare(
            "INSERT INTO threads(tenant, id, title, metadata, version, created_at_us, updated_at_us, "
                + "activity_at_us, changes, deleted, floor, base_key, base_seq, base_rev, root_key, forks, hidden) "
                + "VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)")
        threadForUpdate = try prepare(
            "SELECT version, changes, hidden, title, metadata FROM threads WHERE key = ?")
        updateThread = try prepare(
            "UPDATE threads SET title=?2, metadata=?3, version=version+?4, changes=changes+?5, "
                + "deleted=deleted+?6, forks=forks+?7, hidden=max(hidden, ?8), "
                + "updated_at_us=coalesce(?9, updated_at_us) WHERE key=?1")
        deleteThread = try prepare("DELETE FROM threads WHERE key = ?")
        deleteMessages = try prepare("DELETE FROM messages WHERE row BETWEEN ? AND ? AND key BETWEEN ? AND ?")
        deleteThreadDerived = try prepare("DELETE FROM derived WHERE thread = ?")
        deleteThreadPieces = try prepare("DELETE FROM pieces WHERE key BETWEEN ? AND ?")
        raiseFloor = try prepare("UPDATE threads SET floor=max(floor, ?2) WHERE key=?1")
        putDerived = try prepare(
            "INSERT OR REPLACE INTO derived(thread, kind, name, from_seq, to_seq, rev, created_at_us, body) "
                + "VALUES(?,?,?,?,?,?,?,?)")
        deleteDerived = try prepare("DELETE FROM derived WHERE thread=? AND kind=? AND name=?")
        putBlob = try prepare("INSERT OR IGNORE INTO blobs(hash, bytes) VALUES(?,?)")
        addPiece = try prepare(
            "INSERT INTO pieces(key, piece, bytes) VALUES(?1, "
                + "(SELECT coalesce(max(piece), 0) + 1 FROM pieces WHERE key = ?1), ?2)")
        deletePieces = try prepare("DELETE FROM pieces WHERE key = ?")
        all = prepared
    }

    func finalize() { for statement in all { _ = memex_sqlite_finalize(statement.handle) } }
}
