import MemexModel
import MemexPostgreSQL
import MemexStorage
import MemexTestSupport
import Testing

@Suite(.enabled(if: TestServer.isThere, TestServer.reason)) struct PostgreSQLConformanceTests {
    @Test("The engine keeps the contract", arguments: EngineTopic.allCases)
    func plain(topic: EngineTopic) throws { try check(topic, "") }

    @Test("The engine keeps the contract without prepared statements", arguments: EngineTopic.allCases)
    func unprepared(topic: EngineTopic) throws { try check(topic, "&prepared=false") }

    @Test("The engine keeps the contract with partitions", arguments: EngineTopic.allCases)
    func partitions(topic: EngineTopic) throws { try check(topic, "&partitions=3") }

    private func check(_ topic: EngineTopic, _ parameters: String) throws {
        let schema = TestSchema()
        let url = schema.url + parameters
        try checkEngine(topic, appendsPerWriter: 100, { try PostgreSQLEngine(.init(url: url)) }) { (old) in
            try old.close()
            return try PostgreSQLEngine(.init(url: url))
        }
    }
}
