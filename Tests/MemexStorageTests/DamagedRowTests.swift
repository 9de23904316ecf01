import MemexModel
import MemexStorage
import MemexTestSupport
import Testing

/// Numbers in rows that nobody can have stored.
@Suite struct DamagedRowTests {
    /// Of the head: after version, flags, two lengths and the generation.
    private static let numbers = [
        "changes", "activity_at_us", "floor", "version", "created_at_us", "updated_at_us", "deleted",
        "base_key",
        "base_seq", "base_rev", "root_key", "forks",
    ]

    private static func stored(_ value: Int64) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }

    /// A store with a thread, and what changes the row of a key.
    private func damaged(_ prefix: Character, _ change: (inout [UInt8]) -> Void) throws -> KeyValueEngine {
        let store = MemoryStore()
        let engine = try KeyValueEngine(store)
        let key = try engine.create("a")
        #expect(key == 1)
        try engine.add(key, [MessageSpec(id: "x")], idempotencyKey: "k")
        let batch = KeyValueBatch()
        for entry in try entries(store) where entry.key.first == prefix.asciiValue {
            var value = entry.value
            change(&value)
            batch.add(.put, entry.key, value)
        }
        #expect(try batch.commit(store))
        // What the first engine remembers is not read again.
        return try KeyValueEngine(store)
    }

    @Test(arguments: [Int64.min, -1, (1 << 62) + (1 << 32), .max - 1, .max])
    func headsOfThreads(_ value: Int64) throws {
        for (index, name) in Self.numbers.enumerated() where !(name.hasSuffix("_us") && value == -1) {
            let engine = try damaged("t") { row in
                let at = 12 + index * 8
                row.replaceSubrange(at..<at + 8, with: Self.stored(value))
            }
            let calls: [() throws -> Void] = [
                { _ = try engine.thread(tenant: "", id: "a") },
                { _ = try engine.add(1) },
                { _ = try engine.add(1, [MessageSpec(), MessageSpec()], idempotencyKey: "l") },
                { try engine.write(.removeMessages(.key(1), above: 0)) },
                { try engine.update(1) { $0.title = .some("t") } },
            ]
            for (number, call) in calls.enumerated() {
                expectError(.corrupt, "\(name) = \(value), call \(number)", call)
            }
            #expect(try engine.check(until: .never).contains { $0.contains(name) }, "\(name) = \(value)")
        }
    }

    @Test(arguments: [Int64.min, .max - 1, .max])
    func timesOfMessages(_ value: Int64) throws {
        let engine = try damaged("z") { $0.replaceSubrange(1..<9, with: Self.stored(value)) }
        expectError(.corrupt, "reading the thread") { _ = try engine.record(1) }
        expectError(.corrupt, "reading") { _ = try engine.rows(1) }
        expectError(.corrupt, "appending") { try engine.add(1) }
        #expect(try !engine.check(until: .never).isEmpty)
    }

    @Test(arguments: [0, 28, 36]) func receipts(_ offset: Int) throws {
        let engine = try damaged("k") { $0.replaceSubrange(offset..<offset + 8, with: Self.stored(.max)) }
        expectError(.corrupt, "the receipt's number at \(offset)") {
            try engine.add(1, [MessageSpec(id: "x")], idempotencyKey: "k")
        }
    }

    @Test func aFloorWithoutRowsIsFound() throws {
        let engine = try damaged("t") { $0.replaceSubrange(28..<36, with: Self.stored(99)) }
        #expect(try engine.check(until: .never) == ["thread number 1 has a gap in its seqs"])
    }
}
