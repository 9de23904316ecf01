import MemexModel
import MemexStorage
import MemexTestSupport
import Testing

@Suite struct KeyValueEngineTests {
    @Test(arguments: EngineTopic.allCases)
    func conformsInMemory(_ topic: EngineTopic) throws {
        let store = MemoryStore()
        try checkEngine(topic, { try KeyValueEngine(store) }) { (old) in
            try old.close()
            return try KeyValueEngine(store)
        }
    }

    @Test(arguments: EngineTopic.allCases)
    func conformsWhenRacesAreLost(_ topic: EngineTopic) throws {
        try checkEngine(topic, appendsPerWriter: 100) {
            let store = FaultyStore(MemoryStore())
            let engine = try KeyValueEngine(store)
            store.failConditions(inTen: 4)
            return engine
        }
    }
}
