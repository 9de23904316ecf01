internal import MemexModel
internal import MemexStorage

/// Gathers what a topic found wrong. Any thread may add to it.
package final class Expectations: @unchecked Sendable {
    private let lock = Lock()
    private var found: [String] = []
    private var lastLine = 0
    private static let keptMaximum = 100

    package init() {}

    /// One sentence a failure, with the line of the expectation.
    package var failures: [String] { lock.withLock { found } }

    @inline(never)
    package func check(_ holds: Bool, _ message: StaticString, _ about: String, _ line: Int) {
        lock.withLock { lastLine = line }
        if !holds { fail("\(message)" + (about.isEmpty ? "" : ": " + about), line) }
    }

    @inline(never)
    package func fail(_ message: String, _ line: Int) {
        lock.withLock {
            // A broken engine fails in loops; the first failures say enough.
            guard found.count < Self.keptMaximum else { return }
            found.append(message.isEmpty ? "line \(line)" : "line \(line): " + message)
        }
    }

    /// An error that ended the topic.
    @inline(never)
    package func fail(_ error: any Error) {
        let line = lock.withLock { lastLine }
        guard let error = error as? MemexError else {
            fail("an error ended the case", line)
            return
        }
        fail("the case ended after this line with \(error.code): \(error.message)", line)
    }
}

/// What a topic needed and did not get.
package struct Missing: Error {}

extension StorageEngineChecker {
    func expect(_ holds: Bool, _ message: StaticString, line: Int = #line) {
        expectations.check(holds, message, "", line)
    }

    func expect(_ holds: Bool, _ message: StaticString, about: Int64, line: Int = #line) {
        expectations.check(holds, message, holds ? "" : "\(about)", line)
    }

    func expect(_ holds: Bool, _ message: StaticString, about: String, line: Int = #line) {
        expectations.check(holds, message, about, line)
    }

    /// The value, or the end of the topic.
    func require<Value>(_ value: Value?, _ message: StaticString = "", line: Int = #line) throws -> Value {
        guard let value else {
            expectations.check(false, "there is nothing", "\(message)", line)
            throw Missing()
        }
        return value
    }

    /// Expects an error with a code.
    @inline(never)
    func expectError(
        _ code: MemexError.Code, _ what: StaticString, about: String = "", line: Int = #line,
        _ body: () throws -> Void
    ) {
        let name = about.isEmpty ? "\(what)" : "\(what) \(about)"
        do {
            try body()
            expectations.fail("\(name): expected \(code), but nothing was thrown", line)
        } catch let error as MemexError {
            if error.code == code { return }
            expectations.fail("\(name): expected \(code), not \(error.code): \(error.message)", line)
        } catch {
            expectations.fail("\(name): expected \(code)", line)
        }
    }

    @inline(never)
    func expectSound(_ engine: any StorageEngine, line: Int = #line) throws {
        for problem in try engine.check(until: .never) {
            expectations.fail("the engine's own check: " + problem, line)
        }
    }
}
