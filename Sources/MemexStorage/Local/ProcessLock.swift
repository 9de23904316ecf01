internal import CMemexShim
#if canImport(Glibc)
    internal import Glibc
#endif
package import MemexModel

/// The lock that every writer of a folder holds, in all processes: `flock` on a file of ours in it. Its waits
/// have a deadline and can be interrupted. A forked child closes its copy of the descriptor, or the lock
/// would outlive its owner.
package final class ProcessLock: Sendable {
    private let descriptor: Int32
    private let process = getpid()
    private let interruptions: Interruptions

    package init(path: String, interruptions: Interruptions) throws(MemexError) {
        self.interruptions = interruptions
        let opened = memex_shim_open(path, O_RDWR | O_CREAT, 0o600)
        guard opened >= 0 else {
            throw SystemRefusal.error(-opened, "the writers' lock file cannot be opened")
        }
        descriptor = opened
        memex_shim_fork_close_add(descriptor)
    }

    deinit {
        // In a forked child the number may be another file's.
        guard getpid() == process else { return }
        memex_shim_fork_close_remove(descriptor)
        _ = Glibc.close(descriptor)
    }

    package func lock(until deadline: Deadline) throws(MemexError) {
        if memex_shim_lock_try(descriptor) == 0 { return }
        try wait(until: deadline)
    }

    @inline(never)
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
                    .timeout, "another process holds the store longer than timeout_us; nothing was stored")
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

    package func unlock() { _ = memex_shim_unlock(descriptor) }
}
