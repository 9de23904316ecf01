/// State of the whole process behind a lock that a forked child never finds held.
package final class ProcessWide<Value>: @unchecked Sendable {
    private let lock = Lock(survivesFork: true)
    private var value: Value

    package init(_ value: Value) { self.value = value }

    package func withLock<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try lock.withLock { () throws(Failure) in try body(&value) }
    }
}
