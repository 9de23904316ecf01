import Foundation
import Testing

/// The server that `make services` started, named by MEMEX_TEST_POSTGRESQL.
enum TestServer {
    static let url = ProcessInfo.processInfo.environment["MEMEX_TEST_POSTGRESQL"] ?? ""
    static var isThere: Bool { !url.isEmpty }
    static let reason: Comment = "MEMEX_TEST_POSTGRESQL names no server; run make services"

    /// Runs a statement with psql and gives what it prints.
    @discardableResult
    static func sql(_ statement: String, _ database: String = url) throws -> String {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", statement,
        ]
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failed(statement: statement) }
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    struct Failed: Error { let statement: String }
}

/// A schema that is dropped with its last reference.
final class TestSchema: Sendable {
    let name = "t" + UUID().uuidString.replacingOccurrences(of: "-", with: "").lowercased()
    var url: String { TestServer.url + (TestServer.url.contains("?") ? "&" : "?") + "schema=\(name)" }

    deinit {
        _ = try? TestServer.sql("SET client_min_messages = error; DROP SCHEMA IF EXISTS \(name) CASCADE")
    }
}
