internal import CMemexShim
internal import MemexModel

/// Tables, and the order of opening. The schema's version is SQLite's `user_version`.
enum SQLiteSchema {
    static let version: Int64 = 1
    /// "MEMX", SQLite's `application_id`.
    static let applicationID: Int64 = 0x4D45_4D58

    /// A message's key is `thread << 32 | seq`. Rows lie in the order of insertion, `runs` finds them (see
    /// `RunLocator`): an append touches the last page, and a page of `runs` when another thread wrote before.
    /// Indexes are partial, so an ordinary message is in none of them.
    static let statements = [
        """
        CREATE TABLE threads(
          key INTEGER PRIMARY KEY AUTOINCREMENT,
          tenant TEXT NOT NULL,
          id TEXT NOT NULL,
          title TEXT,
          metadata TEXT,
          version INTEGER NOT NULL,
          created_at_us INTEGER NOT NULL,
          updated_at_us INTEGER NOT NULL,
          activity_at_us INTEGER NOT NULL,
          changes INTEGER NOT NULL,
          deleted INTEGER NOT NULL,
          floor INTEGER NOT NULL,
          base_key INTEGER NOT NULL,
          base_seq INTEGER NOT NULL,
          base_rev INTEGER NOT NULL,
          root_key INTEGER NOT NULL,
          forks INTEGER NOT NULL,
          hidden INTEGER NOT NULL)
        """,
        "CREATE UNIQUE INDEX thread_ids ON threads(tenant, id) WHERE hidden = 0",
        "CREATE INDEX thread_activity ON threads(tenant, activity_at_us, key) WHERE hidden = 0",
        "CREATE INDEX thread_creation ON threads(tenant, key) WHERE hidden = 0",
        "CREATE INDEX thread_forks ON threads(base_key) WHERE base_key <> 0",
        "CREATE INDEX thread_roots ON threads(root_key) WHERE root_key <> 0",
        """
        CREATE TABLE messages(
          row INTEGER PRIMARY KEY,
          key INTEGER NOT NULL,
          created_at_us INTEGER NOT NULL,
          role TEXT NOT NULL,
          head BLOB NOT NULL,
          body TEXT,
          extra TEXT,
          id TEXT,
          idempotency_key TEXT,
          receipt BLOB,
          marked INTEGER)
        """,
        "CREATE TABLE runs(key INTEGER PRIMARY KEY, row INTEGER NOT NULL)",
        "CREATE UNIQUE INDEX message_ids ON messages(key >> 32, id) WHERE id IS NOT NULL",
        """
        CREATE UNIQUE INDEX message_idempotency_keys ON messages(key >> 32, idempotency_key)
          WHERE idempotency_key IS NOT NULL
        """,
        "CREATE INDEX message_marks ON messages(key) WHERE marked IS NOT NULL",
        """
        CREATE TABLE derived(
          thread INTEGER NOT NULL,
          kind TEXT NOT NULL,
          name TEXT NOT NULL,
          from_seq INTEGER NOT NULL,
          to_seq INTEGER NOT NULL,
          rev INTEGER NOT NULL,
          created_at_us INTEGER NOT NULL,
          body BLOB NOT NULL,
          PRIMARY KEY(thread, kind, name)) WITHOUT ROWID
        """,
        "CREATE TABLE blobs(id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, bytes BLOB NOT NULL)",
        """
        CREATE TABLE pieces(
          key INTEGER NOT NULL,
          piece INTEGER NOT NULL,
          bytes BLOB NOT NULL,
          PRIMARY KEY(key, piece)) WITHOUT ROWID
        """,
        """
        CREATE VIEW conversations AS
          SELECT t.tenant, t.id AS thread, m.key & 0xFFFFFFFF AS seq, m.role,
            strftime('%Y-%m-%dT%H:%M:%fZ', m.created_at_us / 1e6, 'unixepoch') AS created_at, m.body
          FROM messages m JOIN threads t ON t.key = m.key >> 32 WHERE t.hidden = 0 AND m.body IS NOT NULL
        """,
    ]

