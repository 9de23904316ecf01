internal import MemexModel

/// Repeats a call that read, decided and wrote when somebody else's change came first: until the store's
/// time-out, since each time somebody gets on, and a few times at least.
struct Retries {
    private let deadline: Deadline
    private var left = 32

    init(_ store: Store) { deadline = store.deadline() }

    /// Throws unless the call is to be tried again.
    mutating func next(after error: MemexError) throws(MemexError) {
        guard error.code == .conflict else { throw error }
        if left > 0 {
            left -= 1
        } else if deadline.isPast {
            throw MemexError(
                .busy,
                "others changed the thread again and again until the time-out; call again, nothing was stored"
            )
        }
    }
}
