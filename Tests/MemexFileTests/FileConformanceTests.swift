import MemexFile
import MemexModel
import MemexStorage
import MemexTestSupport
import Testing

@Suite struct FileConformanceTests {
    @Test("The engine keeps the contract", arguments: EngineTopic.allCases)
    func folder(topic: EngineTopic) throws {
        let folder = try TemporaryFolder()
        try checkEngine(topic, { try FileEngines.open(.init(path: folder.path("checked"))) }) { (old) in
            try old.close()
            return try FileEngines.open(.init(path: folder.path("checked")))
        }
    }
}