    /// Settings of every connection.
    static func configure(_ connection: SQLiteConnection, synchronous: String, inMemory: Bool)
        throws(MemexError)
    {
        if !inMemory {
            let mode = try connection.text("PRAGMA journal_mode = WAL")
            guard mode == "wal" else {
                throw MemexError(
                    .unsupported,
                    "the file system cannot share memory between processes, which SQLite's write-ahead log "
                        + "needs; put the database on a local disk")
            }
        }
        try connection.execute(
            "PRAGMA synchronous = \(synchronous); PRAGMA wal_autocheckpoint = 0; PRAGMA secure_delete = ON;"
                + "PRAGMA cache_size = -16000;"
                + "PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON",
            "configuring the database")
    }

    private enum Found { case empty, ours }

    /// Throws when a file is another program's or of a newer schema. Changes nothing. What cannot be read
    /// without changing it, a file whose creator was killed, is left to the opening for writing.
    static func refuseForeign(_ path: String) throws(MemexError) {
        let connection = try SQLiteConnection(
            path: path, readOnly: true, create: false, busyTimeout: 1_000_000)
        defer { connection.close() }
        do throws(MemexError) { try refuseForeign(connection) } catch {
            switch error.code {
            case .invalid, .newerFormat, .corrupt: throw error
            default: return
            }
        }
    }

    /// The same on a connection that may write.
    static func refuseForeign(_ connection: SQLiteConnection) throws(MemexError) {
        _ = try inspect(connection)
    }

    private static func inspect(_ connection: SQLiteConnection) throws(MemexError) -> Found {
        // One look: another process may be creating the tables.
        try connection.execute("BEGIN", "looking at the database")
        defer { try? connection.execute("COMMIT", "looking at the database") }
        let found = try connection.value("PRAGMA user_version") ?? 0
        let application = try connection.value("PRAGMA application_id") ?? 0
        if application == applicationID {
            guard found <= version else {
                throw MemexError(
                    .newerFormat,
                    "the database has schema \(found), this library knows up to \(version); "
                        + "update the library, nothing was changed")
            }
            guard found == version else {
                throw MemexError(.corrupt, "the database has schema \(found), which never existed")
            }
            try checkObjects(connection)
            return .ours
        }
        let tables = try connection.value("SELECT count(*) FROM sqlite_master")
        guard tables == 0, application == 0 else {
            throw MemexError(
                .invalid,
                "the database belongs to another program (application_id \(application)); "
                    + "give another path, nothing was changed")
        }
        return .empty
    }

    /// Throws CORRUPT unless every table and index is as we made it, or when a trigger would change what is written.
    /// The view is for people, and theirs to change.
    private static func checkObjects(_ connection: SQLiteConnection) throws(MemexError) {
        let statement = try connection.prepare("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")
        defer { _ = memex_sqlite_finalize(statement.handle) }
        var missing = Set(statements.filter { !$0.hasPrefix("CREATE VIEW") })
        var code = statement.step()
        while code == SQLITE_ROW {
            missing.remove(statement.text(0))
            code = statement.step()
        }
        guard code == SQLITE_DONE else { throw connection.error(code, "looking at the database") }
        let triggers = try connection.value(
            "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name COLLATE NOCASE IN "
                + "('threads','messages','runs','derived','blobs','pieces','conversations')")
        if !missing.isEmpty || triggers != 0 { throw SQLiteFailure.foreignSchema() }
    }

    /// Creates the tables in an empty database, or checks that those that are there are ours. The caller
    /// holds the writers' lock.
    static func prepare(_ connection: SQLiteConnection, readOnly: Bool) throws(MemexError) {
        if try inspect(connection) == .ours { return }
        guard !readOnly else {
            throw MemexError(.notFound, "the database has no conversations yet and was opened read-only")
        }
        try connection.execute("BEGIN IMMEDIATE", "creating the tables")
        do throws(MemexError) {
            for statement in statements { try connection.execute(statement, "creating the tables") }
            try connection.execute(
                "PRAGMA user_version = \(version); PRAGMA application_id = \(applicationID)",
                "creating the tables")
            try connection.execute("COMMIT", "creating the tables")
        } catch {
            try? connection.execute("ROLLBACK", "creating the tables")
            throw error
        }
    }
}
