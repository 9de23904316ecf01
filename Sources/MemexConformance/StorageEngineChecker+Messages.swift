internal import MemexModel
internal import MemexStorage

extension StorageEngineChecker {
    func checkPuts(_ engine: any StorageEngine) throws {
        let key = try engine.create("a")
        try engine.add(
            key, [MessageSpec(id: "one"), MessageSpec(), MessageSpec(id: "three")],
            idempotencyKey: "k")
        let stored = try engine.rows(key)
        guard stored.count == 3 else { return expect(false, "three messages") }
        var spec = MessageSpec("{\"role\":\"assistant\",\"content\":\"new\"}")
        spec.role = "assistant"
        spec.id = "one"
        spec.createdAt = stored[0].createdAt
        spec.changes = 1
        let batch = EngineBatch()
        batch.put(.key(key), seq: 1, spec)
        batch.update(.key(key)) { $0.changesDelta = 1 }
        try batch.commit(engine)
        var rows = try engine.rows(key)
        guard rows.count == 3 else { return expect(false, "three messages") }
        expect(
            rows[0].body == spec.body && rows[0].role == "assistant" && rows[0].id == "one",
            "the rows that are stored")
        expect(
            rows[0].changes == 1 && rows[0].createdAt == stored[0].createdAt, "taken as they are")
        expect(rows[0].key == "k", "the row keeps its idempotency key")
        expect(rows.allSatisfy { $0.isIntact }, "the checksum of a replacement is sealed")
        expect(rows[1] == stored[1] && rows[2] == stored[2], "others are left alone")
        expect(
            try engine.record(key).lastSeq == 3 && engine.record(key).changes == 1, "the record of a thread")
        expect(try engine.seqOf(key, id: "one") == 1, "the seq of an id")

        let tombstone = EngineBatch()
        var deleted = MessageSpec(bytes: [])
        deleted.role = "user"
        deleted.state = .deleted
        deleted.id = "three"
        deleted.createdAt = stored[2].createdAt
        tombstone.put(.key(key), seq: 3, deleted)
        tombstone.update(.key(key)) {
            $0.deletedDelta = 1
            $0.changesDelta = 1
        }
        try tombstone.commit(engine)
        rows = try engine.rows(key)
        guard rows.count == 3 else { return expect(false, "a tombstone is a row") }
        expect(
            rows[2].body.isEmpty
                && rows[2].flags & RecordHead.Flag.state == UInt16(MessageState.deleted.rawValue),
            "the rows that are stored")
        expect(
            try engine.record(key).messageCount == 2 && engine.record(key).lastSeq == 3,
            "the record of a thread")
        expect(try engine.add(key).firstSeq == 4, "the seq of a tombstone stays taken")
        expectError(.exists, "the id of a tombstone stays taken") {
            try engine.add(key, [MessageSpec(id: "three")])
        }
        let clash = EngineBatch()
        clash.put(.key(key), seq: 2, MessageSpec(id: "one"))
        expectError(.exists, "a replacement with another's id") { try clash.commit(engine) }
        let move = EngineBatch()
        move.put(.key(key), seq: 1, MessageSpec(id: "uno"))
        move.put(.key(key), seq: 2, MessageSpec(id: "one"))
        try move.commit(engine)
        expect(
            try engine.seqOf(key, id: "uno") == 1 && engine.seqOf(key, id: "one") == 2,
            "ids follow their rows")
        let pair = [MessageSpec(), MessageSpec(), MessageSpec()]
        expect(
            try engine.add(key, pair, idempotencyKey: "k").isDuplicate,
            "and a replaced row keeps its receipt")
        expectError(.notFound, "a thread that is not there") {
            let lost = EngineBatch()
            lost.put(.key(777_777), seq: 1, MessageSpec(at: 1))
            try lost.commit(engine)
        }
        for wrong: Int64 in [0, -1, Limits.seq + 1] {
            let outside = EngineBatch()
            outside.put(.key(key), seq: wrong, MessageSpec(at: 1))
            expectError(.limit, "seq", about: "\(wrong)") { try outside.commit(engine) }
        }
    }

