internal import MemexModel

/// The order of opening: what is there is looked at, and created when it is not.
struct PostgreSQLSchema {
    let text: PostgreSQLText
    let url: PostgreSQLURL

    /// What the server said of itself.
    struct Server: Sendable {
        var version: Int32 = 0
        /// Its settings keep an acknowledged commit through power loss.
        var isDurable = true
        var isEncrypted = false
    }

    /// Creates the tables where there are none, or checks that those that are there are ours.
    func open(_ connection: PostgreSQLConnection, create: Bool, until deadline: Deadline) throws(MemexError)
        -> Server
    {
        let (server, hasFormat) = try look(connection, until: deadline)
        if !hasFormat {
            guard create else {
                throw MemexError(
                    .notFound,
                    "the schema \(url.schema) has no conversations yet, and it is not to be created")
            }
            try self.create(connection, until: deadline)
        }
        try checkFormat(connection, until: deadline)
        return server
    }

    private func run(
        _ connection: PostgreSQLConnection, _ sql: [String], _ doing: StaticString, until deadline: Deadline,
        _ visit: (PostgreSQLRow) -> Void = { _ in }
    ) throws(MemexError) {
        do throws(PostgreSQLFault) {
            for statement in sql { try connection.queue(sql: text.fill(statement)) }
            try connection.run(until: deadline) { _, row in
                visit(row)
                return true
            }
        } catch { throw PostgreSQLReader.error(error, doing) }
    }

    private func look(_ connection: PostgreSQLConnection, until deadline: Deadline) throws(MemexError)
        -> (Server, Bool)
    {
        guard connection.serverVersion >= 120_000 else {
            throw MemexError(.unsupported, "the server is older than PostgreSQL 12; update it")
        }
        var server = Server(version: connection.serverVersion, isEncrypted: connection.isEncrypted)
        var encoding = ""
        var found: Int64 = 0
        var others: Int64 = 0
        let names = PostgreSQLTables.names.map { "'\($0)'" }.joined(separator: ",")
        let look = """
            SELECT current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on',
              current_setting('server_encoding'), (to_regclass('{schema}.format') IS NOT NULL)::int,
              (SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = '\(url.schema)' AND c.relname IN (\(names)))
            """
        try run(connection, [look], "looking at the database", until: deadline) { row in
            server.isDurable = row.int(0) != 0
            encoding = row.text(1)
            found = row.int(2)
            others = row.int(3)
        }
        guard encoding == "UTF8" else {
            throw MemexError(
                .unsupported,
                "the database's encoding is \(encoding); create one with ENCODING 'UTF8' and name it in the URL"
            )
        }
        guard found != 0 || others == 0 else { throw foreign }
        return (server, found != 0)
    }

    private var foreign: MemexError {
        MemexError(
            .invalid,
            "the schema \(url.schema) has tables of another program; name another with schema= in the URL, "
                + "nothing was changed")
    }

    private func checkFormat(_ connection: PostgreSQLConnection, until deadline: Deadline) throws(MemexError)
    {
        var version: Int64?
        try run(
            connection,
            ["SELECT version FROM {schema}.format WHERE application = '\(PostgreSQLTables.application)'"],
            "looking at the schema", until: deadline
        ) { version = $0.int(0) }
        guard let version else { throw foreign }
        guard version <= PostgreSQLTables.version else {
            throw MemexError(
                .newerFormat,
                "the schema \(url.schema) has version \(version), this library knows up to "
                    + "\(PostgreSQLTables.version); update the library, nothing was changed")
        }
        guard version == PostgreSQLTables.version else {
            throw MemexError(.corrupt, "the schema \(url.schema) has version \(version), which never existed")
        }
    }

    /// One transaction, under a lock that all creators take: the second finds what the first made.
    private func create(_ connection: PostgreSQLConnection, until deadline: Deadline) throws(MemexError) {
        let wait = PostgreSQLWriter.wait(deadline)
        let all =
            PostgreSQLTables.statements(partitions: url.partitions) + PostgreSQLFunctions.all
            + [PostgreSQLTables.mark]
        // Quoted by a tag that no statement of ours has.
        let body = all.map { "EXECUTE $memex_statement$" + text.fill($0) + "$memex_statement$;" }
            .joined(separator: "\n")
        let block = """
            DO $memex_block$
            BEGIN
              PERFORM set_config('lock_timeout', '\(wait)', true);
              PERFORM pg_advisory_xact_lock(hashtext('memex'), hashtext('\(url.schema)'));
              -- The tables themselves: what the session remembers of names is older than the lock.
              PERFORM 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = '\(url.schema)' AND c.relname = 'format';
              IF NOT FOUND THEN
                \(body)
              END IF;
            END $memex_block$
            """
        try run(connection, [block], "creating the tables", until: deadline)
    }
}
