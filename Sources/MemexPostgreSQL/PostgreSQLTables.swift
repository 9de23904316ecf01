/// Tables, indexes and views. `{schema}` stands for the schema's quoted name.
///
/// Every key begins with tenant and thread, so that the tables can be split by them. Rows are only locked
/// and never changed by an append: what it needs of its thread is derived from the thread's last message.
enum PostgreSQLTables {
    static let version: Int64 = 1
    /// In the table `format`: the tables are ours.
    static let application = "memex"

    static let names = ["threads", "messages", "derived", "blobs", "pieces"]

    /// What creates the tables; `partitions` of the messages, 0 for none.
    static func statements(partitions: Int) -> [String] {
        var list = [
            "CREATE SCHEMA IF NOT EXISTS {schema}",
            """
            CREATE TABLE {schema}.format(
              application text PRIMARY KEY,
              version integer NOT NULL,
              created_at timestamptz NOT NULL DEFAULT now())
            """,
            "CREATE SEQUENCE {schema}.thread_keys",
            """
            CREATE TABLE {schema}.threads(
              tenant text COLLATE "C" NOT NULL,
              key bigint NOT NULL DEFAULT nextval('{schema}.thread_keys'),
              id text COLLATE "C" NOT NULL,
              title text,
              raw_title bytea,
              metadata text,
              version bigint NOT NULL,
              created_at_us bigint NOT NULL,
              updated_at_us bigint NOT NULL,
              activity_at_us bigint NOT NULL,
              changes bigint NOT NULL,
              deleted bigint NOT NULL,
              floor bigint NOT NULL,
              base_key bigint NOT NULL,
              base_seq bigint NOT NULL,
              base_rev bigint NOT NULL,
              root_key bigint NOT NULL,
              forks bigint NOT NULL,
              hidden boolean NOT NULL,
              PRIMARY KEY (tenant, key))
            """,
            "CREATE UNIQUE INDEX threads_by_key ON {schema}.threads(key)",
            "CREATE UNIQUE INDEX threads_by_id ON {schema}.threads(tenant, id) WHERE NOT hidden",
            """
            CREATE INDEX threads_by_activity ON {schema}.threads(tenant, activity_at_us, key)
              WHERE NOT hidden
            """,
            "CREATE INDEX threads_by_base ON {schema}.threads(base_key) WHERE base_key <> 0",
            "CREATE INDEX threads_by_root ON {schema}.threads(tenant, root_key) WHERE root_key <> 0",
        ]
        list += messages(partitions: partitions)
        list += [
            """
            CREATE TABLE {schema}.derived(
              tenant text COLLATE "C" NOT NULL,
              thread bigint NOT NULL,
              kind text COLLATE "C" NOT NULL,
              name text COLLATE "C" NOT NULL,
              from_seq bigint NOT NULL,
              to_seq bigint NOT NULL,
              rev bigint NOT NULL,
              created_at_us bigint NOT NULL,
              body bytea NOT NULL,
              PRIMARY KEY (tenant, thread, kind, name))
            """,
            "CREATE TABLE {schema}.blobs(hash bytea PRIMARY KEY, bytes bytea NOT NULL)",
            """
            CREATE TABLE {schema}.pieces(
              tenant text COLLATE "C" NOT NULL,
              thread bigint NOT NULL,
              seq integer NOT NULL,
              piece integer NOT NULL,
              bytes bytea NOT NULL,
              PRIMARY KEY (tenant, thread, seq, piece))
            """,
        ]
        return list
    }

    /// Written with the rest, last: whoever sees it sees a whole schema.
    static let mark = """
        INSERT INTO {schema}.format(application, version) VALUES ('\(application)', \(version))
          ON CONFLICT (application) DO NOTHING
        """

    private static let messageColumns = """
        tenant text COLLATE "C" NOT NULL,
          thread bigint NOT NULL,
          seq integer NOT NULL,
          rev bigint NOT NULL,
          created_at_us bigint NOT NULL,
          role text,
          format smallint NOT NULL,
          tokens bigint NOT NULL,
          flags integer NOT NULL,
          state smallint NOT NULL GENERATED ALWAYS AS (flags & 3) STORED,
          pinned boolean NOT NULL GENERATED ALWAYS AS (flags & 4 <> 0) STORED,
          content_offset integer NOT NULL,
          content_length integer NOT NULL,
          codec bigint NOT NULL,
          checksum bigint NOT NULL,
          id text COLLATE "C",
          idempotency_key text COLLATE "C",
          append_count integer,
          append_rev bigint,
          append_digest bytea,
          raw_role bytea,
          extra bytea,
          body bytea
        """

    private static func messages(partitions: Int) -> [String] {
        guard partitions > 0 else {
            return [
                "CREATE TABLE {schema}.messages(\n  \(messageColumns),\n  PRIMARY KEY (tenant, thread, seq))"
            ] + messageIndexes("messages")
        }
        // Unique indexes sit on each partition: a partition may then be a foreign table.
        var list = [
            "CREATE TABLE {schema}.messages(\n  \(messageColumns)) PARTITION BY HASH (thread)"
        ]
        for index in 0..<partitions {
            list.append(
                """
                CREATE TABLE {schema}.messages_\(index) PARTITION OF {schema}.messages
                  (PRIMARY KEY (tenant, thread, seq))
                  FOR VALUES WITH (MODULUS \(partitions), REMAINDER \(index))
                """)
            list += messageIndexes("messages_\(index)")
        }
        return list
    }

    /// Partial, so that an ordinary message is in none of them.
    private static func messageIndexes(_ table: String) -> [String] {
        [
            "CREATE UNIQUE INDEX \(table)_ids ON {schema}.\(table)(tenant, thread, id) WHERE id IS NOT NULL",
            """
            CREATE UNIQUE INDEX \(table)_idempotency_keys
              ON {schema}.\(table)(tenant, thread, idempotency_key) WHERE idempotency_key IS NOT NULL
            """,
            """
            CREATE INDEX \(table)_marks ON {schema}.\(table)(tenant, thread, seq) WHERE (flags & 128) <> 0
            """,
        ]
    }
}
