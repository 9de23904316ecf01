package import MemexModel
package import MemexStorage

/// An ordered store that fails as it is told.
package final class FaultyStore: OrderedStore {
    package enum Fault: Sendable {
        /// The call throws; a commit has written nothing.
        case fail
        /// The commit answers that a condition did not hold.
        case conflict
        /// The commit is done, and throws OUTCOME_UNKNOWN.
        case loseAnswer
    }

    private struct State {
        var calls = 0
        var commits = 0
        var failAt = Int.max
        var fault = Fault.fail
        var generator: SeededGenerator?
        var inTen = 0
        var beforeCommit: (@Sendable () -> Void)?
        var isInside = false
    }

    private let base: any OrderedStore
    private let state = Locked(State())

    package init(_ base: any OrderedStore) { self.base = base }

    package var traits: OrderedStoreTraits { base.traits }
    package var isInsideCallback: Bool { state.withLock { $0.isInside } }
    package var calls: Int { state.withLock { $0.calls } }
    package var commits: Int { state.withLock { $0.commits } }

    /// The n-th call from now on fails once, the next one being 1.
    package func fail(at call: Int, _ fault: Fault = .fail) {
        state.withLock {
            $0.failAt = $0.calls + call
            $0.fault = fault
        }
    }

    /// So many commits in ten answer that a condition did not hold.
    package func failConditions(inTen: Int, seed: UInt64 = 1) {
        state.withLock {
            $0.generator = SeededGenerator(seed: seed)
            $0.inTen = inTen
        }
    }

    package func beforeEachCommit(_ body: (@Sendable () -> Void)?) {
        state.withLock { $0.beforeCommit = body }
    }
    package func pretendInside(_ inside: Bool) { state.withLock { $0.isInside = inside } }

    private func count() -> Fault? {
        state.withLock {
            $0.calls += 1
            return $0.calls == $0.failAt ? $0.fault : nil
        }
    }

    private static let error = MemexError(.callback, "a fault of the test")

    package func get(_ key: ByteView, _ visit: (ByteView) throws(MemexError) -> Void)
        throws(MemexError) -> Bool
    {
        if count() != nil { throw Self.error }
        return try base.get(key, visit)
    }

    package func scan(
        from: ByteView, to: ByteView, descending: Bool, limit: Int64,
        _ visit: (ByteView, ByteView) throws(MemexError) -> Bool
    ) throws(MemexError) {
        if count() != nil { throw Self.error }
        try base.scan(from: from, to: to, descending: descending, limit: limit, visit)
    }

    package func commit(_ writes: UnsafeBufferPointer<KeyValueWrite>) throws(MemexError) -> Bool {
        let fault = count()
        let (isUnlucky, before) = state.withLock {
            $0.commits += 1
            return (($0.generator?.below(10) ?? 10) < $0.inTen, $0.beforeCommit)
        }
        before?()
        if isUnlucky { return false }
        switch fault {
        case .fail: throw Self.error
        case .conflict: return false
        case .loseAnswer:
            guard try base.commit(writes) else { return false }
            throw MemexError(.outcomeUnknown, "a fault of the test")
        case nil: return try base.commit(writes)
        }
    }

    package func close() throws(MemexError) { try base.close() }
}
