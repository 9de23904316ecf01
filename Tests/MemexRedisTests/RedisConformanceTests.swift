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
        arguments: EngineTopic.allCases.filter { $0 != .batches && $0 != .pieces })
    func cluster(topic: EngineTopic) throws {
        try check(topic, TestServer.fresh(TestServer.clusterURL) + "&shards=16")
    }

    /// What the two topics that are left out are about.
    @Test(
        "A batch over several roots is refused in a cluster, before anything is written",
        .enabled(if: !TestServer.clusterURL.isEmpty, TestServer.clusterReason))
    func severalRoots() throws {
        let engine = try RedisEngine.open(.init(url: TestServer.fresh(TestServer.clusterURL)))
        defer { try? engine.close() }
        #expect(!engine.capabilities.multiThreadBatches)
        func thread(_ id: String) -> WriteOperation {
            var record = ThreadRecord()
            record.id = id
            record.createdAt = 1
            return .createThread(record)
        }
        expectError(.unsupported, "two roots") {
            _ = try engine.commit([thread("one"), thread("two")], until: .never)
        }
        #expect(try engine.thread(tenant: "", id: "one") == nil)
        #expect(try engine.thread(tenant: "", id: "two") == nil)
        _ = try engine.commit([thread("one")], until: .never)
        #expect(try engine.thread(tenant: "", id: "one") != nil)
    }

    private func check(_ topic: EngineTopic, _ url: String) throws {
        try checkEngine(topic, appendsPerWriter: 100, { try RedisEngine.open(.init(url: url)) }) { (old) in
            try old.close()
            return try RedisEngine.open(.init(url: url))
        }
    }
}
