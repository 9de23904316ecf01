internal import MemexModel
#if canImport(Glibc)
    internal import Glibc
#endif

/// Runs a body on some threads at once, waits for all, and throws the first error.
func runConcurrently(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws {
    let errors = Guarded<(any Error)?>(nil)
    var threads: [pthread_t] = []
    for index in 0..<count {
        let work = Work {
            do { try body(index) } catch { errors.withLock { if $0 == nil { $0 = error } } }
        }
        var thread = pthread_t()
        let argument = Unmanaged.passRetained(work)
        let failure = pthread_create(&thread, nil, Work.start, argument.toOpaque())
        if failure != 0 {
            argument.release()
            errors.withLock { $0 = MemexError(.unavailable, "the system gave no thread: error \(failure)") }
            break
        }
        threads.append(thread)
    }
    for thread in threads { pthread_join(thread, nil) }
    if let error = errors.withLock({ $0 }) { throw error }
}

private final class Work: Sendable {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }

    static let start: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { argument in
        if let argument { Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body() }
        return nil
    }
}

/// A value under a lock.
final class Guarded<Value>: @unchecked Sendable {
    private let lock = Lock()
    private var value: Value

    init(_ value: Value) { self.value = value }

    func withLock<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        try lock.withLock { try body(&value) }
    }
}
