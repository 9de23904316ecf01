package import MemexModel

/// An ordered store that is a round trip away, so that commits of several writers are sent together.
package protocol PipelinedStore: OrderedStore {
    /// Each commit is judged alone, as `commit` would; those of one place are done in order.
    func commit(
        all commits: [UnsafeBufferPointer<KeyValueWrite>], until: Deadline
    ) -> [Result<Bool, MemexError>]

    /// Ends waits with CANCELLED, or with OUTCOME_UNKNOWN where a commit was sent.
    func interrupt()
}
