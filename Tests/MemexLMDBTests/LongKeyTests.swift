import MemexModel
import MemexStorage
import MemexTestSupport
import Testing

@testable import MemexLMDB

/// Keys of more bytes than LMDB takes, against the store in memory.
@Suite struct LongKeyTests {
    private let folder: TemporaryFolder
    private let store: LMDBStore
    private let oracle = MemoryStore()

    init() throws {
        folder = try TemporaryFolder()
        let path = folder.path("store")
        try LMDBEngines.open(.init(path: path)).close()
        let identity = try StoreFolder.prepare(
            path, mark: "data.mdb", others: [], readOnly: false, create: true)
        store = try LMDBStore(.init(path: path), identity)
        let batch = KeyValueBatch()
        for entry in try entries(store) { batch.add(.put, entry.key, entry.value) }
        #expect(try batch.commit(oracle))
    }

    /// Keys that share long beginnings, of lengths around every limit, and with the bytes that mark a bucket.
    private func key(_ generator: inout SeededGenerator) -> [UInt8] {
        let lengths = [1, 2, 508, 509, 510, 511, 512, 513, 520, 700, 1023, 1024]
        let fill = UInt8(generator.below(2) == 0 ? 0x61 : 0x62)
        var key = [UInt8](repeating: fill, count: lengths[generator.below(lengths.count)])
        let ends: [UInt8] = [0x00, 0x01, 0x61, 0xFE]
        for offset in [key.count - 1, 509, 510, 511] where offset < key.count && generator.below(2) == 0 {
            key[offset] = ends[generator.below(4)]
        }
        return key
    }

    private func scan(
        _ store: any OrderedStore, _ from: [UInt8], _ to: [UInt8], _ descending: Bool, _ limit: Int64
    ) throws -> [[UInt8]] {
        var found: [[UInt8]] = []
        try from.withUnsafeBufferPointer { from in
            try to.withUnsafeBufferPointer { to in
                try store.scan(from: from, to: to, descending: descending, limit: limit) {
                    (key, value) throws(MemexError) -> Bool in
                    found.append(Array(key))
                    found.append(Array(value))
                    return true
                }
            }
        }
        return found
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func agreesWithTheStoreInMemory(seed: UInt64) throws {
        defer { store.closeFiles() }
        var generator = SeededGenerator(seed: seed)
        for step in 0..<400 {
            let ours = KeyValueBatch()
            let theirs = KeyValueBatch()
            var used = Set<[UInt8]>()
            for _ in 0..<(1 + generator.below(4)) {
                let key = key(&generator)
                guard used.insert(key).inserted else { continue }
                let kind: KeyValueWrite.Kind = generator.below(3) == 0 ? .delete : .put
                let value = [UInt8](repeating: UInt8(generator.below(256)), count: generator.below(40))
                ours.add(kind, key, value)
                theirs.add(kind, key, value)
            }
            #expect(try ours.commit(store) && theirs.commit(oracle))
            let (from, to) = (key(&generator), key(&generator))
            let descending = generator.below(2) == 0
            let limit: Int64 = generator.below(2) == 0 ? .max : Int64(generator.below(4))
            #expect(
                try scan(store, from, to, descending, limit) == scan(oracle, from, to, descending, limit),
                "seed \(seed), step \(step)")
            var value: [UInt8]?
            let isThere = try from.withUnsafeBufferPointer { key throws in
                try store.get(key) { (bytes) throws(MemexError) -> Void in value = Array(bytes) }
            }
            #expect(try scan(oracle, from, from + [0], false, 1).last == value && isThere == (value != nil))
        }
        #expect(try entries(store).map(\.key) == entries(oracle).map(\.key))
    }

    @Test func conditionsHoldForThem() throws {
        defer { store.closeFiles() }
        let key = [UInt8](repeating: 0x61, count: 600)
        let first = KeyValueBatch()
        first.add(.requireAbsent, key)
        first.add(.put, key, [1])
        #expect(try first.commit(store))
        #expect(try !first.commit(store))
        let second = KeyValueBatch()
        second.add(.requireEqual, key, [1])
        second.add(.put, key, [2])
        #expect(try second.commit(store))
        #expect(try !second.commit(store))
    }
}
