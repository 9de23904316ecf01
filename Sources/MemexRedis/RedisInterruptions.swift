internal import Synchronization

/// Counts calls of `interrupt`, so that a wait can see one that came after it began.
final class RedisInterruptions: Sendable {
    private let count = Atomic<Int>(0)

    func raise() { count.wrappingAdd(1, ordering: .relaxed) }

    var current: Int { count.load(ordering: .relaxed) }
}
