import Foundation
import Memex
import MemexModel
import MemexStorage
import MemexTestSupport
import Testing

@Suite struct BackendCheckTests {
    private func run(_ config: [String: Any]) throws -> [String: Any] {
        var out = ByteBuffer()
        let bytes = Array(try JSONSerialization.data(withJSONObject: config))
        try bytes.withUnsafeBufferPointer { try BackendCheck.run($0, to: &out) }
        let parsed = try JSONSerialization.jsonObject(with: Data(out.view))
        return try #require(parsed as? [String: Any])
    }

    private func results(_ report: [String: Any]) throws -> [String: (result: String, reason: String)] {
        let cases = try #require(report["cases"] as? [[String: Any]])
        var found: [String: (result: String, reason: String)] = [:]
        for entry in cases {
            let name = try #require(entry["name"] as? String)
            found[name] = (try #require(entry["result"] as? String), entry["reason"] as? String ?? "")
        }
        for (key, word) in [("passed", "passed"), ("failed", "failed"), ("skipped", "skipped")] {
            #expect(report[key] as? Int == found.values.count { $0.result == word })
        }
        return found
    }

    private func expectAllPass(_ url: String, skipping skipped: Set<String>) throws {
        let found = try results(run(["url": url]))
        #expect(Set(found.keys) == Set(EngineTopic.allCases.map { $0.description }))
        for (name, outcome) in found {
            let expected = skipped.contains(name) ? "skipped" : "passed"
            #expect(outcome.result == expected, "\(name): \(outcome.reason)")
            #expect(outcome.reason.isEmpty == (expected == "passed"))
        }
    }

    @Test(arguments: ["memory:", "memory:checked", "sqlite::memory:"])
    func storesInMemory(_ url: String) throws { try expectAllPass(url, skipping: ["reopening"]) }

    @Test func aSQLiteFile() throws {
        let folder = try TemporaryFolder()
        let url = "sqlite:///" + folder.path("checked.db")
        try expectAllPass(url, skipping: [])
        expectError(.invalid, "a second run, on what the first left") { _ = try run(["url": url]) }
    }

    @Test func aBackendOfTheHost() throws {
        let backend = TestBackend("check-ok") { MemoryStore() }
        defer { backend.unregister() }
        try expectAllPass("check-ok:here", skipping: [])
    }

    /// What each lie of a store makes fail.
    @Test(arguments: LyingStore.Lie.allCases)
    func aBrokenBackendIsFoundOut(_ lie: LyingStore.Lie) throws {
        let name = "check-\(lie)".lowercased()
        let backend = TestBackend(name) { LyingStore(MemoryStore(), lie) }
        defer { backend.unregister() }
        let report = try run(["url": name + ":"])
        let failed = try results(report).filter { $0.value.result == "failed" }
        #expect(!failed.isEmpty, "\(lie) goes unnoticed")
        #expect(failed.values.allSatisfy { $0.reason.contains("line") })
    }

    @Test func aBackendThatForgetsFailsReopening() throws {
        final class Forgetful: BackendFactory {
            func open(url: String) throws(MemexError) -> any StorageEngine {
                try KeyValueEngine(MemoryStore())
            }
        }
        try withText("check-forgets") { try BackendRegistry.register($0, Forgetful()) }
        let found = try results(run(["url": "check-forgets:"]))
        #expect(found.filter { $0.value.result == "failed" }.map { $0.key } == ["reopening"])
        try withText("check-forgets") { try BackendRegistry.unregister($0) }
    }

    @Test func casesAreChosen() throws {
        let found = try results(run(["url": "memory:", "cases": ["forks", "times"], "seed": -7]))
        #expect(Set(found.keys) == ["forks", "times"])
    }

    @Test func configurationsAreChecked() throws {
        let folder = try TemporaryFolder()
        let url = "sqlite:///" + folder.path("a.db")
        expectError(.invalid, "an unknown case") { _ = try run(["url": url, "cases": ["forks", "fork"]]) }
        expectError(.invalid, "no case") { _ = try run(["url": url, "cases": [String]()]) }
        expectError(.invalid, "an unknown key") { _ = try run(["url": url, "case": "forks"]) }
        expectError(.invalid, "read_only") { _ = try run(["url": url, "read_only": true]) }
        #expect(!FileManager.default.fileExists(atPath: folder.path("a.db")), "nothing is touched before")
        expectError(.notFound, "create false") { _ = try run(["url": url, "create": false]) }
        expectError(.invalid, "an unknown scheme") { _ = try run(["url": "nobody:x"]) }
        let store = try Store.open(StoreOptions(url: url))
        _ = try Session(root: store).createThread(ByteView(start: nil, count: 0))
        try store.close()
        expectError(.invalid, "somebody's store") { _ = try run(["url": url]) }
    }
}
