package import MemexModel

/// A storage engine over any ordered store.
///
/// Other processes may write to the store too, so a commit carries conditions: what it is based on must
/// still be there. When they fail, it starts over from fresh reads; the rules of the contract are only
/// ever judged by those. Within the process writers take turns, and no lock is held while the store is
/// called. A store that keeps other writers out itself commits in groups (`GroupStore`); one that is far away
/// gets several commits at once (`PipelinedStore`).
package final class KeyValueEngine: StorageEngine, @unchecked Sendable {
    let store: any OrderedStore
    private let groups: (any GroupStore)?
    private let pipeline: (any PipelinedStore)?
    private let writer: KeyValueWriter
    private let turn = WriterTurn()
    /// Of a store with groups or a pipeline; it takes the place of the turn.
    private let queue: CommitQueue?

    package let capabilities: EngineCapabilities
    package var isInsideCallback: Bool { store.isInsideCallback }

    package convenience init(
        _ store: any OrderedStore, environment: Environment = .system
    ) throws(MemexError) {
        try self.init(store, groups: nil, environment)
    }

    package convenience init(
        pipelined store: any PipelinedStore, environment: Environment = .system
    ) throws(MemexError) {
        try self.init(store, groups: nil, pipeline: store, environment)
    }

    package convenience init(
        groups store: any GroupStore, environment: Environment = .system
    ) throws(MemexError) {
        try self.init(store, groups: store, environment)
    }

    private init(
        _ store: any OrderedStore, groups: (any GroupStore)?, pipeline: (any PipelinedStore)? = nil,
        _ environment: Environment
    ) throws(MemexError) {
        self.store = store
        self.groups = groups
        var capabilities = EngineCapabilities()
        capabilities.durable = store.traits.durable
        capabilities.sharedBetweenProcesses = store.traits.sharedBetweenProcesses
        capabilities.erases = store.traits.erases
        capabilities.isReadOnly = store.traits.isReadOnly
        capabilities.multiThreadBatches = store.traits.spansFamilies
        self.capabilities = capabilities
        let writer = KeyValueWriter(groups?.group ?? store, environment, isExclusive: groups != nil)
        self.writer = writer
        self.pipeline = pipeline
        if let groups {
            queue = CommitQueue(run: { writer.run($0, groups) }, settle: {})
        } else if let pipeline {
            queue = CommitQueue(run: { writer.run($0, pipeline) }, settle: {})
        } else {
            queue = nil
        }
        try FormatRecord.open(store)
    }

    package func commit(
        _ operations: [WriteOperation], until deadline: Deadline
    ) throws(MemexError) -> [WriteResult] {
        if let queue { return try queue.submit(operations, until: deadline) }
        try refuseInsideCallback()
        try turn.take(until: deadline)
        defer { turn.give() }
        return try writer.commit(operations, until: deadline)
    }

    package func append(_ operation: AppendOperation, until deadline: Deadline) throws(MemexError)
        -> WriteResult
    {
        if let queue { return try queue.submit(operation, until: deadline) }
        try refuseInsideCallback()
        try turn.take(until: deadline)
        defer { turn.give() }
        return try writer.append(operation, until: deadline)
    }

    package func flush(until deadline: Deadline) throws(MemexError) {
        guard let queue else { return try store.flush(until: deadline) }
        try queue.alone(until: deadline) { () throws(MemexError) in try store.flush(until: deadline) }
    }

    /// A callback that waits for the turn would wait for itself.
    private func refuseInsideCallback() throws(MemexError) {
        guard !store.isInsideCallback else {
            throw MemexError(
                .reentrant, "a callback of the store used the store; do it after the callback has returned")
        }
    }

    package func interrupt() {
        turn.interrupt()
        groups?.interrupt()
        pipeline?.interrupt()
        queue?.interrupt()
    }

    package func wipe(until deadline: Deadline) throws(MemexError) {
        guard capabilities.erases else {
            throw MemexError(.unsupported, "this store cannot wipe removed bytes from where it keeps them")
        }
        guard let queue else { return try store.wipe(until: deadline) }
        try queue.alone(until: deadline) { () throws(MemexError) in try store.wipe(until: deadline) }
    }

    package func maintain(until deadline: Deadline) throws(MemexError) {
        guard let queue, let groups, !capabilities.isReadOnly else { return }
        try queue.alone(until: deadline) { () throws(MemexError) in try groups.maintain(until: deadline) }
    }

    package func check(until deadline: Deadline) throws(MemexError) -> [String] {
        let checker = KeyValueChecker(self, deadline)
        try checker.run()
        return try (groups?.problems(until: deadline) ?? []) + checker.problems
    }

    package func statistics() throws(MemexError) -> String {
        let own: String
        if let queue {
            let counts = queue.counts
            own = "\"commits\":\(counts.groups),\"batches\":\(counts.requests)"
        } else {
            try refuseInsideCallback()
            try turn.take(until: .never)
            let core = writer.core
            own = "\"commits\":\(core.pointee.commits),\"lost_races\":\(core.pointee.retries)"
            turn.give()
        }
        let rest = try store.statistics()
        return rest.isEmpty ? own : own + "," + rest
    }

    package func close() throws(MemexError) {
        if let groups, !groups.leave() { return }
        queue?.close()
        try store.close()
    }
}
