#if canImport(Glibc)
    internal import Glibc
#endif
package import MemexModel

/// A storage engine over any ordered store.
///
/// Other processes may write to the store too, so a commit carries conditions: what it is based on must
/// still be there. When they fail, it starts over from fresh reads; the rules of the contract are only
/// ever judged by those. Within the process writers take turns, and no lock is held while the store is
/// called.
package final class KeyValueEngine: StorageEngine, @unchecked Sendable {
    /// What belongs to whoever has the turn.
    struct Core: ~Copyable {
        var list = WriteList()
        var cache = ThreadCache()
        var commits: Int64 = 0
        var retries: Int64 = 0
    }

    /// Lost races after which a commit gives up.
    private static let attempts = 100

    let store: any OrderedStore
    let environment: Environment
    let core: UnsafeMutablePointer<Core>
    private let turn = WriterTurn()

    package let capabilities: EngineCapabilities
    package var isInsideCallback: Bool { store.isInsideCallback }

    package init(_ store: any OrderedStore, environment: Environment = .system) throws(MemexError) {
        self.store = store
        self.environment = environment
        var capabilities = EngineCapabilities()
        capabilities.durable = store.traits.durable
        capabilities.sharedBetweenProcesses = store.traits.sharedBetweenProcesses
        capabilities.erases = store.traits.erases
        self.capabilities = capabilities
        core = .allocate(capacity: 1)
        core.initialize(to: Core())
        try FormatRecord.open(store)
    }

    deinit {
        core.deinitialize(count: 1)
        core.deallocate()
    }

    package func commit(
        _ operations: [WriteOperation], until deadline: Deadline
    ) throws(MemexError) -> [WriteResult] {
        try refuseInsideCallback()
        try turn.take(until: deadline)
        defer { turn.give() }
        if operations.count == 1, case .append(let operation) = operations[0],
            let result = try appendAlone(operation)
        {
            return [result]
        }
        return try commitByReads(operations, until: deadline)
    }

    package func append(_ operation: AppendOperation, until deadline: Deadline) throws(MemexError)
        -> WriteResult
    {
        try refuseInsideCallback()
        try turn.take(until: deadline)
        defer { turn.give() }
        if let result = try appendAlone(operation) { return result }
        guard let result = try commitByReads([.append(operation)], until: deadline).first else {
            throw MemexError(.internal, "a commit gave no result")
        }
        return result
    }

    private func commitByReads(
        _ operations: [WriteOperation], until deadline: Deadline
    ) throws(MemexError) -> [WriteResult] {
        var attempt = 0
        while attempt < Self.attempts {
            if let results = try commitOnce(operations) { return results }
            core.pointee.retries &+= 1
            attempt &+= 1
            if attempt > 8 {
                if deadline.isPast { break }
                sched_yield()
            }
        }
        throw MemexError(
            .busy, "other writers were faster \(attempt) times; nothing was written, call again")
    }

    /// Nil when a condition did not hold any more.
    private func commitOnce(_ operations: [WriteOperation]) throws(MemexError) -> [WriteResult]? {
        let transaction = try WriteTransaction(store, environment)
        var results: [WriteResult] = []
        results.reserveCapacity(operations.count)
        for operation in operations { results.append(try transaction.apply(operation)) }
        core.pointee.list.removeAll()
        try transaction.finish(&core.pointee.list)
        defer { core.pointee.list.removeAll() }
        let writes = try core.pointee.list.finished()
        if writes.count == 0 { return results }
        for key in transaction.threadKeys { core.pointee.cache.drop(key) }
        guard try store.commit(writes) else { return nil }
        core.pointee.commits &+= 1
        return results
    }

    package func flush(until deadline: Deadline) throws(MemexError) { try store.flush(until: deadline) }

    /// A callback that waits for the turn would wait for itself.
    private func refuseInsideCallback() throws(MemexError) {
        guard !store.isInsideCallback else {
            throw MemexError(
                .reentrant, "a callback of the store used the store; do it after the callback has returned")
        }
    }

    package func interrupt() { turn.interrupt() }

    package func wipe(until deadline: Deadline) throws(MemexError) {
        guard capabilities.erases else {
            throw MemexError(.unsupported, "this store cannot wipe removed bytes from where it keeps them")
        }
        try store.wipe(until: deadline)
    }

    package func maintain(until deadline: Deadline) throws(MemexError) {}

    package func statistics() throws(MemexError) -> String {
        try refuseInsideCallback()
        try turn.take(until: .never)
        let own = "\"commits\":\(core.pointee.commits),\"lost_races\":\(core.pointee.retries)"
        turn.give()
        let rest = try store.statistics()
        return rest.isEmpty ? own : own + "," + rest
    }

    package func close() throws(MemexError) { try store.close() }
}
