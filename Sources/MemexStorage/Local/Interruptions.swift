internal import Synchronization

/// Counts calls of `interrupt`, so that a wait can see one that came after it began.
package final class Interruptions: Sendable {
    private let count = Atomic<Int>(0)

    package init() {}

    package func raise() { count.wrappingAdd(1, ordering: .relaxed) }

    package var current: Int { count.load(ordering: .relaxed) }
}
