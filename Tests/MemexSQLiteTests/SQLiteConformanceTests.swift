import Foundation
import MemexModel
import MemexSQLite
import MemexStorage
import MemexTestSupport
import Testing

@Suite struct SQLiteConformanceTests {
    @Test("The engine keeps the contract on a file", arguments: StorageEngineChecker.topics.map(\.name))
    func file(topic: String) throws {
        let folder = try TemporaryFolder()
        try StorageEngineChecker(
            { try SQLiteEngine(.init(path: folder.path("\(UUID().uuidString).db"))) }
        ).run(topic)
    }

    @Test("The engine keeps the contract in memory", arguments: StorageEngineChecker.topics.map(\.name))
    func memory(topic: String) throws {
        try StorageEngineChecker({ try SQLiteEngine(.init(path: nil)) }).run(topic)
    }

    @Test("What was stored is there after reopening")
    func reopening() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("reopened.db")
        try StorageEngineChecker(
            { try SQLiteEngine(.init(path: path)) },
            reopen: { engine in
                try engine.close()
                return try SQLiteEngine(.init(path: path))
            }
        ).checkReopen()
    }
}
