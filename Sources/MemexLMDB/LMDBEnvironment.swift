internal import CMemexShim
#if canImport(Glibc)
    internal import Glibc
#endif
internal import MemexModel
internal import MemexStorage

/// An open LMDB environment and its map.
///
/// A transaction of any kind holds the map in place, under a lock that they share; the map changes its size
/// under the same lock held alone. The handle is closed by `close` only: what a forked child inherits of it
/// must not be touched.
final class LMDBEnvironment: @unchecked Sendable {
    static let dataName = "data.mdb"
    static let lockName = "lock.mdb"
    /// Places for readers, of all processes together.
    private static let readersMaximum: UInt32 = 1022
    private static let mapMaximum = 1 << 46
    private static let mapMinimum = 1 << 20

    let path: String
    let handle: OpaquePointer
    private(set) var main: UInt32 = 0
    private var mapSize: Int
    private let mapLock: UnsafeMutablePointer<pthread_rwlock_t>
    /// Set when the map was lost: nothing may be read any more.
    private var failure: MemexError?

    init(
        path: String, readOnly: Bool, isFullyDurable: Bool, initialMap: Int
    ) throws(MemexError) {
        self.path = path
        let file = memex_shim_file_size(path + "/" + Self.dataName)
        var size = initialMap
        while size < Self.mapMaximum, size / 2 < file { size *= 2 }
        // A process with little address space begins with less.
        while size > Self.mapMinimum, size / 4 > file, !Self.isAvailable(size) { size /= 2 }
        mapSize = size
        var created: OpaquePointer?
        var code = memex_lmdb_env_create(&created)
        guard code == 0, let created else { throw LMDBFailure.error(code, "opening the store") }
        handle = created
        _ = memex_lmdb_set_readers(created, Self.readersMaximum)
        code = memex_lmdb_set_map_size(created, size)
        if code == 0 {
            // Readers are bound to transactions, not to threads.
            var flags = UInt32(MDB_NOTLS)
            if readOnly { flags |= UInt32(MDB_RDONLY) }
            if !isFullyDurable { flags |= UInt32(MDB_NOMETASYNC) }
            code = memex_lmdb_env_open(created, path, flags, 0o600)
        }
        guard code == 0 else {
            memex_lmdb_env_close(created)
            throw LMDBFailure.error(code, "opening the store")
        }
        mapLock = .allocate(capacity: 1)
        mapLock.initialize(to: pthread_rwlock_t())
        var attributes = pthread_rwlockattr_t()
        pthread_rwlockattr_init(&attributes)
        // Otherwise a stream of readers keeps the map as small as it is.
        pthread_rwlockattr_setkind_np(&attributes, Int32(PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP))
        pthread_rwlock_init(mapLock, &attributes)
        pthread_rwlockattr_destroy(&attributes)
    }

    deinit {
        pthread_rwlock_destroy(mapLock)
        mapLock.deallocate()
    }

    func close() { memex_lmdb_env_close(handle) }

    /// Looks at what is there: whole, and ours or empty. Opens the one database.
    func inspect(path: String) throws(MemexError) {
        var information = MDB_envinfo()
        _ = memex_lmdb_info(handle, &information)
        var failure: MemexError?
        try withTransaction(MDB_RDONLY, "opening the store") { (txn) throws(MemexError) in
            var opened: UInt32 = 0
            let code = memex_lmdb_main(txn, &opened)
            guard code == 0 else { throw LMDBFailure.error(code, "opening the store") }
            main = opened
            var found = MDB_stat()
            _ = memex_lmdb_stat(txn, opened, &found)
            // Pages behind the end of the file would end the process when they are read.
            let needed = (information.me_last_pgno + 1) * Int(found.ms_psize)
            if memex_shim_file_size(path + "/" + Self.dataName) < Int64(needed) {
                failure = MemexError(
                    .corrupt, "data.mdb is shorter than its own index says; restore it from a backup")
                return
            }
            if found.ms_entries > 0, try !isOurs(txn) {
                failure = MemexError(
                    .invalid, "data.mdb belongs to another program; give another path, nothing was changed")
            }
        }
        if let failure { throw failure }
    }

    private func isOurs(_ txn: OpaquePointer) throws(MemexError) -> Bool {
        var key = ByteBuffer(capacity: 16)
        key.append("!format")
        return try key.lend { (key) throws(MemexError) -> Bool in
            try LMDBRead.get(txn, main, key) { (_) throws(MemexError) -> Void in }
        }
    }

    /// A short transaction of its own that ends unwritten, as a database handle wants it: committed.
    private func withTransaction(
        _ flags: Int32, _ doing: StaticString, _ body: (OpaquePointer) throws(MemexError) -> Void
    ) throws(MemexError) {
        var txn: OpaquePointer?
        let code = memex_lmdb_begin(handle, UInt32(flags), &txn)
        guard code == 0, let txn else { throw LMDBFailure.error(code, doing) }
        do throws(MemexError) { try body(txn) } catch {
            memex_lmdb_abort(txn)
            throw error
        }
        let ended = memex_lmdb_commit(txn)
        guard ended == 0 else { throw LMDBFailure.error(ended, doing) }
    }

    // MARK: The map

    /// Holds the map as it is until `release`.
    @inline(__always)
    func hold() throws(MemexError) {
        pthread_rwlock_rdlock(mapLock)
        if let failure {
            pthread_rwlock_unlock(mapLock)
            throw failure
        }
    }

    @inline(__always)
    func release() { pthread_rwlock_unlock(mapLock) }

    /// Makes the map as large as another process has made it.
    func adoptSize() throws(MemexError) {
        pthread_rwlock_wrlock(mapLock)
        defer { pthread_rwlock_unlock(mapLock) }
        if let failure { throw failure }
        let code = memex_lmdb_set_map_size(handle, 0)
        guard code == 0 else { throw lose(code) }
        var information = MDB_envinfo()
        _ = memex_lmdb_info(handle, &information)
        mapSize = information.me_mapsize
    }

    /// Doubles the map. Waits for the readers of this process.
    func grow() throws(MemexError) {
        // Pages that a killed reader held are free again.
        checkReaders()
        pthread_rwlock_wrlock(mapLock)
        defer { pthread_rwlock_unlock(mapLock) }
        if let failure { throw failure }
        guard mapSize < Self.mapMaximum, Self.isAvailable(mapSize * 2) else {
            throw MemexError(
                .full,
                "the process may not map \(mapSize * 2) bytes; raise its limit of address space, nothing was stored"
            )
        }
        let code = memex_lmdb_set_map_size(handle, mapSize * 2)
        guard code == 0 else { throw lose(code) }
        mapSize *= 2
    }

    /// LMDB unmaps before it maps, so what cannot be had is found out first.
    private static func isAvailable(_ size: Int) -> Bool {
        guard let probe = mmap(nil, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
            probe != MAP_FAILED
        else { return false }
        munmap(probe, size)
        return true
    }

    private func lose(_ code: Int32) -> MemexError {
        let lost = MemexError(
            .poisoned, "the store could not be mapped again; close it and open it again",
            detailMembers: "\"engine\":\"lmdb\",\"errno\":\(code)")
        failure = lost
        return lost
    }

    // MARK: Upkeep

    /// Frees the places of readers whose process is gone.
    @discardableResult
    func checkReaders() -> Int {
        var dead: Int32 = 0
        _ = memex_lmdb_reader_check(handle, &dead)
        return Int(dead)
    }

    func information() throws(MemexError) -> MDB_envinfo {
        try hold()
        defer { release() }
        var information = MDB_envinfo()
        _ = memex_lmdb_info(handle, &information)
        return information
    }
}
