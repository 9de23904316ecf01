internal import CMemexShim
internal import MemexModel
#if canImport(Glibc)
    internal import Glibc
#endif
internal import Synchronization

/// Notices that the path of an open database leads to other files than the open ones: moved, deleted, replaced.
///
/// Before an acknowledgement three files would have to be looked up by name. The folder's time of change says
/// in one cheap call that none of them came or went; that call is made once in two milliseconds, since who loses
/// a file loses what was acknowledged just before as well. Files are looked up when that time moved, while it is so
/// recent that another change could bear the same, and once a second, since it does not tell of folders above.
final class FileWatch: Sendable {
    typealias Identity = (device: UInt64, inode: UInt64)

    private struct Watched: Sendable {
        let path: String
        let identity: Identity
    }

    private let folder: Int32
    private let files: [Watched]
    private let lock: WriterLock?
    private let isMoved = Atomic<Bool>(false)
    /// The folder's time of change at which the files were in place; -1 while it cannot be relied on.
    private let settled = Atomic<Int64>(-1)
    private let nextLook = Atomic<Int64>(0)
    private let nextCheck = Atomic<Int64>(0)

    private static let checkInterval: Int64 = 2_000
    private static let lookInterval: Int64 = 1_000_000

    static let moved = MemexError(
        .poisoned,
        "the database file, or its log, was moved, deleted or replaced while it was open; close all stores of it, "
            + "put the file back together with its -wal or take what is there, and open again",
        detailMembers: "\"engine\":\"sqlite\"")

    static let movedWhileCommitting = MemexError(
        .outcomeUnknown,
        "the database file, or its log, was moved, deleted or replaced while it was open, so what this call stored "
            + "may be in a file that nobody will find; close all stores of it, open again and repeat the call with "
            + "its idempotency key", detailMembers: "\"engine\":\"sqlite\"")

    /// - Parameter path: without symbolic links; the connection has the file open.
    init(path: String, connection: SQLiteConnection, lock: WriterLock?) throws(MemexError) {
        // Only a writer keeps the log and its index in place.
        var found: [Watched] = []
        for suffix in lock == nil ? [""] : ["", "-wal", "-shm"] {
            guard let identity = DatabaseFile.identity(path + suffix) else { continue }
            found.append(Watched(path: path + suffix, identity: identity))
        }
        // SQLite compares the path with the file that it opened.
        guard !connection.hasMoved, found.first?.path == path else { throw Self.moved }
        files = found
        self.lock = lock
        folder = memex_shim_open_folder(DatabaseFile.folder(of: path))
        lock?.watch = self
    }

    deinit {
        lock?.watch = nil
        if folder >= 0 { _ = Glibc.close(folder) }
    }

    /// Throws POISONED when something else is in place of the open files, and from then on.
    func check() throws(MemexError) {
        if isKnownToHaveMoved { throw Self.moved }
        let now = memex_shim_monotonic_us()
        if now < nextCheck.load(ordering: .relaxed) { return }
        let changed = memex_shim_folder_changed_ns(folder)
        let isSettled = changed != -1 && changed == settled.load(ordering: .relaxed)
        if !isSettled || now >= nextLook.load(ordering: .relaxed) { try look(changed) }
        nextCheck.store(now &+ Self.checkInterval, ordering: .relaxed)
    }

    var isKnownToHaveMoved: Bool { isMoved.load(ordering: .relaxed) }

    /// The same for a connection that was just opened.
    func check(_ connection: SQLiteConnection) throws(MemexError) {
        if connection.hasMoved { isMoved.store(true, ordering: .relaxed) }
        try check()
    }

    private func look(_ changed: Int64) throws(MemexError) {
        let now = memex_shim_realtime_us()
        lock?.lookAgain()
        for file in files {
            var here: Identity = (0, 0)
            var isRegular: Int32 = 0
            let code = memex_shim_identity(file.path, &here.device, &here.inode, &isRegular)
            let isGone = code == ENOENT || code == ENOTDIR || code == ELOOP
            // A path that may not be looked at says nothing.
            if isGone || code == 0 && here != file.identity {
                isMoved.store(true, ordering: .relaxed)
                throw Self.moved
            }
        }
        // Clocks of file systems tick in up to 10 ms, those without fractions in up to 2 s.
        let tick: Int64 = changed % 1_000_000_000 == 0 ? 3_000_000 : 50_000
        let isSettled = changed != -1 && now &- changed / 1000 > tick
        nextLook.store(memex_shim_monotonic_us() &+ Self.lookInterval, ordering: .relaxed)
        settled.store(isSettled ? changed : -1, ordering: .relaxed)
    }
}
