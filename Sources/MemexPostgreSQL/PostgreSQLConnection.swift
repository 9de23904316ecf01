internal import CMemexShim
internal import MemexModel
#if canImport(Glibc)
    internal import Glibc
#endif

/// One connection, in libpq's pipeline mode: what is queued is sent together, is one transaction, and is
/// waited for once. Used by one thread at a time. No call of libpq waits; `poll` does, until the deadline.
final class PostgreSQLConnection {
    let handle: OpaquePointer
    let serverVersion: Int32
    let isEncrypted: Bool
    var parameters = PostgreSQLParameters()
    /// When it was put back.
    var idleSince: Int64 = 0
    private(set) var isBroken = false

    private let sql: PostgreSQLText
    private let usesPrepared: Bool
    private var prepared: Set<Int> = []
    private let interruptions: PostgreSQLInterruptions
    private let socket: Int32
    /// What the server owes an answer to; the number of a statement that is being prepared, or -1.
    private var owed: [Int] = []
    /// The server's answer to an expired wait for a lock comes after the deadline.
    static let grace: Int64 = 60_000

    init(
        _ handle: OpaquePointer, _ sql: PostgreSQLText, usesPrepared: Bool,
        _ interruptions: PostgreSQLInterruptions
    ) {
        self.handle = handle
        self.sql = sql
        self.usesPrepared = usesPrepared
        self.interruptions = interruptions
        serverVersion = memex_pq_server_version(handle)
        isEncrypted = memex_pq_is_encrypted(handle) != 0
        // libpq forgets its socket when it breaks.
        socket = memex_pq_socket(handle)
        memex_shim_fork_close_add(socket)
    }

    func filled(_ sql: String) -> String { self.sql.fill(sql) }

    /// The number by which the server knows the session.
    var backend: Int32 { memex_pq_backend(handle) }

    func close() {
        memex_shim_fork_close_remove(socket)
        memex_pq_finish(handle)
    }

    /// False when the server ended an idle connection. Nothing is sent for that.
    func isAlive() -> Bool {
        if isBroken { return false }
        var descriptor = pollfd(fd: memex_pq_socket(handle), events: Int16(POLLIN), revents: 0)
        if Glibc.poll(&descriptor, 1, 0) == 0 { return true }
        // What comes unasked is a farewell, or a change of a setting.
        if memex_pq_consume(handle) == 0 || memex_pq_is_bad(handle) != 0 { isBroken = true }
        return !isBroken
    }

    // MARK: Sending

    /// Queues a statement with `parameters`, which are empty afterwards.
    func queue(_ statement: PostgreSQLStatement) throws(PostgreSQLFault) {
        defer { parameters.removeAll() }
        if !usesPrepared { return try queue(sql: sql[statement]) }
        let number = statement.rawValue
        let sent: Int32 = PostgreSQLText.name(number).withCString { name in
            if !prepared.contains(number), !owed.contains(number) {
                let parsed = sql[statement].withCString { memex_pq_send_prepare(handle, name, $0) }
                if parsed != 1 { return 0 }
                owed.append(number)
            }
            return parameters.withPointers { count, values, lengths, formats in
                memex_pq_send_prepared(handle, name, count, values, lengths, formats)
            }
        }
        try check(sent)
        owed.append(-1)
    }

    /// Queues a statement that is not kept.
    func queue(sql: String) throws(PostgreSQLFault) {
        defer { parameters.removeAll() }
        let sent = sql.withCString { sql in
            parameters.withPointers { count, values, lengths, formats in
                memex_pq_send(handle, sql, count, values, lengths, formats)
            }
        }
        try check(sent)
        owed.append(-1)
    }

    private func check(_ sent: Int32) throws(PostgreSQLFault) {
        if sent == 1 { return }
        isBroken = true
        if sent < 0 { throw .failed(.noMemory) }
        throw .lost(wasSent: false)
    }

    // MARK: Receiving

