import MemexModel
import MemexSQLite
import MemexStorage
import MemexTestSupport
import Testing

@Suite struct SQLiteConformanceTests {
    @Test("The engine keeps the contract on a file", arguments: EngineTopic.allCases)
    func file(topic: EngineTopic) throws {
        let folder = try TemporaryFolder()
        try checkEngine(topic, { try SQLiteEngine(.init(path: folder.path("checked.db"))) }) { (old) in
            try old.close()
            return try SQLiteEngine(.init(path: folder.path("checked.db")))
        }
    }

    @Test("The engine keeps the contract in memory", arguments: EngineTopic.allCases)
    func memory(topic: EngineTopic) throws {
        try checkEngine(topic) { try SQLiteEngine(.init(path: nil)) }
    }
}
