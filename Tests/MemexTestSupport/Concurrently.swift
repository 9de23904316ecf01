import Foundation

/// Runs a body on some threads at once and throws the first error.
package func runConcurrently(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws {
    final class Shared: Sendable {
        let errors = Locked<[any Error]>([])
        let done = DispatchGroup()
    }
    let shared = Shared()
    for index in 0..<count {
        shared.done.enter()
        let thread = Thread {
            do { try body(index) } catch { shared.errors.withLock { $0.append(error) } }
            shared.done.leave()
        }
        thread.stackSize = 1 << 20
        thread.start()
    }
    shared.done.wait()
    if let error = shared.errors.withLock({ $0.first }) { throw error }
}

/// Lets others run for a moment.
package func pause() { Thread.sleep(forTimeInterval: 0.001) }
