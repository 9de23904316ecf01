internal import CMemexShim
#if canImport(Glibc)
    internal import Glibc
#endif

/// A mutex on the heap, for state that the compiler cannot see to be guarded.
package final class Lock: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

    /// With `survivesFork` a forked child never finds it held by a thread that it does not have: for state
    /// of the whole process. Such locks are never taken under one another, and never freed.
    package init(survivesFork: Bool = false) {
        pthread_mutex_init(mutex, nil)
        if survivesFork { memex_shim_fork_guard(mutex) }
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    @inline(__always)
    package func withLock<Result, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body()
    }
}
