package import MemexModel

/// What an ordered store promises beyond order.
package struct OrderedStoreTraits: Sendable {
    /// An acknowledged commit survives power loss.
    package var durable = false
    /// Several processes, or several engines of this one, may use it at once.
    package var sharedBetweenProcesses = true
    /// Removed bytes do not stay behind, or `wipe` removes them.
    package var erases = false
    package var isReadOnly = false
    /// Rows of several families of threads may be in one commit.
    package var spansFamilies = true
    /// A commit that deletes a thread's head deletes all rows that belong to the thread.
    package var dropsThreads = false

    package init() {}
}

/// How a store that is spread over several places numbers threads: a thread's rows, and those of its forks,
/// are in the place that its number names.
package protocol ThreadPlaces: AnyObject, Sendable {
    func place(ofThread key: Int64) -> Int
    /// The place of a new thread that is no fork, by its name's key.
    func place(ofName name: ByteView) -> Int
    /// A number for a thread there, greater than all that this process gave and than the place's last.
    func number(after last: Int64, at place: Int) -> Int64
}

/// An ordered map of bytes: all that a store must be for `KeyValueEngine` to make an engine of it.
///
/// Keys have up to 1,024 bytes and are compared bytewise, a prefix first. Reads may be called from several
/// threads at once, `commit` from one at a time for each engine. Any of them may be a callback of the
/// host: engines hold no lock while they call. Visitors may run under a lock of the store: they must not
/// call it again, and what they are shown is borrowed for the visit.
package protocol OrderedStore: AnyObject, Sendable {
    var traits: OrderedStoreTraits { get }
    /// Whether the calling thread runs inside a callback of this store.
    var isInsideCallback: Bool { get }

    /// Whether the key is there; the visitor sees its value.
    func get(_ key: ByteView, _ visit: (ByteView) throws(MemexError) -> Void) throws(MemexError) -> Bool

    /// Entries with keys in `from ..< to`, in order, at most `limit`; `false` from the visitor ends it.
    func scan(
        from: ByteView, to: ByteView, descending: Bool, limit: Int64,
        _ visit: (ByteView, ByteView) throws(MemexError) -> Bool
    ) throws(MemexError)

    /// Checks every condition, then applies every put and delete: all, or none. False when a condition did
    /// not hold. A key is put or deleted at most once in a commit. When it throws, nothing was written,
    /// unless it throws OUTCOME_UNKNOWN.
    func commit(_ writes: UnsafeBufferPointer<KeyValueWrite>) throws(MemexError) -> Bool

    /// The same for the length of a call: what waits ends at the deadline.
    func bounded(until deadline: Deadline) -> any OrderedStore
    func commit(_ writes: UnsafeBufferPointer<KeyValueWrite>, until: Deadline) throws(MemexError) -> Bool
    /// Makes what a read found of a key as durable as a commit would be.
    func confirm(_ key: ByteView, until: Deadline) throws(MemexError)
    /// Nil where one counter numbers all threads.
    var places: (any ThreadPlaces)? { get }

    func wipe(until: Deadline) throws(MemexError)
    func flush(until: Deadline) throws(MemexError)
    /// Members of a JSON object, without braces; may be empty.
    func statistics() throws(MemexError) -> String
    func close() throws(MemexError)
}

extension OrderedStore {
    package var isInsideCallback: Bool { false }
    package func bounded(until deadline: Deadline) -> any OrderedStore { self }
    package func commit(
        _ writes: UnsafeBufferPointer<KeyValueWrite>, until: Deadline
    ) throws(MemexError) -> Bool { try commit(writes) }
    package func confirm(_ key: ByteView, until: Deadline) throws(MemexError) {}
    package var places: (any ThreadPlaces)? { nil }
    package func wipe(until: Deadline) throws(MemexError) {}
    package func flush(until: Deadline) throws(MemexError) {}
    package func statistics() throws(MemexError) -> String { "" }
}
