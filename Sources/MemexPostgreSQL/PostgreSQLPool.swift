internal import CMemexShim
internal import MemexModel
#if canImport(Glibc)
    internal import Glibc
#endif

/// Connections, made when they are needed and kept for the next call; never more than the limit.
final class PostgreSQLPool: @unchecked Sendable {
    private struct Waiting {
        var mutex = pthread_mutex_t()
        var changed = pthread_cond_t()
    }

    private let sync = UnsafeMutablePointer<Waiting>.allocate(capacity: 1)
    private let connector: PostgreSQLConnector
    /// Not interrupted by what makes it necessary.
    private let canceller: PostgreSQLConnector
    private let interruptions: PostgreSQLInterruptions
    private let limit: Int
    private let wait: Int64
    private let process = getpid()
    private var idle: [PostgreSQLConnection] = []
    private var open = 0
    private var isClosed = false
    private var counts = (connected: Int64(0), waited: Int64(0), broken: Int64(0))
    /// An idle connection is closed after so many microseconds.
    private static let idleMaximum: Int64 = 600_000_000
    private static let fresh: Int64 = 1_000

    init(_ url: PostgreSQLURL, _ text: PostgreSQLText, _ interruptions: PostgreSQLInterruptions) {
        connector = PostgreSQLConnector(url, text, interruptions)
        canceller = PostgreSQLConnector(url, text, PostgreSQLInterruptions())
        self.interruptions = interruptions
        limit = connector.url.poolSize
        wait = connector.url.poolWait
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

    /// The connections belong to the process that made them.
    func checkProcess() throws(MemexError) {
        guard getpid() == process else {
            throw MemexError(
                .forked, "the store was opened before fork(); open it again in this process")
        }
    }

    var statistics: String {
        pthread_mutex_lock(&sync.pointee.mutex)
        defer { pthread_mutex_unlock(&sync.pointee.mutex) }
        return "\"connections\":\(open),\"connections_idle\":\(idle.count),\"connections_limit\":\(limit)"
            + ",\"connections_made\":\(counts.connected),\"connections_broken\":\(counts.broken)"
            + ",\"pool_waits\":\(counts.waited)"
    }

    /// A connection that was alive a moment ago.
    func take(until deadline: Deadline) throws(MemexError) -> PostgreSQLConnection {
        try checkProcess()
        if let found = try reserve(until: deadline) { return found }
        do throws(MemexError) {
            let made = try connector.connect(until: deadline)
            pthread_mutex_lock(&sync.pointee.mutex)
            counts.connected += 1
            pthread_mutex_unlock(&sync.pointee.mutex)
            return made
        } catch {
            release()
            throw error
        }
    }

    /// An idle connection, or nil for the right to make one.
    private func reserve(until deadline: Deadline) throws(MemexError) -> PostgreSQLConnection? {
        let began = interruptions.current
        var limited: Deadline?
        pthread_mutex_lock(&sync.pointee.mutex)
        defer { pthread_mutex_unlock(&sync.pointee.mutex) }
        while true {
            if isClosed { throw MemexError(.closed, "the store is closed; open it again") }
            while let found = idle.popLast() {
                let age = memex_shim_monotonic_us() - found.idleSince
                // Right after its last use nobody has had time to end it unseen.
                if age < Self.fresh || age < Self.idleMaximum && found.isAlive() {
                    return found
                }
                counts.broken += 1
                open -= 1
                found.close()
            }
            if open < limit {
                open += 1
                return nil
            }
            let until: Deadline
            if let limited {
                until = limited
            } else {
                counts.waited += 1
                let own = wait == .max ? Deadline.never : Deadline(after: wait)
                until = own.at < deadline.at ? own : deadline
                limited = until
            }
            if until.isPast {
                throw MemexError(
                    .busy,
                    "all \(limit) connections of the pool are in use; call again, raise pool_size or "
                        + "timeout_us; nothing was stored", detailMembers: "\"pool_size\":\(limit)")
            }
            if interruptions.current != began { throw PostgreSQLConnector.interrupted }
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

    func give(_ connection: PostgreSQLConnection) {
        pthread_mutex_lock(&sync.pointee.mutex)
        let keep = !isClosed && !connection.isBroken
        if keep {
            connection.idleSince = memex_shim_monotonic_us()
            idle.append(connection)
        } else {
            open -= 1
            if connection.isBroken { counts.broken += 1 }
        }
        pthread_cond_signal(&sync.pointee.changed)
        pthread_mutex_unlock(&sync.pointee.mutex)
        if !keep { connection.close() }
    }

    private func release() {
        pthread_mutex_lock(&sync.pointee.mutex)
        open -= 1
        pthread_cond_signal(&sync.pointee.changed)
        pthread_mutex_unlock(&sync.pointee.mutex)
    }

    /// Asks the server to cancel what another connection runs. It is given a moment; behind a pooler the
    /// session's number is not the server's, and nothing is done.
    func cancel(_ backend: Int32) {
        guard connector.url.usesPrepared,
            let connection = try? canceller.connect(until: Deadline(after: 300_000))
        else { return }
        defer { connection.close() }
        do throws(PostgreSQLFault) {
            connection.parameters.add(Int64(backend))
            try connection.queue(sql: "SELECT pg_cancel_backend($1::bigint::integer)")
            try connection.run(until: Deadline(after: 300_000)) { _, _ in true }
        } catch { return }
    }

    /// Closes the idle connections; those in use are closed when they come back.
    func close() {
        pthread_mutex_lock(&sync.pointee.mutex)
        isClosed = true
        let connections = idle
        idle = []
        open -= connections.count
        pthread_cond_broadcast(&sync.pointee.changed)
        pthread_mutex_unlock(&sync.pointee.mutex)
        // What a parent process opened is not ours to end.
        guard getpid() == process else { return }
        for connection in connections { connection.close() }
    }
}
