import MemexModel
import MemexRedis
import MemexStorage
import MemexTestSupport
import Testing

@Suite struct RedisConformanceTests {
    @Test(
        "The engine keeps the contract", .enabled(if: !TestServer.url.isEmpty, TestServer.reason),
        arguments: EngineTopic.allCases)
    func plain(topic: EngineTopic) throws { try check(topic, TestServer.fresh(TestServer.url)) }

    @Test(
        "The engine keeps the contract in a cluster",
        .enabled(if: !TestServer.clusterURL.isEmpty, TestServer.clusterReason),
        arguments: EngineTopic.allCases)
    func cluster(topic: EngineTopic) throws {
        try check(topic, TestServer.fresh(TestServer.clusterURL) + "&shards=16")
    }

    private func check(_ topic: EngineTopic, _ url: String) throws {
        try checkEngine(topic, appendsPerWriter: 100, { try RedisEngine.open(.init(url: url)) }) { (old) in
            try old.close()
            return try RedisEngine.open(.init(url: url))
        }
    }
}
