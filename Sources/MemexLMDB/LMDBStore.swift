internal import CMemexShim
internal import MemexModel
internal import MemexStorage

/// An LMDB environment as an ordered store: its one unnamed database.
final class LMDBStore: GroupStore, @unchecked Sendable {
    let traits: OrderedStoreTraits
    private let environment: LMDBEnvironment
    private let readers: LMDBReaderPool
    /// Nil for a store that is only read.
    private let writer: LMDBWriter?
    private let interruptions: Interruptions
    private let identity: StoreFolder.Identity
    private let timeout: Int64

    init(_ options: LMDBEngines.Options, _ identity: StoreFolder.Identity) throws(MemexError) {
        self.identity = identity
        timeout = options.timeout
        let interruptions = Interruptions()
        self.interruptions = interruptions
        var traits = OrderedStoreTraits()
        traits.durable = options.isFullyDurable
        traits.isReadOnly = options.readOnly
        self.traits = traits
        let deadline = Deadline(after: options.timeout)
        let lock =
            options.readOnly
            ? nil
            : try ProcessLock(
                path: options.path + "/" + Self.lockName, interruptions: interruptions, until: deadline)
        // One process at a time creates the files.
        try lock?.lock(until: deadline)
        defer { lock?.unlock() }
        let isNew = memex_shim_file_size(options.path + "/" + LMDBEnvironment.dataName) < 0
        let environment = try LMDBEnvironment(
            path: options.path, readOnly: options.readOnly, isFullyDurable: options.isFullyDurable,
            initialMap: options.initialMap)
        do throws(MemexError) {
            try environment.inspect(path: options.path)
        } catch {
            environment.close()
            throw error
        }
        if isNew { StoreFolder.sync(options.path) }
        environment.checkReaders()
        self.environment = environment
        readers = LMDBReaderPool(environment, timeout: options.timeout)
        writer = lock.map { LMDBWriter(environment, lock: $0) }
    }

    static let lockName = "writers.lock"

    // MARK: Reading

    func get(_ key: ByteView, _ visit: (ByteView) throws(MemexError) -> Void) throws(MemexError) -> Bool {
        try readers.use { (txn, _) throws(MemexError) in
            try LMDBRead.get(txn, environment.main, key, visit)
        }
    }

    func scan(
        from: ByteView, to: ByteView, descending: Bool, limit: Int64,
        _ visit: (ByteView, ByteView) throws(MemexError) -> Bool
    ) throws(MemexError) {
        try readers.use { (_, cursor) throws(MemexError) in
            try LMDBRead.scan(cursor, from: from, to: to, descending: descending, limit: limit, visit)
        }
    }

    // MARK: Writing

    private static let refused = MemexError(
        .io, "the store was opened read-only; open it without read_only to write")

    var group: any OrderedStore { writer ?? self as any OrderedStore }
    var isGroupBroken: Bool { writer?.isBroken ?? false }

    func commit(_ writes: UnsafeBufferPointer<KeyValueWrite>) throws(MemexError) -> Bool {
        try commitAlone(writes, until: Deadline(after: timeout))
    }

    func beginGroup(until deadline: Deadline) throws(MemexError) -> Bool {
        guard let writer else { throw Self.refused }
        return try writer.begin(until: deadline)
    }

    func endGroup() throws(MemexError) { try writer?.end() }

    func abandonGroup() { writer?.abandon() }

    func makesRoom(after failure: MemexError) throws(MemexError) -> Bool {
        guard let writer, writer.isMapFull else { return false }
        try environment.grow()
        return true
    }

    func interrupt() { interruptions.raise() }

    // MARK: Upkeep

    /// With full durability nothing is left to be written back.
    func flush(until deadline: Deadline) throws(MemexError) {
        guard writer != nil, !traits.durable else { return }
        try environment.hold()
        defer { environment.release() }
        let code = memex_lmdb_sync(environment.handle)
        guard code == 0 else { throw LMDBFailure.error(code, "writing back") }
    }

    func maintain(until deadline: Deadline) throws(MemexError) { environment.checkReaders() }

    func problems(until deadline: Deadline) throws(MemexError) -> [String] { [] }

    func statistics() throws(MemexError) -> String {
        let information = try environment.information()
        return "\"lmdb_version\":\(JSONText.quoted(String(cString: memex_lmdb_version())))"
            + ",\"map_bytes\":\(information.me_mapsize),\"pages\":\(information.me_last_pgno + 1)"
            + ",\"readers\":\(information.me_numreaders)"
    }

    func leave() -> Bool { LMDBEngines.leave(identity) }

    func close() throws(MemexError) {
        closeFiles()
        LMDBEngines.forget(identity)
    }

    /// The same for a store that no engine came to use.
    func closeFiles() {
        readers.close()
        environment.close()
    }
}