    func checkRemovals(_ engine: any StorageEngine) throws {
        let key = try engine.create("a")
        var marked = MessageSpec()
        marked.isMarked = true
        for index in 1...10 {
            var spec = index % 2 == 0 ? marked : MessageSpec()
            spec.id = "id \(index)"
            spec.createdAt = Int64(index) * 100_000_000
            try engine.add(key, [spec], idempotencyKey: "key \(index)")
        }
        try engine.write(.appendPiece(.key(key), seq: 9, ByteView(start: nil, count: 0)))
        let result = try engine.write(.removeMessages(.key(key), above: 6))
        expect(result.first?.lastSeq == 6 && result.first?.key == key, "the result of a write")
        expect(try engine.seqs(key) == [1, 2, 3, 4, 5, 6], "the seqs that are stored")
        expect(
            try engine.marks(key) == [2, 4, 6] && engine.pieceTexts(key, 9).isEmpty, "the pieces of a message"
        )
        expect(
            try engine.seqOf(key, id: "id 7") == nil && engine.seqOf(key, id: "id 6") == 6, "the seq of an id"
        )
        var record = try engine.record(key)
        expect(
            record.lastSeq == 6 && record.floor == 6 && record.lastMessageAt == 600_000_000,
            "the record of a thread")
        expect(
            !ActivityOrder.mustMove(activityAt: record.activityAt, to: record.activity),
            "its place follows")
        expect(
            try engine.add(key, [MessageSpec(id: "id 7")], idempotencyKey: "key 7", digest: (9, 9))
                .firstSeq == 7, "the seq and rev that an append gets")
        try engine.write(.removeMessages(.key(key), above: 20))
        record = try engine.record(key)
        expect(record.floor == 20 && record.lastSeq == 20, "the floor becomes at least that seq")
        expect(try engine.seqs(key).count == 7, "and nothing is above it")
        expect(try engine.add(key).firstSeq == 21, "the seq and rev that an append gets")
        try engine.write(.removeMessages(.key(key), above: 3))
        expect(
            try engine.record(key).floor == 20 && engine.record(key).lastSeq == 20,
            "a floor never falls")
        expect(try engine.add(key).firstSeq == 21, "the seq and rev that an append gets")
        let batch = EngineBatch()
        batch.append(.key(key), [MessageSpec(id: "p"), MessageSpec(id: "q")], key: "batch")
        batch.add(.removeMessages(.key(key), above: 22))
        batch.append(.key(key), [MessageSpec(id: "q")])
        batch.add(.removeMessages(.key(key), above: 0))
        batch.append(.key(key), [MessageSpec(id: "p")], key: "batch", digest: (5, 5))
        let results = try batch.commit(engine)
        expect(
            results[0].lastSeq == 23 && results[2].firstSeq == 23 && results[4].firstSeq == 23,
            "the results of a batch")
        expect(
            try engine.seqs(key) == [23] && engine.seqOf(key, id: "p") == 23
                && engine.seqOf(key, id: "q") == nil, "the seq of an id")
        expect(try engine.marks(key).isEmpty, "the marked messages")
        expectError(.notFound, "of no thread") {
            try engine.write(.removeMessages(.key(55_555), above: 0))
        }
        let empty = try engine.create("empty")
        try engine.write(.removeMessages(.key(empty), above: 0))
        expect(
            try engine.record(empty).lastSeq == 0 && engine.add(empty).firstSeq == 1,
            "the seq and rev that an append gets")
        // The library removes messages of threads that it hides; a live one without them is a finding.
        try engine.write(.removeThread(.key(key)))
    }

    func checkRanges(_ engine: any StorageEngine) throws {
        let before = try engine.create("before")
        let key = try engine.create("a")
        let after = try engine.create("after")
        for thread in [before, key, after] {
            try engine.add(thread, Array(repeating: MessageSpec(), count: 1_300))
        }
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            let low = Int64(generator.below(1_400)) - 20
            let high = Int64(generator.below(1_400)) - 20
            let limit = [1, 2, 5, 511, 512, 513, 1_024, 5_000][generator.below(8)]
            for descending in [false, true] {
                let all = (1...1_300).map { Int64($0) }.filter { $0 >= low && $0 <= high }
                let expected = Array((descending ? all.reversed() : all).prefix(limit))
                let range = MessageRange(
                    from: low, to: high, descending: descending, limit: Int64(limit))
                expect(try engine.seqs(key, range) == expected, "a range", about: low)
            }
        }
        expect(try engine.seqs(key, MessageRange(limit: 0)).isEmpty, "the seqs that are stored")
        expect(
            try engine.seqs(key, MessageRange(from: .min, to: .max)).count == 1_300,
            "the seqs that are stored")
        expect(try engine.seqs(key, MessageRange(from: .max, to: .min)).isEmpty, "the seqs that are stored")
        var seen = 0
        try engine.messages(key, MessageRange()) { (_) throws(MemexError) -> Bool in
            seen += 1
            return seen < 700
        }
        expect(seen == 700, "false ends the reading")
        expectError(.cancelled, "an error of the visitor comes through") {
            try engine.messages(key, MessageRange()) { (_) throws(MemexError) -> Bool in
                throw MemexError(.cancelled, "enough")
            }
        }
        expect(try engine.add(key).firstSeq == 1_301, "and leaves nothing locked")
    }

    func checkMarks(_ engine: any StorageEngine) throws {
        let key = try engine.create("a")
        let neighbour = try engine.create("b")
        var marked = MessageSpec(at: 1_000_000)
        marked.isMarked = true
        let plain = MessageSpec(at: 1_000_000)
        try engine.add(key, [marked, plain, plain, marked, plain, marked])
        try engine.add(neighbour, [marked])
        expect(try engine.marks(key) == [1, 4, 6], "the marked messages")
        expect(
            try engine.marks(key, from: 2, to: 4) == [4]
                && engine.marks(key, from: 4, to: 3).isEmpty, "the marked messages")
        let batch = EngineBatch()
        batch.put(.key(key), seq: 4, plain)
        batch.put(.key(key), seq: 2, marked)
        batch.put(.key(key), seq: 6, marked)
        try batch.commit(engine)
        expect(try engine.marks(key) == [1, 2, 6], "a replacement sets and clears its mark")
        var first: [Int64] = []
        try engine.markedSeqs(key, from: 1, to: Limits.seq) {
            first.append($0)
            return false
        }
        expect(first == [1], "false ends the reading")
    }
}
