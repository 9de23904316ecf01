internal import CMemexShim

/// What the library asks of the world around it; tests put their own in its place.
public struct Environment: Sendable {
    /// Microseconds since the Unix epoch.
    package var now: @Sendable () -> Int64
    /// Microseconds of a clock that never goes back.
    package var monotonic: @Sendable () -> Int64
    /// 64 random bits.
    package var random: @Sendable () -> UInt64

    package init(
        now: @escaping @Sendable () -> Int64 = { memex_shim_realtime_us() },
        monotonic: @escaping @Sendable () -> Int64 = { memex_shim_monotonic_us() },
        random: @escaping @Sendable () -> UInt64 = { SystemRandom.next() }
    ) {
        self.now = now
        self.monotonic = monotonic
        self.random = random
    }

    public static let system = Environment()
}

/// Random bits of the operating system.
package enum SystemRandom {
    package static func next() -> UInt64 {
        var value: UInt64 = 0
        if memex_shim_random(&value, 8) != 0 {
            // Ids only need to differ; the clock and an address do that on a kernel without getrandom.
            value = UInt64(bitPattern: memex_shim_realtime_us()) &* 0x9E37_79B9_7F4A_7C15
        }
        return value
    }
}

/// A moment after which waiting ends.
package struct Deadline: Sendable {
    /// Microseconds of the monotonic clock; `Int64.max` means never.
    package let at: Int64
    /// When a wait ends early so that the caller can look for signals; `Int64.max` for never. A signal handler
    /// that runs on the waiting thread ends the wait at once, but one between two sleeps goes unseen.
    package let pauseAt: Int64

    private static let pauseInterval: Int64 = 200_000

    package static let never = Deadline(at: .max)

    package init(at: Int64, pauseAt: Int64 = .max) {
        self.at = at
        self.pauseAt = pauseAt
    }

    package init(after timeout: Int64, isInterruptible: Bool = false) {
        let now = memex_shim_monotonic_us()
        let (sum, overflow) = now.addingReportingOverflow(timeout)
        at = overflow ? .max : sum
        pauseAt = isInterruptible ? now &+ Self.pauseInterval : .max
    }

    package var isPast: Bool { at != .max && memex_shim_monotonic_us() >= at }

    package var isInterruptible: Bool { pauseAt != .max }

    /// Microseconds left, at least 0.
    package var remaining: Int64 {
        if at == .max { return .max }
        let left = at &- memex_shim_monotonic_us()
        return left > 0 ? left : 0
    }

    /// Sleeps for a while, not past the deadline. Throws `MemexError.paused` when the wait is to end early.
    package func sleep(_ span: Int64) throws(MemexError) {
        let wasInterrupted = memex_shim_sleep_us(min(span, remaining)) != 0
        guard isInterruptible else { return }
        if wasInterrupted || memex_shim_monotonic_us() >= pauseAt {
            throw MemexError.paused(bySignal: wasInterrupted, remaining: remaining)
        }
    }
}
