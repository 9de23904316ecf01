internal import CMemexShim
internal import MemexModel
#if canImport(Glibc)
    internal import Glibc
#endif

/// Connections to one server, made when they are needed and kept for the next call; never more than the
/// limit.
final class RedisPool: @unchecked Sendable {
    private struct Waiting {
        var mutex = pthread_mutex_t()
        var changed = pthread_cond_t()
    }

    let address: RedisAddress
    private let sync = UnsafeMutablePointer<Waiting>.allocate(capacity: 1)
    private let connector: RedisConnector
    private let interruptions: RedisInterruptions
    private let process = getpid()
    private var idle: [RedisConnection] = []
    private var isClosed = false
    private var counts = Counts()
    /// An idle connection is closed after so many microseconds.
    private static let idleMaximum: Int64 = 600_000_000
    private static let fresh: Int64 = 1_000

    struct Counts {
        var open = 0
        var idle = 0
        var made: Int64 = 0
        var waited: Int64 = 0
        var broken: Int64 = 0
    }

    init(_ address: RedisAddress, _ connector: RedisConnector, _ interruptions: RedisInterruptions) {
        self.address = address
        self.connector = connector
        self.interruptions = interruptions
        sync.initialize(to: Waiting())
        pthread_mutex_init(&sync.pointee.mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(&sync.pointee.changed, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(&sync.pointee.changed)
        pthread_mutex_destroy(&sync.pointee.mutex)
        sync.deinitialize(count: 1)
        sync.deallocate()
    }

    var statistics: Counts {
        pthread_mutex_lock(&sync.pointee.mutex)
        defer { pthread_mutex_unlock(&sync.pointee.mutex) }
        counts.idle = idle.count
        return counts
    }

    /// A connection that was alive a moment ago.
    func take(until deadline: Deadline) throws(MemexError) -> RedisConnection {
        // The connections belong to the process that made them.
        guard getpid() == process else {
            throw MemexError(.forked, "the store was opened before fork(); open it again in this process")
        }
        if let found = try reserve(until: deadline) { return found }
        do throws(MemexError) {
            let made = try connector.connect(address, until: deadline)
            pthread_mutex_lock(&sync.pointee.mutex)
            counts.made += 1
            pthread_mutex_unlock(&sync.pointee.mutex)
            return made
        } catch {
            pthread_mutex_lock(&sync.pointee.mutex)
            counts.open -= 1
            pthread_cond_signal(&sync.pointee.changed)
            pthread_mutex_unlock(&sync.pointee.mutex)
            throw error
        }
    }

    /// An idle connection, or nil for the right to make one.
    private func reserve(until deadline: Deadline) throws(MemexError) -> RedisConnection? {
        let began = interruptions.current
        var limited: Deadline?
        pthread_mutex_lock(&sync.pointee.mutex)
        defer { pthread_mutex_unlock(&sync.pointee.mutex) }
        while true {
            if isClosed { throw MemexError(.closed, "the store is closed; open it again") }
            while let found = idle.popLast() {
                let age = memex_shim_monotonic_us() - found.idleSince
                // Right after its last use nobody has had time to end it unseen.
                if age < Self.fresh || age < Self.idleMaximum && found.isAlive() { return found }
                counts.broken += 1
                counts.open -= 1
                found.close()
            }
            let limit = connector.url.poolSize
            if counts.open < limit {
                counts.open += 1
                return nil
            }
            if limited == nil {
                counts.waited += 1
                let own =
                    connector.url.poolWait == .max ? Deadline.never : Deadline(after: connector.url.poolWait)
                limited = own.at < deadline.at ? own : deadline
            }
            let until = limited ?? deadline
            if until.isPast {
                throw MemexError(
                    .busy,
                    "all \(limit) connections of the pool are in use; call again, raise pool_size or "
                        + "timeout_us; nothing was stored", detailMembers: "\"pool_size\":\(limit)")
            }
            if interruptions.current != began { throw RedisConnector.interrupted }
            if memex_shim_monotonic_us() >= deadline.pauseAt {
                throw MemexError.paused(bySignal: false, remaining: deadline.remaining)
            }
            sleep(min(until.remaining, 20_000))
        }
    }

    /// Until something changes or the time is over; the mutex is held before and after.
    private func sleep(_ time: Int64) {
        let end = memex_shim_monotonic_us() + time
        var moment = timespec(tv_sec: Int(end / 1_000_000), tv_nsec: Int(end % 1_000_000) * 1000)
        _ = pthread_cond_timedwait(&sync.pointee.changed, &sync.pointee.mutex, &moment)
    }

    func give(_ connection: RedisConnection) {
        pthread_mutex_lock(&sync.pointee.mutex)
        let keep = !isClosed && !connection.isBroken
        if keep {
            connection.idleSince = memex_shim_monotonic_us()
            idle.append(connection)
        } else {
            counts.open -= 1
            if connection.isBroken { counts.broken += 1 }
        }
        pthread_cond_signal(&sync.pointee.changed)
        pthread_mutex_unlock(&sync.pointee.mutex)
        if !keep { connection.close() }
    }

    /// Closes the idle connections; those in use are closed when they come back.
    func close() {
        pthread_mutex_lock(&sync.pointee.mutex)
        isClosed = true
        let connections = idle
        idle = []
        counts.open -= connections.count
        pthread_cond_broadcast(&sync.pointee.changed)
        pthread_mutex_unlock(&sync.pointee.mutex)
        // What a parent process opened is not ours to end.
        guard getpid() == process else { return }
        for connection in connections { connection.close() }
    }
}
