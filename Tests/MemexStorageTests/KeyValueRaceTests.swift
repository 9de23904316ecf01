import MemexModel
import MemexStorage
import MemexTestSupport
import Testing

/// Two engines over one store are what two processes over one store are.
@Suite struct KeyValueRaceTests {
    @Test func twoEnginesAppendDensely() throws {
        let store = MemoryStore()
        let engines = [try KeyValueEngine(store), try KeyValueEngine(store)]
        let keys = try (0..<3).map { try engines[0].create("thread \($0)") }
        try runConcurrently(8) { writer in
            let engine = engines[writer % 2]
            for index in 0..<300 {
                let key = keys[(writer + index) % 3]
                let text = "\(writer) \(index)"
                try retrying { try engine.add(key, [MessageSpec(text)], idempotencyKey: text) }
                if index % 20 == 0 {
                    try retrying { try engine.update(key) { $0.changesDelta = 1 } }
                }
                if index % 30 == 0 { try retrying { try engine.create("new \(writer) \(index)") } }
            }
        }
        var texts: Set<String> = []
        for key in keys {
            let rows = try engines[1].rows(key)
            #expect(rows.map { $0.seq } == Array(1..<Int64(rows.count + 1)))
            texts.formUnion(rows.map { String(decoding: $0.body, as: UTF8.self) })
        }
        #expect(texts.count == 2_400, "nothing lost, nothing twice")
        #expect(try keys.map { try engines[0].record($0).changes }.reduce(0, +) == 8 * 15)
        try engines[0].expectSound("after a race")
    }

    /// A thread that another process deletes, recreates, purges or fills never takes a message wrongly.
    @Test func appendsNeverLandInARemovedThread() throws {
        let store = MemoryStore()
        let engines = [try KeyValueEngine(store), try KeyValueEngine(store)]
        for round in 0..<60 {
            let key = try engines[0].create("thread \(round)")
            let stored = Locked(0)
            try runConcurrently(3) { index in
                if index == 0 {
                    for _ in 0..<(round % 10) { try engines[0].add(key) }
                    try retrying { _ = try engines[0].write(.removeThread(.key(key))) }
                    return
                }
                do {
                    for _ in 0..<200 {
                        try retrying { try engines[1].add(key, [MessageSpec(id: "m\(index)")]) }
                        try retrying {
                            _ = try engines[1].write(.removeMessages(.key(key), above: 0))
                        }
                        stored.withLock { $0 += 1 }
                    }
                } catch let error as MemexError
                    where error.code == .notFound || error.code == .exists
                {}
            }
            #expect(try engines[1].thread(key: key) == nil)
        }
        try engines[1].expectSound("no row is left behind")
        #expect(try entries(store).count <= 2, "format and counter alone are left")
    }

    @Test func staleCachesAreFoundOut() throws {
        let store = MemoryStore()
        let (one, two) = (try KeyValueEngine(store), try KeyValueEngine(store))
        let key = try one.create("a")
        #expect(try one.add(key).firstSeq == 1 && two.add(key).firstSeq == 2)
        #expect(
            try one.add(key, expectSeq: 3).firstSeq == 3, "a condition is judged by fresh reads")
        expectError(.conflict, "not by old ones") { try two.add(key, expectSeq: 3) }
        try two.update(key) { $0.changesDelta = 4 }
        #expect(try one.add(key).rev == 8, "the other's changes count")
        try two.update(key) { $0.hide = true }
        expectError(.notFound, "hidden by the other") { try one.add(key) }
        try two.write(.removeThread(.key(key)))
        expectError(.notFound, "removed by the other") { try one.add(key) }
        let again = try two.create("a")
        #expect(again > key)
        try one.add(again, [MessageSpec(id: "x")], idempotencyKey: "k")
        expectError(.exists, "an id that the other took") {
            try two.add(again, [MessageSpec(id: "x")])
        }
        #expect(try two.add(again, [MessageSpec(id: "x")], idempotencyKey: "k").isDuplicate)
        let far = try two.add(again, [MessageSpec(at: 9_000_000_000_000_000)]).createdAt
        #expect(try one.add(again).createdAt < far, "the clock's now, whatever the other wrote")
    }

    private func retrying(_ body: () throws -> some Any) throws {
        while true {
            do {
                _ = try body()
                return
            } catch let error as MemexError where error.code == .busy { continue }
        }
    }
}
