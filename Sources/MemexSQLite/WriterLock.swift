internal import CMemexShim
internal import MemexModel
#if canImport(Glibc)
    internal import Glibc
#endif

/// The lock that every writer of a database holds, in all processes: `flock` on a file beside it.
///
/// It makes waiting fair where SQLite's own lock polls, and it keeps checkpoints away from commits:
/// SQLite 3.7.0 to 3.51.2 can lose a commit that resets the log while another connection checkpoints
/// (https://sqlite.org/wal.html#walresetbug). A forked child closes its copy of the descriptor, or the
/// lock would outlive its owner.
final class WriterLock {
    private let descriptor: Int32
    private let interruptions: Interruptions

    init(path: String, interruptions: Interruptions) throws(MemexError) {
        self.interruptions = interruptions
        let opened = memex_shim_open(path, O_RDWR | O_CREAT, 0o600)
        guard opened >= 0 else {
            throw MemexError(
                .io,
                "the lock file beside the database cannot be opened; check the permissions of the folder",
                detailMembers: "\"errno\":\(-opened)")
        }
        descriptor = opened
        memex_shim_fork_close_add(descriptor)
    }

    deinit {
        memex_shim_fork_close_remove(descriptor)
        _ = Glibc.close(descriptor)
    }

    func lock(until deadline: Deadline) throws(MemexError) {
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
                memex_shim_sleep_us(min(pause, deadline.remaining))
                if pause < 500 { pause += pause / 2 }
            }
        }
    }

    func unlock() { _ = memex_shim_unlock(descriptor) }
}
