internal import CMemexShim
internal import MemexModel
internal import Synchronization

/// Lets calls in until it is closed, and lets the closer wait for those that are inside.
final class Gate: Sendable {
    private static let closing = 1 << 40
    private let state = Atomic<Int>(0)

    /// False when the gate is closed.
    @inline(__always)
    func enter() -> Bool {
        let before = state.wrappingAdd(1, ordering: .acquiring).oldValue
        if before & Self.closing == 0 { return true }
        leave()
        return false
    }

    @inline(__always)
    func leave() { state.wrappingSubtract(1, ordering: .releasing) }

    /// False when somebody else closed it before.
    func close() -> Bool {
        let (before, _) = state.bitwiseOr(Self.closing, ordering: .acquiringAndReleasing)
        return before & Self.closing == 0
    }

    var isClosed: Bool { state.load(ordering: .acquiring) & Self.closing != 0 }

    /// Waits until nobody is inside; `nudge` is called now and then to wake those that wait for something.
    func waitUntilEmpty(_ nudge: () -> Void) {
        var pause: Int64 = 50
        while state.load(ordering: .acquiring) & (Self.closing - 1) != 0 {
            nudge()
            memex_shim_sleep_us(pause)
            if pause < 5_000 { pause += pause / 2 }
        }
    }
}
