import MemexModel
import MemexStorage
import MemexTestSupport
import Testing

@Suite struct MemoryStoreTests {
    /// Random commits and scans against a sorted array.
    @Test(arguments: [(1, 400), (2, 20_000), (3, 60)])
    func agreesWithASortedArray(_ seed: Int, _ keys: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        let store = MemoryStore()
        var oracle: [(key: [UInt8], value: [UInt8])] = []
        func place(_ key: [UInt8]) -> (Int, Bool) {
            var low = 0
            var high = oracle.count
            while low < high {
                let middle = (low + high) / 2
                if oracle[middle].key.lexicographicallyPrecedes(key) {
                    low = middle + 1
                } else {
                    high = middle
                }
            }
            return (low, low < oracle.count && oracle[low].key == key)
        }
        func randomKey() -> [UInt8] {
            let number = generator.below(keys)
            // Prefixes of each other, bytes at both ends.
            switch number % 4 {
            case 0: return Array("k\(number)".utf8)
            case 1: return [UInt8](repeating: 0xFF, count: number % 7 + 1) + [UInt8(number & 0xFF)]
            case 2:
                return [UInt8](repeating: 0, count: number % 5 + 1) + Array("\(number / 16)".utf8)
            default: return Array("m\(100_000 + number)".utf8)
            }
        }
        var deletes = 3
        for step in 0..<40_000 {
            if step % 5_000 == 0 { deletes = [3, 8, 5, 9][(step / 5_000) % 4] }
            let batch = KeyValueBatch()
            var touched: Set<[UInt8]> = []
            var holds = true
            var changes: [(key: [UInt8], value: [UInt8]?)] = []
            for _ in 0...generator.below(4) {
                let key = randomKey()
                if !touched.insert(key).inserted { continue }
                let (index, isThere) = place(key)
                switch generator.below(12) {
                case 0:
                    batch.add(.requireAbsent, key)
                    holds = holds && !isThere
                case 1 where isThere:
                    batch.add(.requireEqual, key, oracle[index].value)
                case 2 where step % 7 == 0:
                    batch.add(.requireEqual, key, [9])
                    holds = holds && isThere && oracle[index].value == [9]
                case 3 where step % 7 == 0:
                    batch.add(.requirePresent, key)
                    holds = holds && isThere
                case ..<(12 - deletes):
                    let value = [UInt8](repeating: UInt8(step & 0xFF), count: generator.below(40))
                    batch.add(.put, key, value)
                    changes.append((key, value))
                default:
                    batch.add(.delete, key)
                    changes.append((key, nil))
                }
            }
            #expect(try batch.commit(store) == holds)
            if holds {
                for (key, value) in changes {
                    let (index, isThere) = place(key)
                    if let value {
                        if isThere {
                            oracle[index].value = value
                        } else {
                            oracle.insert((key, value), at: index)
                        }
                    } else if isThere {
                        oracle.remove(at: index)
                    }
                }
            }
            if step % 100 == 0 {
                let (from, to) = (randomKey(), randomKey())
                let low = place(from).0
                let high = max(place(to).0, low)
                let limit = generator.below(3) == 0 ? 5 : 1_000_000
                for descending in [false, true] {
                    let range = oracle[low..<high].map { $0.key }
                    let expected = Array((descending ? range.reversed() : range).prefix(limit))
                    let found = try scan(store, from, to, descending, limit)
                    #expect(found.map { $0.key } == expected, "step \(step)")
                }
            }
            if step % 4_000 == 0 {
                let all = try scan(store, [], [UInt8](repeating: 0xFF, count: 20), false, .max)
                #expect(
                    all.map { $0.key } == oracle.map { $0.key }
                        && all.map { $0.value } == oracle.map { $0.value })
            }
        }
        let rest = KeyValueBatch()
        for entry in oracle { rest.add(.delete, entry.key) }
        #expect(try rest.commit(store))
        #expect(try scan(store, [], [UInt8](repeating: 0xFF, count: 20), true, .max).isEmpty)
        #expect(try store.statistics() == "\"entries\":0,\"bytes\":0")
    }

    /// Rising keys in several places, then everything removed from either end.
    @Test func keepsRunsInOrder() throws {
        let store = MemoryStore()
        for index in 0..<20_000 {
            let batch = KeyValueBatch()
            batch.add(.put, key(index % 7, index), [1, 2, 3])
            #expect(try batch.commit(store))
        }
        let ends: ([UInt8], [UInt8]) = ([], [0xFF])
        var all = try scan(store, ends.0, ends.1, false, .max).map { $0.key }
        #expect(all.count == 20_000 && all == all.sorted { $0.lexicographicallyPrecedes($1) })
        var generator = SeededGenerator(seed: 5)
        while !all.isEmpty {
            let batch = KeyValueBatch()
            for _ in 0..<min(all.count, 100) {
                batch.add(.delete, generator.below(2) == 0 ? all.removeLast() : all.removeFirst())
            }
            #expect(try batch.commit(store))
        }
        #expect(try scan(store, ends.0, ends.1, false, .max).isEmpty)
    }

    private func key(_ thread: Int, _ number: Int) -> [UInt8] {
        [
            UInt8(thread), UInt8(number >> 16 & 0xFF), UInt8(number >> 8 & 0xFF),
            UInt8(number & 0xFF),
        ]
    }

    private func scan(
        _ store: MemoryStore, _ from: [UInt8], _ to: [UInt8], _ descending: Bool, _ limit: Int
    ) throws -> [(key: [UInt8], value: [UInt8])] {
        var found: [(key: [UInt8], value: [UInt8])] = []
        let batch = EngineBatch()
        try withExtendedLifetime(batch) {
            try store.scan(
                from: batch.lend(from), to: batch.lend(to), descending: descending,
                limit: Int64(limit)
            ) { (key, value) throws(MemexError) -> Bool in
                found.append((Array(key), Array(value)))
                return true
            }
        }
        return found
    }
}
