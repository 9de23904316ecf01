/// Receives log lines. It may be a callback of the host: it is never called under a lock.
package protocol LogSink: AnyObject, Sendable {
    func write(_ level: Log.Level, _ text: String)
}

/// The library's log: silent unless the host asks for it, and without content or secrets.
package enum Log {
    package enum Level: Int32, Sendable {
        case error = 1
        case warning = 2
        case info = 3
        case debug = 4
    }

    private static let lock = Lock(survivesFork: true)
    private nonisolated(unsafe) static var sink: (any LogSink)?
    private nonisolated(unsafe) static var maximum: Int32 = 0

    /// Puts a receiver in the place of the present one, which is returned.
    package static func replace(_ new: (any LogSink)?, upTo level: Int32) -> (any LogSink)? {
        lock.withLock {
            let old = sink
            sink = new
            maximum = new == nil ? 0 : level
            return old
        }
    }

    package static func write(_ level: Level, _ text: @autoclosure () -> String) {
        let receiver = lock.withLock { level.rawValue <= maximum ? sink : nil }
        receiver?.write(level, text())
    }
}
