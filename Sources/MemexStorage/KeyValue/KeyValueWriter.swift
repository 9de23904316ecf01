#if canImport(Glibc)
    internal import Glibc
#endif
internal import MemexModel

/// The writing half of a `KeyValueEngine`. Used by one thread at a time: whoever has the turn.
final class KeyValueWriter: @unchecked Sendable {
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
    /// Nobody else writes to the store meanwhile.
    let isExclusive: Bool
    let core: UnsafeMutablePointer<Core>

    init(_ store: any OrderedStore, _ environment: Environment, isExclusive: Bool) {
        self.store = store
        self.environment = environment
        self.isExclusive = isExclusive
        core = .allocate(capacity: 1)
        core.initialize(to: Core())
    }

    deinit {
        core.deinitialize(count: 1)
        core.deallocate()
    }

    func commit(
        _ operations: [WriteOperation], until deadline: Deadline
    ) throws(MemexError) -> [WriteResult] {
        if operations.count == 1, case .append(let operation) = operations[0],
            let result = try appendAlone(operation, until: deadline)
        {
            return [result]
        }
        return try commitByReads(operations, until: deadline)
    }

    func append(_ operation: AppendOperation, until deadline: Deadline) throws(MemexError) -> WriteResult {
        if let result = try appendAlone(operation, until: deadline) { return result }
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
            if let results = try commitOnce(operations, until: deadline) { return results }
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
    private func commitOnce(
        _ operations: [WriteOperation], until deadline: Deadline
    ) throws(MemexError) -> [WriteResult]? {
        let transaction = try WriteTransaction(store.bounded(until: deadline), environment)
        var results: [WriteResult] = []
        results.reserveCapacity(operations.count)
        for operation in operations { results.append(try transaction.apply(operation)) }
        core.pointee.list.removeAll()
        try transaction.finish(&core.pointee.list)
        defer { core.pointee.list.removeAll() }
        let writes = try core.pointee.list.finished()
        if writes.count == 0 {
            try confirm(results, until: deadline)
            return results
        }
        for key in transaction.threadKeys { core.pointee.cache.drop(key) }
        guard try store.commit(writes, until: deadline) else { return nil }
        core.pointee.commits &+= 1
        return results
    }

    /// An append that is there already is acknowledged again.
    private func confirm(_ results: [WriteResult], until deadline: Deadline) throws(MemexError) {
        for result in results where result.isDuplicate {
            var name = ByteBuffer(capacity: 16)
            name.key(KeyLayout.head, result.key)
            try name.lend { (name) throws(MemexError) -> Void in try store.confirm(name, until: deadline) }
        }
    }
}
