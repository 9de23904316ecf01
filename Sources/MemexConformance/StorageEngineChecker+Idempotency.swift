internal import MemexModel
internal import MemexStorage

extension StorageEngineChecker {
    func checkIdempotency(_ engine: any StorageEngine) throws {
        let key = try engine.create("a")
        let first = try engine.add(
            key, [MessageSpec(), MessageSpec()], idempotencyKey: "k", digest: (7, 8))
        expect(
            first.firstSeq == 1 && first.lastSeq == 2 && !first.isDuplicate, "an append that is known, or not"
        )
        func expectSame(_ result: WriteResult, _ what: StaticString) {
            expect(result.isDuplicate, "it is known", about: "\(what)")
            expect(
                result.firstSeq == 1 && result.lastSeq == 2 && result.key == key,
                "the first seqs", about: "\(what)")
            expect(
                result.createdAt == first.createdAt && result.rev == first.rev,
                "the first answer", about: "\(what)")
        }
        let pair = [MessageSpec(), MessageSpec()]
        expectSame(try engine.add(key, pair, idempotencyKey: "k", digest: (7, 8)), "at once")
        try engine.add(key)
        expectSame(
            try engine.add(key, pair, idempotencyKey: "k", digest: (7, 8)), "after another append")
        expectSame(
            try engine.add(key, pair, idempotencyKey: "k", digest: (7, 8), expectSeq: 1),
            "with the condition that held the first time")
        expectError(.conflict, "other bytes, first word") {
            try engine.add(key, pair, idempotencyKey: "k", digest: (6, 8))
        }
        expectError(.conflict, "other bytes, second word") {
            try engine.add(key, pair, idempotencyKey: "k", digest: (7, 9))
        }
        expectError(.conflict, "another count") {
            try engine.add(key, [MessageSpec()], idempotencyKey: "k", digest: (7, 8))
        }
        expectError(.conflict, "a greater count") {
            try engine.add(key, pair + pair, idempotencyKey: "k", digest: (7, 8))
        }
        expect(try engine.seqs(key) == [1, 2, 3], "stored once")
        let rows = try engine.rows(key)
        guard rows.count == 3 else { return }
        expect(rows[0].key == "k", "the first message carries the key")
        expect(rows[1].key == "" && rows[2].key == "", "the others do not")
        let other = try engine.create("b")
        expect(
            try !engine.add(other, idempotencyKey: "k", digest: (1, 1)).isDuplicate,
            "keys belong to a thread")
        let withID = try engine.add(
            key, [MessageSpec(id: "x")], idempotencyKey: "with id", digest: (1, 1))
        let again = try engine.add(
            key, [MessageSpec(id: "x")], idempotencyKey: "with id", digest: (1, 1))
        expect(
            again.isDuplicate && again.firstSeq == withID.firstSeq, "the key is asked before the id"
        )
        let batch = EngineBatch()
        batch.append(.key(key), [MessageSpec()], key: "twice", digest: (3, 3))
        batch.append(.key(key), [MessageSpec()], key: "twice", digest: (3, 3))
        batch.append(.key(key), [MessageSpec()])
        let results = try batch.commit(engine)
        expect(!results[0].isDuplicate && results[1].isDuplicate, "within one batch too")
        expect(
            results[1].firstSeq == results[0].firstSeq
                && results[2].firstSeq == results[0].firstSeq + 1, "the results of a batch")
        let wrong = EngineBatch()
        wrong.append(.key(key), [MessageSpec()], key: "new", digest: (3, 3))
        wrong.append(.key(key), [MessageSpec()], key: "new", digest: (4, 4))
        let before = try picture(engine, [key])
        expectError(.conflict, "other bytes within one batch") { try wrong.commit(engine) }
        expect(try picture(engine, [key]) == before, "nothing changed")
        try engine.update(other) { $0.changesDelta = 5 }
        let later = try engine.add(other, idempotencyKey: "later", digest: (1, 1))
        expect(later.rev == 7, "the rev of an append")
        expect(
            try engine.add(other, idempotencyKey: "later", digest: (1, 1)).rev == 7,
            "the seq and rev that an append gets")
    }

    func checkIdempotencyLifetime(_ engine: any StorageEngine) throws {
        let key = try engine.create("a")
        try engine.add(
            key, [MessageSpec(id: "i"), MessageSpec()], idempotencyKey: "k", digest: (1, 1))
        try engine.add(key, idempotencyKey: "l", digest: (2, 2))
        let tombstone = EngineBatch()
        var deleted = MessageSpec(bytes: [])
        deleted.state = .deleted
        deleted.changes = 1
        deleted.id = "i"
        deleted.createdAt = 5_000_000
        tombstone.put(.key(key), seq: 1, deleted)
        tombstone.update(.key(key)) {
            $0.changesDelta = 1
            $0.deletedDelta = 1
        }
        try tombstone.commit(engine)
        expect(try engine.rows(key).first?.key == "k", "a tombstone keeps its key")
        let pair = [MessageSpec(id: "i"), MessageSpec()]
        let again = try engine.add(key, pair, idempotencyKey: "k", digest: (1, 1))
        expect(
            again.isDuplicate && again.firstSeq == 1 && again.lastSeq == 2, "a tombstone remembers")
        expectError(.conflict, "other bytes after a tombstone") {
            try engine.add(key, pair, idempotencyKey: "k", digest: (1, 2))
        }
        try engine.write(.removeMessages(.key(key), above: 2))
        expect(try engine.seqs(key) == [1, 2], "the seqs that are stored")
        let second = try engine.add(key, idempotencyKey: "l", digest: (9, 9))
        expect(!second.isDuplicate && second.firstSeq == 3, "a key goes with its first message")
        try engine.write(.removeMessages(.key(key), above: 1))
        let third = try engine.add(key, pair, idempotencyKey: "k", digest: (1, 1))
        expect(third.isDuplicate && third.firstSeq == 1, "the first message's row counts")
        try engine.write(.removeMessages(.key(key), above: 0))
        expect(try engine.seqs(key).isEmpty, "the seqs that are stored")
        expect(
            try !engine.add(key, pair, idempotencyKey: "k", digest: (5, 5)).isDuplicate,
            "an append that is known, or not")
        // The library removes messages of threads that it hides; a live one without them is a finding.
        try engine.write(.removeThread(.key(key)))
    }
}
