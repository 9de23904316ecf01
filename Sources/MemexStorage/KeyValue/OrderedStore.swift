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

    package init() {}
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

    func wipe(until: Deadline) throws(MemexError)
    func flush(until: Deadline) throws(MemexError)
    /// Members of a JSON object, without braces; may be empty.
    func statistics() throws(MemexError) -> String
    func close() throws(MemexError)
}

extension OrderedStore {
    package var isInsideCallback: Bool { false }
    package func wipe(until: Deadline) throws(MemexError) {}
    package func flush(until: Deadline) throws(MemexError) {}
    package func statistics() throws(MemexError) -> String { "" }
}
