internal import CMemexShim
internal import MemexModel
internal import MemexStorage

/// Sends batches to the server: a batch is one transaction and one round trip.
final class PostgreSQLWriter: Sendable {
    let pool: PostgreSQLPool
    let environment: Environment
    let isFullyDurable: Bool
    private static let attemptsMaximum = 20
    private static let deadlineSpread: Int64 = 1_000_000
    /// Milliseconds that a group waits for a thread before it goes on without it.
    private static let lockWait: Int64 = 50

    init(_ pool: PostgreSQLPool, _ environment: Environment, isFullyDurable: Bool) {
        self.pool = pool
        self.environment = environment
        self.isFullyDurable = isFullyDurable
    }

    // MARK: Groups of appends

    /// Commits a group of appends in one transaction: fills results or failure of every request.
    func run(_ first: CommitRequest.Pointer) {
        var requests: [CommitRequest.Pointer] = []
        var at: CommitRequest.Pointer? = first
        while let request = at {
            requests.append(request)
            at = request.pointee.next
        }
        if requests.count > 1 {
            // In the order of the threads, so that groups never wait for each other in a circle.
            let order = requests.indices.sorted {
                (Self.key(requests[$0]), $0) < (Self.key(requests[$1]), $1)
            }
            requests = order.map { requests[$0] }
            if runTogether(requests) { return }
        }
        // Alone, so that a bad one fails alone.
        for request in requests {
            do throws(MemexError) {
                guard let append = request.pointee.append else { continue }
                request.pointee.result = try self.append(
                    append, to: Self.key(request), until: request.pointee.deadline, lockWait: Self.lockWait)
            } catch { request.pointee.failure = error }
        }
    }

    /// Commits one append. With a `lockWait` it throws `blocked` when the thread is held longer than that.
    func append(
        _ append: AppendOperation, to key: Int64, until deadline: Deadline, lockWait: Int64? = nil
    ) throws(MemexError) -> WriteResult {
        let results = try transact(until: deadline, lockWait: lockWait) {
            (connection, wait) throws(PostgreSQLFault) -> [Expected] in
            try self.queue(append, key, connection, wait, strict: false)
            return [.operation(.append(append), thread: key)]
        }
        guard let result = results.first else {
            throw MemexError(.internal, "the server gave no result")
        }
        return result
    }

    /// Somebody else's transaction holds the thread: waiting for it is not the business of the group.
    static let blocked = MemexError(
        .busy, "the thread is held by another transaction", detailMembers: "\"blocked\":true")

    static func isBlocked(_ error: MemexError) -> Bool {
        error.code == .busy && error.detailMembers == blocked.detailMembers
    }

    private static func key(_ request: CommitRequest.Pointer) -> Int64 {
        guard case .key(let key)? = request.pointee.append?.thread else { return 0 }
        return key
    }

    /// False when the server refused, and nothing is stored; or when one has much less time than another,
    /// whose wait it would cut short.
    private func runTogether(_ requests: [CommitRequest.Pointer]) -> Bool {
        var deadline = Deadline.never
        var latest: Int64 = 0
        for request in requests {
            let own = request.pointee.deadline
            latest = max(latest, own.at)
            if own.at < deadline.at { deadline = own }
        }
        if latest - deadline.at > Self.deadlineSpread { return false }
        func fail(_ error: MemexError) { for request in requests { request.pointee.failure = error } }
        let connection: PostgreSQLConnection
        do throws(MemexError) { connection = try pool.take(until: deadline) } catch {
            fail(error)
            return true
        }
        defer { pool.give(connection) }
        do throws(PostgreSQLFault) {
            for request in requests {
                guard let append = request.pointee.append else { continue }
                try queue(
                    append, Self.key(request), connection, Self.wait(deadline, Self.lockWait), strict: false)
            }
            try connection.run(until: deadline, cancel: { [pool] in pool.cancel(connection.backend) }) {
                index, row in
                guard index < requests.count else { return false }
                let request = requests[index]
                if row.number(0, 0) == 0 {
                    request.pointee.result = Self.appended(row, Self.key(request))
                } else {
                    request.pointee.failure = ServerError.condition(
                        row.number(0, 0), row.number(0, 1), expected: request.pointee.append?.expectSeq ?? 0)
                }
                return true
            }
        } catch {
            for request in requests { request.pointee.failure = nil }
            switch error {
            case .refused, .lost(wasSent: false): return false
            default: fail(Self.error(error, deadline))
            }
        }
        return true
    }

    // MARK: Batches

    /// What an answer is of.
    enum Expected {
        case nothing
        case operation(WriteOperation, thread: Int64)
    }

