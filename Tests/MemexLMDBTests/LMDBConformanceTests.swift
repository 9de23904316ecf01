import MemexLMDB
import MemexModel
import MemexStorage
import MemexTestSupport
import Testing

@Suite struct LMDBConformanceTests {
    @Test("The engine keeps the contract", arguments: EngineTopic.allCases)
    func folder(topic: EngineTopic) throws {
        let folder = try TemporaryFolder()
        try checkEngine(topic, { try LMDBEngines.open(.init(path: folder.path("checked"))) }) { (old) in
            try old.close()
            return try LMDBEngines.open(.init(path: folder.path("checked")))
        }
    }

    @Test("It keeps it while its map grows", arguments: EngineTopic.allCases)
    func smallMap(topic: EngineTopic) throws {
        let folder = try TemporaryFolder()
        var options = LMDBEngines.Options(path: folder.path("checked"))
        options.initialMap = 64 << 10
        try checkEngine(topic, appendsPerWriter: 100) { try LMDBEngines.open(options) }
    }
}
