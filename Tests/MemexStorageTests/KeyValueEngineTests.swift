import MemexModel
import MemexStorage
import MemexTestSupport
import Testing

@Suite struct KeyValueEngineTests {
    @Test(arguments: StorageEngineChecker.topics.map { $0.name })
    func conformsInMemory(_ topic: String) throws {
        try StorageEngineChecker({ try memoryEngine() }).run(topic)
    }

    @Test func reopens() throws {
        let store = MemoryStore()
        try StorageEngineChecker(
            { try KeyValueEngine(store) },
            reopen: { (old) in
                try old.close()
                return try KeyValueEngine(store)
            }
        ).checkReopen()
    }

    @Test(arguments: StorageEngineChecker.topics.map { $0.name })
    func conformsWhenRacesAreLost(_ topic: String) throws {
        var checker = StorageEngineChecker({
            let store = FaultyStore(MemoryStore())
            let engine = try KeyValueEngine(store)
            store.failConditions(inTen: 4)
            return engine
        })
        checker.appendsPerWriter = 100
        try checker.run(topic)
    }
}
