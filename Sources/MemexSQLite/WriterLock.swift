internal import CMemexShim
internal import MemexModel
#if canImport(Glibc)
    internal import Glibc
#endif
internal import Synchronization

/// The lock that every writer of a database holds, in all processes: `flock` on a file beside it.
///
/// It makes waiting fair where SQLite's own lock polls, and it keeps checkpoints away from commits:
/// SQLite 3.7.0 to 3.51.2 can lose a commit that resets the log while another connection checkpoints
/// (https://sqlite.org/wal.html#walresetbug). A forked child closes its copy of the descriptor, or the
/// lock would outlive its owner.
///
/// An open that is refused removes the file that it made. So whoever got the lock looks whether it is still that
/// of the path, and else takes the one that is. Used by one thread at a time, `lookAgain` excepted.
final class WriterLock: @unchecked Sendable {
    private let path: String
    private var descriptor: Int32
    private var isOurs: Bool
    private let mustLook = Atomic<Bool>(true)
    private let interruptions: Interruptions
    /// Asked before another file takes the place of one that is gone: it may have gone with the database.
    /// It holds this lock and takes itself away when it ends. A weak reference would make each use of it slower.
    unowned(unsafe) var watch: FileWatch?

    init(path: String, interruptions: Interruptions) throws(MemexError) {
        self.path = path
        self.interruptions = interruptions
        (descriptor, isOurs) = try Self.open(path)
        memex_shim_fork_close_add(descriptor)
    }

    deinit { close() }

    private func close() {
        memex_shim_fork_close_remove(descriptor)
        _ = Glibc.close(descriptor)
    }

    /// Opens the file, or makes it: true.
    private static func open(_ path: String) throws(MemexError) -> (Int32, Bool) {
        while true {
            let found = memex_shim_open(path, O_RDWR, 0)
            if found >= 0 { return (found, false) }
            guard found == -ENOENT else { throw refused(-found, path) }
            let made = memex_shim_open(path, O_RDWR | O_CREAT | O_EXCL, 0o600)
            if made >= 0 { return (made, true) }
            guard made == -EEXIST else { throw refused(-made, path) }
        }
    }

    private static func refused(_ code: Int32, _ path: String) -> MemexError {
        SystemFailure.error(
            code, path, "the writers' lock file",
            advice: code == ELOOP ? "remove the symbolic link, the library makes the file itself" : nil)
    }

    /// The next lock is compared with the path.
    func lookAgain() { mustLook.store(true, ordering: .relaxed) }

    func lock(until deadline: Deadline) throws(MemexError) {
        while true {
            try wait(until: deadline)
            guard mustLook.load(ordering: .relaxed) else { return }
            if isInPlace {
                mustLook.store(false, ordering: .relaxed)
                return
            }
            unlock()
            try watch?.check()
            let (opened, isOurs) = try Self.open(path)
            close()
            (descriptor, self.isOurs) = (opened, isOurs)
            memex_shim_fork_close_add(descriptor)
        }
    }

    private var isInPlace: Bool {
        var own: FileWatch.Identity = (0, 0)
        guard memex_shim_descriptor_identity(descriptor, &own.device, &own.inode) == 0,
            let there = DatabaseFile.identity(path)
        else { return false }
        return there == own
    }

    /// Removes the file if this lock made it; the caller holds the lock, and will not use it again.
    func discard() {
        if isOurs, isInPlace { _ = Glibc.unlink(path) }
    }

    private func wait(until deadline: Deadline) throws(MemexError) {
        let before = interruptions.current
        var pause: Int64 = 10
        var tries = 0
        while true {
            let code = memex_shim_lock_try(descriptor)
            if code == 0 { return }
            guard code == EWOULDBLOCK else {
                throw MemexError(
                    .io, "the writers' lock cannot be taken", detailMembers: "\"errno\":\(code)")
            }
            if interruptions.current != before {
                throw MemexError(
                    .cancelled, "interrupted while waiting for another process; nothing was stored")
            }
            if deadline.isPast {
                throw MemexError(
                    .timeout, "another process holds the database longer than timeout_us; nothing was stored")
            }
            tries += 1
            if tries < 8 {
                sched_yield()
            } else {
                try deadline.sleep(pause)
                if pause < 500 { pause += pause / 2 }
            }
        }
    }

    func unlock() { _ = memex_shim_unlock(descriptor) }
}
