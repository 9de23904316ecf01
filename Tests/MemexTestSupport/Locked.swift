import Foundation

/// A value under a lock that the thread sanitizer knows; it reports races on `Synchronization.Mutex`.
package final class Locked<Value>: @unchecked Sendable {
    private let lock = NSLock()
    private var value: Value

    package init(_ value: Value) { self.value = value }

    package func withLock<R>(_ body: (inout Value) throws -> R) rethrows -> R {
        lock.lock()
        defer { lock.unlock() }
        return try body(&value)
    }
}

/// Set once, seen by all.
package final class Flag: Sendable {
    private let value = Locked(false)
    private let armed = Locked(false)
    package init() {}
    package func arm() { armed.withLock { $0 = true } }
    /// Whether what waits for this flag has begun to matter.
    package var isArmed: Bool { armed.withLock { $0 } }
    package var isSet: Bool { value.withLock { $0 } }
    package func set() { value.withLock { $0 = true } }
}
