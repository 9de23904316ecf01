internal import CMemexShim
#if canImport(Glibc)
    internal import Glibc
#endif
package import MemexModel

/// The lock that every writer of a folder holds, in all processes: a robust mutex in a file of ours in it, which
/// costs no system call while nobody waits. Waits have a deadline and can be interrupted; the lock of a process
/// that is killed is free. The thread that took it gives it back. Not recursive.
package final class ProcessLock: @unchecked Sendable {
    private let descriptor: Int32
    private let mutex: UnsafeMutableRawPointer
    private let process = getpid()
    private let interruptions: Interruptions

    package init(
        path: String, interruptions: Interruptions, until deadline: Deadline
    ) throws(MemexError) {
        self.interruptions = interruptions
        while true {
            var opened: Int32 = -1
            var mapped: UnsafeMutableRawPointer?
            let code = memex_shim_mutex_open(path, &opened, &mapped)
            if code == 0, let mapped {
                descriptor = opened
                mutex = mapped
                // A flock that a child keeps would outlive its owner.
                memex_shim_fork_close_add(descriptor)
                return
            }
            guard code == EAGAIN, !deadline.isPast else {
                throw SystemRefusal.error(code, "the writers' lock file cannot be opened")
            }
            try deadline.sleep(500)
        }
    }

    deinit {
        // In a forked child the descriptor's number may be another file's.
        guard getpid() == process else { return }
        memex_shim_fork_close_remove(descriptor)
        memex_shim_mutex_close(descriptor, mutex)
    }

    @inline(__always)
    package func lock(until deadline: Deadline) throws(MemexError) {
        if memex_shim_mutex_try(mutex) == 0 { return }
        try wait(until: deadline)
    }

    @inline(never)
    private func wait(until deadline: Deadline) throws(MemexError) {
        let before = interruptions.current
        var pause: Int64 = 10
        var tries = 0
        while true {
            let code = memex_shim_mutex_try(mutex)
            if code == 0 { return }
            guard code == EBUSY else {
                throw MemexError(
                    .io, "the writers' lock cannot be taken; close the store and open it again",
                    detailMembers: "\"errno\":\(code)")
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
                try deadline.sleep(pause)
                if pause < 500 { pause += pause / 2 }
            }
        }
    }

    package func unlock() { memex_shim_mutex_give(mutex) }
}