    func commit(_ operations: [WriteOperation], until deadline: Deadline) throws(MemexError) -> [WriteResult]
    {
        if operations.isEmpty { return [] }
        let keys = try keys(operations, until: deadline)
        let now = environment.now()
        return try transact(until: deadline) { (connection, wait) throws(PostgreSQLFault) -> [Expected] in
            connection.parameters.add(keys.locked)
            connection.parameters.add(wait)
            connection.parameters.add(self.isFullyDurable)
            try connection.queue(.begin)
            var expected = [Expected.nothing]
            for (index, operation) in operations.enumerated() {
                try self.queue(operation, keys.of[index], connection, wait, now)
                expected.append(.operation(operation, thread: keys.of[index]))
            }
            return expected
        }
    }

    /// Runs a transaction, again when others were in the way, until the deadline. Gives the results of the
    /// operations.
    private func transact(
        until deadline: Deadline, lockWait: Int64? = nil,
        _ queue: (PostgreSQLConnection, Int64) throws(PostgreSQLFault) -> [Expected]
    ) throws(MemexError) -> [WriteResult] {
        var attempts = 0
        while true {
            attempts += 1
            let connection = try pool.take(until: deadline)
            defer { pool.give(connection) }
            var expected: [Expected] = []
            var results: [WriteResult] = []
            var answered = 0
            var condition: MemexError?
            do throws(PostgreSQLFault) {
                expected = try queue(connection, Self.wait(deadline, lockWait))
                try connection.run(until: deadline, cancel: { [pool] in pool.cancel(connection.backend) }) {
                    index, row in
                    answered = index + 1
                    if index < expected.count, case .operation(let operation, let thread) = expected[index] {
                        if case .append(let append) = operation, row.number(0, 0) != 0 {
                            condition = ServerError.condition(
                                row.number(0, 0), row.number(0, 1), expected: append.expectSeq)
                        }
                        results.append(Self.result(operation, row, thread))
                    }
                    return true
                }
            } catch {
                switch error {
                case .refused(let refusal) where refusal.isTransient:
                    if attempts >= Self.attemptsMaximum || deadline.isPast { throw refusal.error("storing") }
                    // Others get on while this one waits.
                    _ = memex_shim_sleep_us(Int64(attempts) * 200)
                case .refused(let refusal) where refusal.isLockTimeout && lockWait != nil && !deadline.isPast:
                    throw Self.blocked
                case .refused(let refusal):
                    throw refusal.error("storing", expected: Self.expectation(expected, answered))
                case .lost(wasSent: false) where attempts < 3: continue
                default: throw Self.error(error, deadline)
                }
                continue
            }
            if let condition { throw condition }
            return results
        }
    }

    /// What the operation that failed wanted: the one after those that were answered.
    private static func expectation(_ expected: [Expected], _ index: Int) -> Int64 {
        guard index < expected.count, case .operation(let operation, _) = expected[index] else { return 0 }
        switch operation {
        case .append(let append): return append.expectSeq
        case .updateThread(let update): return update.expectVersion ?? 0
        default: return 0
        }
    }

    /// A fault of a write that may have reached the server.
    static func error(_ fault: PostgreSQLFault, _ deadline: Deadline) -> MemexError {
        let members = "\"engine\":\"postgresql\""
        switch fault {
        case .failed(let error): return error
        case .refused(let refusal): return refusal.error("storing")
        case .interrupted(isCertain: true, bySignal: true):
            return .paused(bySignal: true, remaining: deadline.remaining)
        case .interrupted(isCertain: true, bySignal: false): return PostgreSQLConnector.interrupted
        case .interrupted(isCertain: false, _):
            return MemexError(
                .outcomeUnknown,
                "interrupted, and the server did not say whether it stored anything; repeat the call with its "
                    + "idempotency key: it is stored once", detailMembers: members)
        case .lost(wasSent: false):
            return MemexError(
                .unavailable, "the connection to the server broke; nothing was stored, call again",
                detailMembers: members)
        case .lost(wasSent: true):
            return MemexError(
                .outcomeUnknown,
                "the connection to the server broke before it answered; repeat the call with its idempotency "
                    + "key: it is stored once", detailMembers: members)
        case .silent:
            return MemexError(
                .outcomeUnknown,
                "the server did not answer within timeout_us; repeat the call with its idempotency key: it is "
                    + "stored once", detailMembers: members)
        }
    }

    /// Milliseconds that the server may wait for a lock; 0 for ever.
    static func wait(_ deadline: Deadline, _ atMost: Int64? = nil) -> Int64 {
        if deadline.at == .max { return atMost ?? 0 }
        return min(max(deadline.remaining / 1000, 1), atMost ?? 86_400_000)
    }
}
