internal import CMemexShim
package import MemexModel
package import MemexStorage
#if canImport(Glibc)
    internal import Glibc
#endif
internal import Synchronization

/// Conversations in a SQLite database: one writing connection with group commit, a few for reading.
package final class SQLiteEngine: StorageEngine, @unchecked Sendable {
    package struct Options: Sendable {
        /// Path of the file; nil for a database in memory.
        package var path: String?
        package var readOnly = false
        package var create = true
        /// `full`: an acknowledged commit survives power loss; else it survives the process.
        package var isFullyDurable = true
        package var timeout: Int64 = 30_000_000
        /// Opening ends its waits for signals, see `Deadline`.
        package var isInterruptible = false
        /// A copy of SQLite to use when the process and the system have none.
        package var fallbackLibrary: String?
        package var environment = Environment.system

        package init(path: String?) { self.path = path }
    }

    package let capabilities: EngineCapabilities
    private let writer: SQLiteWriter
    private let queue: CommitQueue
    /// Nil for a database in memory, which has one connection: reads then take turns with writes.
    private let readers: ReaderPool?
    private let ownReader: SQLiteReader?
    /// Nil for a database in memory.
    private let watch: FileWatch?
    private let interruptions: Interruptions
    private let timeout: Int64

    package init(_ options: Options) throws(MemexError) {
        if let reason = memex_sqlite_load(options.fallbackLibrary) {
            throw MemexError(.unavailable, String(cString: reason))
        }
        guard memex_sqlite_version_number() >= 3_037_000, memex_sqlite_threadsafe() != 0 else {
            throw MemexError(
                .unavailable,
                "SQLite \(String(cString: memex_sqlite_version())) is too old or not thread-safe; "
                    + "install 3.37 or newer")
        }
        let inMemory = options.path == nil
        var path = ":memory:"
        let timeout = options.timeout
        let interruptions = Interruptions()
        var lock: WriterLock?
        if let given = options.path {
            let file = try DatabaseFile.prepare(given, readOnly: options.readOnly, create: options.create)
            path = file.path
            if file.existed { try SQLiteSchema.refuseForeign(path) }
            if !options.readOnly { lock = try WriterLock(path: path + "-lock", interruptions: interruptions) }
        }
        try lock?.lock(until: Deadline(after: timeout, isInterruptible: options.isInterruptible))
        defer { lock?.unlock() }
        let connection: SQLiteConnection
        do throws(MemexError) {
            connection = try SQLiteConnection(
                path: path, readOnly: options.readOnly, create: false, busyTimeout: timeout)
        } catch {
            lock?.discard()
            throw error
        }
        let writer: SQLiteWriter
        let watch: FileWatch?
        do throws(MemexError) {
            if !options.readOnly {
                try SQLiteSchema.refuseForeign(connection)
                try SQLiteSchema.configure(
                    connection, synchronous: options.isFullyDurable ? "FULL" : "NORMAL", inMemory: inMemory)
            }
            try SQLiteSchema.prepare(connection, readOnly: options.readOnly)
            watch = inMemory ? nil : try FileWatch(path: path, connection: connection, lock: lock)
            writer = try SQLiteWriter(
                connection, lock: lock, watch: watch, interruptions: interruptions,
                environment: options.environment)
            ownReader = inMemory ? try SQLiteReader(connection) : nil
        } catch {
            connection.close()
            lock?.discard()
            throw error
        }
        self.writer = writer
        self.watch = watch
        self.interruptions = interruptions
        self.timeout = timeout
        var capabilities = EngineCapabilities()
        capabilities.durable = options.isFullyDurable && !inMemory
        capabilities.sharedBetweenProcesses = !inMemory
        capabilities.isReadOnly = options.readOnly
        self.capabilities = capabilities
        queue = CommitQueue(
            run: { writer.run($0) }, settle: { writer.settle() })
        readers = watch.map { [path] watch in
            ReaderPool { () throws(MemexError) -> SQLiteReader in
                let connection = try SQLiteConnection(
                    path: path, readOnly: true, create: false, busyTimeout: timeout)
                do throws(MemexError) {
                    try watch.check(connection)
                    return try SQLiteReader(connection)
                } catch {
                    connection.close()
                    throw error
                }
            }
        }
    }

    // MARK: Writing

    package func commit(
        _ operations: [WriteOperation], until deadline: Deadline
    ) throws(MemexError) -> [WriteResult] {
        try queue.submit(operations, until: deadline)
    }

    package func append(_ operation: AppendOperation, until deadline: Deadline) throws(MemexError)
        -> WriteResult
    {
        try queue.submit(operation, until: deadline)
    }

    package func flush(until deadline: Deadline) throws(MemexError) {
        if readers == nil || capabilities.isReadOnly { return }
        try queue.alone(until: deadline) { () throws(MemexError) in
            _ = try writer.checkpoint(SQLITE_CHECKPOINT_PASSIVE, until: deadline)
        }
    }

    package func maintain(until deadline: Deadline) throws(MemexError) {
        if readers == nil || capabilities.isReadOnly { return }
        try queue.alone(until: deadline) { () throws(MemexError) in
            if try writer.checkpoint(SQLITE_CHECKPOINT_TRUNCATE, until: deadline) { return }
            _ = try writer.checkpoint(SQLITE_CHECKPOINT_PASSIVE, until: deadline)
        }
    }

    /// Deleted rows are overwritten as they go (`secure_delete`); their copies in the log go with it.
    package func wipe(until deadline: Deadline) throws(MemexError) {
        if readers == nil { return }
        var pause: Int64 = 1_000
        // Readers keep their part of the log; nobody waits for them with a lock.
        while true {
            var isDone = false
            try queue.alone(until: deadline) { () throws(MemexError) in
                isDone = try writer.checkpoint(SQLITE_CHECKPOINT_TRUNCATE, until: deadline)
            }
            if isDone { return }
            if deadline.isPast {
                throw MemexError(
                    .timeout,
                    "it is deleted, but a reader keeps its bytes in the log; end that reader and run maintain"
                )
            }
            memex_shim_sleep_us(min(pause, deadline.remaining))
            if pause < 50_000 { pause *= 2 }
        }
    }

    package func interrupt() {
        interruptions.raise()
        queue.interrupt()
    }

    package func close() throws(MemexError) {
        guard SQLiteEngines.leave(self) else { return }
        queue.close()
        readers?.close()
        ownReader?.finalize()
        writer.close()
    }

    // MARK: Reading

    /// - Parameter oneState: whether it takes a transaction for all its statements to see one state. A read of
    ///   one statement, or of others while its first is not done, sees one anyway.
    private func read<Result>(
        oneState: Bool = false, _ body: (SQLiteReader) throws(MemexError) -> Result
    ) throws(MemexError) -> Result {
        if let readers {
            try watch?.check()
            return try readers.use { (reader) throws(MemexError) in
                guard oneState else { return try body(reader) }
                try reader.begin()
                defer { reader.end() }
                return try body(reader)
            }
        }
        guard let ownReader else { throw MemexError(.internal, "the engine has no reader") }
        var result: Result?
        try queue.alone(until: Deadline(after: timeout)) { () throws(MemexError) in
            result = try body(ownReader)
        }
        guard let result else { throw MemexError(.internal, "a read gave no result") }
        return result
    }

    package func thread(tenant: String, id: String) throws(MemexError) -> ThreadRecord? {
        try read { (reader) throws(MemexError) in try reader.thread(tenant: tenant, id: id) }
    }

    package func thread(key: Int64) throws(MemexError) -> ThreadRecord? {
        try read { (reader) throws(MemexError) in try reader.thread(key: key) }
    }

    package func threads(
        _ scan: ThreadScan, _ visit: (ThreadRecord) throws(MemexError) -> Bool
    ) throws(MemexError) {
        try read { (reader) throws(MemexError) in try reader.threads(scan, visit) }
    }

    package func forks(of key: Int64) throws(MemexError) -> [ThreadRecord] {
        try read { (reader) throws(MemexError) in try reader.forks(of: key) }
    }

    package func messages(
        _ key: Int64, _ range: MessageRange, _ visit: (borrowing MessageView) throws(MemexError) -> Bool
    ) throws(MemexError) {
        try read(oneState: true) { (reader) throws(MemexError) in try reader.messages(key, range, visit) }
    }

    package func markedSeqs(
        _ key: Int64, from: Int64, to: Int64, _ visit: (Int64) -> Bool
    ) throws(MemexError) {
        try read { (reader) throws(MemexError) in
            try reader.markedSeqs(key, from: from, to: to, visit)
        }
    }

    package func seq(_ key: Int64, id: ByteView) throws(MemexError) -> Int64? {
        try read { (reader) throws(MemexError) in try reader.seq(key, id: id) }
    }

    package func derived(_ key: Int64, kind: String, name: String) throws(MemexError) -> DerivedRecord? {
        try read { (reader) throws(MemexError) in
            var found: DerivedRecord?
            try reader.derived(key, kind: kind, name: name) {
                found = $0
                return false
            }
            return found
        }
    }

    package func derived(
        _ key: Int64, kind: String, _ visit: (DerivedRecord) throws(MemexError) -> Bool
    ) throws(MemexError) {
        try read { (reader) throws(MemexError) in
            try reader.derived(key, kind: kind, name: nil, visit)
        }
    }

    package func blob(_ hash: BlobHash) throws(MemexError) -> [UInt8]? {
        try read { (reader) throws(MemexError) in try reader.blob(hash) }
    }

    package func pieces(
        _ key: Int64, seq: Int64, _ visit: (ByteView) throws(MemexError) -> Bool
    ) throws(MemexError) {
        try read { (reader) throws(MemexError) in try reader.pieces(key, seq: seq, visit) }
    }

    // MARK: Control

    package func check(until deadline: Deadline) throws(MemexError) -> [String] {
        try read(oneState: true) { (reader) throws(MemexError) in
            try SQLiteChecker(reader.connection).problems(until: deadline)
        }
    }

    package func statistics() throws(MemexError) -> String {
        let counts = queue.counts
        return "\"sqlite_version\":\(JSONText.quoted(String(cString: memex_sqlite_version())))"
            + ",\"commits\":\(counts.groups),\"batches\":\(counts.requests)"
            + ",\"checkpoints\":\(writer.checkpoints)"
    }
}
