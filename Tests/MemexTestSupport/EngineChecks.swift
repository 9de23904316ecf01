// The conformance checker is part of the library; its tools serve other tests, too.
@_exported public import MemexConformance
package import MemexModel
package import MemexStorage
package import Testing

/// Checks a topic of the storage contract on a new, empty engine; what fails becomes an issue.
package func checkEngine(
    _ topic: EngineTopic, appendsPerWriter: Int = 500, sourceLocation: SourceLocation = #_sourceLocation,
    _ make: () throws -> any StorageEngine,
    reopen: ((any StorageEngine) throws -> any StorageEngine)? = nil
) throws {
    let checker = StorageEngineChecker(appendsPerWriter: appendsPerWriter)
    let engine = checker.run(topic, on: try make(), reopen: reopen)
    try engine.close()
    for failure in checker.failures {
        Issue.record("\(topic), \(failure)", sourceLocation: sourceLocation)
    }
}

extension StorageEngine {
    package func expectSound(_ what: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let problems = try check(until: .never)
        #expect(
            problems.isEmpty, "\(what): the engine's own check finds nothing", sourceLocation: sourceLocation)
    }
}

/// Expects an error with a code.
package func expectError(
    _ code: MemexError.Code, _ what: String, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () throws -> Void
) {
    do {
        try body()
        Issue.record("\(what): expected \(code), but nothing was thrown", sourceLocation: sourceLocation)
    } catch let error as MemexError {
        #expect(error.code == code, "\(what): \(error.message)", sourceLocation: sourceLocation)
    } catch {
        Issue.record("\(what): \(error)", sourceLocation: sourceLocation)
    }
}
