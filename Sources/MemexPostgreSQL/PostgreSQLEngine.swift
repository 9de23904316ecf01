internal import CMemexShim
package import MemexModel
package import MemexStorage

/// Conversations in a PostgreSQL database: a pool of connections, group commit for writers of one thread.
package final class PostgreSQLEngine: StorageEngine, @unchecked Sendable {
    package struct Options: Sendable {
        package var url: String
        package var readOnly = false
        package var create = true
        /// `full`: an acknowledged commit survives power loss of the server; else it may not.
        package var isFullyDurable = true
        package var timeout: Int64 = 30_000_000
        /// A signal ends the wait of opening.
        package var isInterruptible = false
        package var environment = Environment.system

        package init(url: String) { self.url = url }
    }

    package let capabilities: EngineCapabilities
    private let pool: PostgreSQLPool
    private let writer: PostgreSQLWriter
    private let reader: PostgreSQLReader
    private let interruptions: PostgreSQLInterruptions
    private let server: PostgreSQLSchema.Server
    /// Appends queue by their thread: those of one thread share a commit instead of waiting for its lock. Two
    /// lanes, so that one that waits for the server leaves the other; more share fewer syncs.
    private let lanes: [CommitQueue]
    private static let lanesMaximum = 2

    package init(_ options: Options) throws(MemexError) {
        if let reason = memex_pq_load() { throw MemexError(.unavailable, String(cString: reason)) }
        guard memex_pq_version() >= 140_000 else {
            throw MemexError(
                .unavailable,
                "libpq \(memex_pq_version() / 10_000) is too old; install PostgreSQL's client library 14 or newer"
            )
        }
        let url = try PostgreSQLURL(options.url, readOnly: options.readOnly)
        let text = PostgreSQLText(schema: url.schema)
        let interruptions = PostgreSQLInterruptions()
        let pool = PostgreSQLPool(url, text, interruptions)
        let deadline = Deadline(after: options.timeout, isInterruptible: options.isInterruptible)
        do throws(MemexError) {
            let connection = try pool.take(until: deadline)
            defer { pool.give(connection) }
            server = try PostgreSQLSchema(text: text, url: url).open(
                connection, create: options.create && !options.readOnly, until: deadline)
        } catch {
            pool.close()
            throw error
        }
        if !server.isEncrypted, !url.endpoints.allSatisfy(\.isLocal) {
            Log.write(.warning, "the connection to PostgreSQL is not encrypted, as its URL asks for")
        }
        self.pool = pool
        self.interruptions = interruptions
        let writer = PostgreSQLWriter(pool, options.environment, isFullyDurable: options.isFullyDurable)
        self.writer = writer
        reader = PostgreSQLReader(pool: pool, timeout: options.timeout)
        lanes = (0..<max(1, min(Self.lanesMaximum, url.poolSize - 1))).map { _ in
            CommitQueue(run: { writer.run($0) }, settle: {})
        }
        var capabilities = EngineCapabilities()
        capabilities.durable = options.isFullyDurable && server.isDurable
        capabilities.erases = false
        capabilities.isReadOnly = options.readOnly
        self.capabilities = capabilities
    }

    // MARK: Writing

    package func commit(
        _ operations: [WriteOperation], until deadline: Deadline
    ) throws(MemexError) -> [WriteResult] {
        try writer.commit(operations, until: deadline)
    }

    package func append(_ operation: AppendOperation, until deadline: Deadline) throws(MemexError)
        -> WriteResult
    {
        guard case .key(let key) = operation.thread else {
            throw MemexError(.internal, "a batch refers to a thread that it does not create")
        }
        do throws(MemexError) {
            return try lanes[Int(key.magnitude % UInt64(lanes.count))].submit(operation, until: deadline)
        } catch {
            guard PostgreSQLWriter.isBlocked(error) else { throw error }
            return try writer.append(operation, to: key, until: deadline)
        }
    }

    /// Nothing is deferred.
    package func flush(until: Deadline) throws(MemexError) {}

    /// The server's autovacuum does what there is to do.
    package func maintain(until: Deadline) throws(MemexError) {}

    /// Removed rows stay in the server's files, its log, its replicas and its backups until it reuses them.
    package func wipe(until: Deadline) throws(MemexError) {
        throw MemexError(
            .unsupported,
            "PostgreSQL keeps removed bytes in its files until VACUUM and later; delete without erase")
    }

    package func interrupt() {
        interruptions.raise()
        for lane in lanes { lane.interrupt() }
    }

    package func close() throws(MemexError) {
        for lane in lanes { lane.close() }
        pool.close()
    }

    // MARK: Reading

    package func thread(tenant: String, id: String) throws(MemexError) -> ThreadRecord? {
        try reader.thread(tenant: tenant, id: id)
    }

    package func thread(key: Int64) throws(MemexError) -> ThreadRecord? { try reader.thread(key: key) }

    package func threads(
        _ scan: ThreadScan, _ visit: (ThreadRecord) throws(MemexError) -> Bool
    ) throws(MemexError) { try reader.threads(scan, visit) }

    package func forks(of key: Int64) throws(MemexError) -> [ThreadRecord] { try reader.forks(of: key) }

    package func messages(
        _ key: Int64, _ range: MessageRange, _ visit: (borrowing MessageView) throws(MemexError) -> Bool
    ) throws(MemexError) { try reader.messages(key, range, visit) }

    package func markedSeqs(
        _ key: Int64, from: Int64, to: Int64, _ visit: (Int64) -> Bool
    ) throws(MemexError) { try reader.markedSeqs(key, from: from, to: to, visit) }

    package func seq(_ key: Int64, id: ByteView) throws(MemexError) -> Int64? { try reader.seq(key, id: id) }

    package func derived(_ key: Int64, kind: String, name: String) throws(MemexError) -> DerivedRecord? {
        var found: DerivedRecord?
        try reader.derived(key, kind: kind, name: name) { (record) throws(MemexError) -> Bool in
            found = record
            return false
        }
        return found
    }

    package func derived(
        _ key: Int64, kind: String, _ visit: (DerivedRecord) throws(MemexError) -> Bool
    ) throws(MemexError) { try reader.derived(key, kind: kind, name: nil, visit) }

    package func blob(_ hash: BlobHash) throws(MemexError) -> [UInt8]? { try reader.blob(hash) }

    package func pieces(
        _ key: Int64, seq: Int64, _ visit: (ByteView) throws(MemexError) -> Bool
    ) throws(MemexError) { try reader.pieces(key, seq: seq, visit) }

    // MARK: Control

    package func check(until deadline: Deadline) throws(MemexError) -> [String] {
        let connection = try pool.take(until: deadline)
        defer { pool.give(connection) }
        return try PostgreSQLChecker(connection: connection).problems(until: deadline)
    }

    package func statistics() throws(MemexError) -> String {
        var counts = (groups: Int64(0), requests: Int64(0))
        for lane in lanes {
            counts.groups += lane.counts.groups
            counts.requests += lane.counts.requests
        }
        return "\"server_version\":\(server.version),\"encrypted\":\(server.isEncrypted)"
            + ",\"commits\":\(counts.groups),\"batches\":\(counts.requests)," + pool.statistics
    }
}
