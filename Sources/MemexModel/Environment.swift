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

    package static let never = Deadline(at: .max)

    package init(at: Int64) { self.at = at }

    package init(after timeout: Int64) {
        let (sum, overflow) = memex_shim_monotonic_us().addingReportingOverflow(timeout)
        at = overflow ? .max : sum
    }

    package var isPast: Bool { at != .max && memex_shim_monotonic_us() >= at }

    /// Microseconds left, at least 0.
    package var remaining: Int64 {
        if at == .max { return .max }
        let left = at &- memex_shim_monotonic_us()
        return left > 0 ? left : 0
    }
}
