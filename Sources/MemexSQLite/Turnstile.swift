internal import CMemexShim
internal import MemexModel
#if canImport(Glibc)
    internal import Glibc
#endif

/// Lets everybody through once it is open.
final class Turnstile: @unchecked Sendable {
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() { sem_init(semaphore, 0, 0) }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func open() { sem_post(semaphore) }

    func wait(until deadline: Deadline) throws(MemexError) {
        let stop = min(deadline.at, deadline.pauseAt)
        let code = memex_shim_semaphore_wait(semaphore, stop, deadline.isInterruptible ? 1 : 0)
        if code == 0 {
            // The next one that waits.
            sem_post(semaphore)
            return
        }
        guard deadline.isPast else {
            throw MemexError.paused(bySignal: code == EINTR, remaining: deadline.remaining)
        }
        throw MemexError(
            .timeout, "another thread of this process opens the database, longer than timeout_us; try again")
    }
}
