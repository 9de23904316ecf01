package import MemexModel

/// What an engine can do; what it cannot, the core does without or refuses before writing.
package struct EngineCapabilities: Sendable {
    /// A batch may touch several threads.
    package var multiThreadBatches = true
    /// An acknowledged commit survives power loss.
    package var durable = true
    /// Several processes may use it at once.
    package var sharedBetweenProcesses = true
    /// Removed bytes can be wiped from its files.
    package var erases = true
    package var isReadOnly = false

    package init() {}
}

/// Which threads to list, in which order.
package struct ThreadScan: Sendable {
    package enum Order: Sendable {
        /// By `activityAt`, then key: coarse, see `ActivityOrder`.
        case coarseActivity
        /// By key: the order in which they were created.
        case creation
    }

    package var tenant: String
    package var order: Order
    package var descending: Bool
    /// Where to begin, itself included: (activityAt, key), or (0, key) for creation.
    package var from: (Int64, Int64)?
    /// Only threads of this family, when not 0.
    package var rootKey: Int64 = 0

    package init(tenant: String, order: Order, descending: Bool) {
        self.tenant = tenant
        self.order = order
        self.descending = descending
    }
}

/// A storage engine: one write verb, a few reads.
///
/// Engines know rows, not meaning: forks, tombstones, merge patches, formats and codecs live above.
/// Every function may be called from any thread. Visitors run while the engine reads: they must not
/// call the engine again. `false` from a visitor ends the reading.
///
/// The rules of `commit`:
/// - The operations of a batch are checked and applied in order, all or none, as durably as the engine was
///   opened for. When it throws, nothing of the batch is stored (`outcomeUnknown` excepted).
/// - `append` gives `seq = lastSeq + 1, …` under the engine's own exclusion, whoever else writes. It
///   throws NOT_FOUND for a thread that is gone or hidden, CONFLICT for `expectSeq`, EXISTS for an id
///   that is taken in the thread, LIMIT past the last seq. `createdAt` 0 becomes the clock's now,
///   whatever times came before: order is by seq. `head.changes` becomes the thread's `changes`, the checksum (which
///   holds the payload's) is sealed.
/// - An idempotency key lives as long as its first message's row. The same key with the same digest and
///   count returns the first result with `isDuplicate`; with others it is CONFLICT. It is asked before
///   `expectSeq` and ids.
/// - `putMessage` seals the checksum too. It throws LIMIT for a seq outside 1 ... `Limits.seq` and EXISTS
///   for another message's id; the row's id becomes the draft's.
/// - An operation on a thread that is gone throws NOT_FOUND; of hidden threads only `append` does. Hiding a
///   thread frees its id.
/// - After every operation `activityAt <= activity <= activityAt + ActivityOrder.granularity` holds.
/// - Results come one per operation, in order, with the thread's `key` and `rev`; an append's `createdAt` is
///   that of its first message.
package protocol StorageEngine: AnyObject, Sendable {
    var capabilities: EngineCapabilities { get }
    /// Whether the calling thread runs inside a callback of this engine.
    var isInsideCallback: Bool { get }

    func commit(_ operations: [WriteOperation], until: Deadline) throws(MemexError) -> [WriteResult]
    /// A batch of one append.
    func append(_ operation: AppendOperation, until: Deadline) throws(MemexError) -> WriteResult

    /// The live thread of that tenant and id.
    func thread(tenant: String, id: String) throws(MemexError) -> ThreadRecord?
    /// The thread with that key, hidden ones included.
    func thread(key: Int64) throws(MemexError) -> ThreadRecord?
    /// Live threads in order.
    func threads(_ scan: ThreadScan, _ visit: (ThreadRecord) throws(MemexError) -> Bool) throws(MemexError)
    /// Threads forked from one, hidden ones included.
    func forks(of key: Int64) throws(MemexError) -> [ThreadRecord]

    /// The thread's own rows (overrides of shared messages included), tombstones too.
    func messages(
        _ key: Int64, _ range: MessageRange, _ visit: (borrowing MessageView) throws(MemexError) -> Bool
    ) throws(MemexError)
    /// Seqs, ascending, of own rows with the flag `marked`.
    func markedSeqs(_ key: Int64, from: Int64, to: Int64, _ visit: (Int64) -> Bool) throws(MemexError)
    /// The seq of the own row that carries a caller's id.
    func seq(_ key: Int64, id: ByteView) throws(MemexError) -> Int64?

    func derived(_ key: Int64, kind: String, name: String) throws(MemexError) -> DerivedRecord?
    /// All derived records of a kind, by name.
    func derived(_ key: Int64, kind: String, _ visit: (DerivedRecord) throws(MemexError) -> Bool)
        throws(MemexError)
    func blob(_ hash: BlobHash) throws(MemexError) -> [UInt8]?
    /// The pieces of an incomplete message, in order.
    func pieces(_ key: Int64, seq: Int64, _ visit: (ByteView) throws(MemexError) -> Bool) throws(MemexError)

    /// Writes back what is deferred.
    func flush(until: Deadline) throws(MemexError)
    /// Ends waits with CANCELLED.
    func interrupt()
    /// Wipes removed bytes from the engine's files.
    func wipe(until: Deadline) throws(MemexError)
    /// Bounded slices of deferred work.
    func maintain(until: Deadline) throws(MemexError)
    /// Structural check; one sentence a problem.
    func check(until: Deadline) throws(MemexError) -> [String]
    /// Members of a JSON object, without braces.
    func statistics() throws(MemexError) -> String
    /// Called once, when no call runs.
    func close() throws(MemexError)
}

extension StorageEngine {
    package var isInsideCallback: Bool { false }

    package func append(_ operation: AppendOperation, until deadline: Deadline) throws(MemexError)
        -> WriteResult
    {
        guard let result = try commit([.append(operation)], until: deadline).first else {
            throw MemexError(.internal, "an engine gave no result")
        }
        return result
    }
}