    /// Sends what is queued and gives every row of the answers, with the number of its statement among
    /// those queued. `false` from the visitor: the remaining rows are thrown away. Returns when the
    /// transaction is committed.
    func run(
        until deadline: Deadline, streams: Bool = false,
        cancel: (() -> Void)? = nil, _ visit: (Int, PostgreSQLRow) -> Bool
    ) throws(PostgreSQLFault) {
        defer { owed.removeAll(keepingCapacity: true) }
        var wait = Wait(
            began: interruptions.current,
            limit: deadline.at > .max - Self.grace ? .max : deadline.at + Self.grace,
            heedsSignals: deadline.isInterruptible && usesPrepared && cancel != nil)
        guard memex_pq_sync(handle) == 1 else { throw broken(wasSent: false) }
        try flush(&wait, cancel)
        var refusal: ServerError?
        var wants = true
        var index = 0
        for entry in owed {
            var isFirst = true
            while true {
                if isFirst, streams, entry < 0 { _ = memex_pq_single_rows(handle) }
                isFirst = false
                guard let result = try next(&wait, cancel) else {
                    if memex_pq_is_bad(handle) != 0 { throw broken(after: refusal) }
                    break
                }
                defer { memex_pq_clear(result) }
                switch memex_pq_result_status(result) {
                case PGRES_TUPLES_OK, PGRES_SINGLE_TUPLE:
                    let count = memex_pq_rows(result)
                    var row: Int32 = 0
                    while wants, row < count {
                        wants = visit(index, PostgreSQLRow(result: result, row: row))
                        row += 1
                    }
                case PGRES_COMMAND_OK: if entry >= 0 { prepared.insert(entry) }
                case PGRES_PIPELINE_ABORTED: break
                default:
                    let found = ServerError(result)
                    // Without a code it is libpq that says so: the connection is gone.
                    if refusal == nil, !found.state.isEmpty { refusal = found }
                    if memex_pq_is_bad(handle) != 0 { throw broken(after: refusal) }
                }
            }
            if entry < 0 { index += 1 }
        }
        let before = refusal
        var isCommitted = false
        while let result = try next(&wait, cancel) {
            let status = memex_pq_result_status(result)
            if status == PGRES_FATAL_ERROR, refusal == nil {
                let found = ServerError(result)
                if !found.state.isEmpty { refusal = found }
            }
            memex_pq_clear(result)
            if status == PGRES_PIPELINE_SYNC {
                isCommitted = true
                break
            }
        }
        if !isCommitted { throw broken(after: before) }
        guard let refusal else { return }
        if refusal.isUnknownStatement { prepared.removeAll() }
        if refusal.isReadOnlyServer { isBroken = true }
        if refusal.isCancelled, wait.isInterrupted {
            throw .interrupted(isCertain: true, bySignal: wait.bySignal)
        }
        throw .refused(refusal)
    }

    /// A server that refused a statement, and then ended the session, has committed nothing: it commits after
    /// the last statement's answer.
    private func broken(after refusal: ServerError?) -> PostgreSQLFault {
        isBroken = true
        if let refusal { return .refused(refusal) }
        return .lost(wasSent: true)
    }

    private func broken(wasSent: Bool) -> PostgreSQLFault {
        isBroken = true
        return .lost(wasSent: wasSent)
    }

    // MARK: Waiting

    /// What a round trip has to wait for.
    private struct Wait {
        let began: Int
        var limit: Int64
        /// A signal ends it, where the server can be told.
        var heedsSignals: Bool
        var isInterrupted = false
        var bySignal = false
    }

    private func flush(_ wait: inout Wait, _ cancel: (() -> Void)?) throws(PostgreSQLFault) {
        while true {
            let rest = memex_pq_flush(handle)
            if rest == 0 { return }
            if rest < 0 { throw broken(wasSent: true) }
            // The server may be waiting for us to read before it reads on.
            if try poll(POLLIN | POLLOUT, &wait, cancel) & Int16(POLLIN) != 0,
                memex_pq_consume(handle) == 0
            {
                throw broken(wasSent: true)
            }
        }
    }

    private func next(_ wait: inout Wait, _ cancel: (() -> Void)?) throws(PostgreSQLFault) -> OpaquePointer? {
        while memex_pq_is_busy(handle) != 0 {
            _ = try poll(POLLIN, &wait, cancel)
            // What came before the end is still to be had.
            if memex_pq_consume(handle) == 0 { break }
        }
        return memex_pq_result(handle)
    }

    private func poll(_ events: Int32, _ wait: inout Wait, _ cancel: (() -> Void)?) throws(PostgreSQLFault)
        -> Int16
    {
        var descriptor = pollfd(
            fd: memex_pq_socket(handle), events: Int16(truncatingIfNeeded: events), revents: 0)
        while true {
            let left = wait.limit == .max ? Int64.max : max(wait.limit - memex_shim_monotonic_us(), 0)
            // Slices, so that an interruption is seen.
            let slice = min(left / 1000 + 1, 20)
            let ready = Glibc.poll(&descriptor, 1, Int32(truncatingIfNeeded: slice))
            if ready > 0 { return descriptor.revents }
            if left == 0 {
                isBroken = true
                if wait.isInterrupted { throw .interrupted(isCertain: false, bySignal: false) }
                throw .silent
            }
            let isSignalled = ready < 0 && errno == EINTR && wait.heedsSignals
            if !wait.isInterrupted, isSignalled || interruptions.current != wait.began {
                wait.isInterrupted = true
                wait.bySignal = isSignalled
                guard let cancel, usesPrepared else {
                    isBroken = true
                    throw .interrupted(isCertain: false, bySignal: false)
                }
                cancel()
                wait.limit = min(wait.limit, memex_shim_monotonic_us() + 1_000_000)
            }
        }
    }
}
