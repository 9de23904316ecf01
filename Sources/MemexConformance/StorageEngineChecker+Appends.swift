internal import MemexModel
internal import MemexStorage

extension StorageEngineChecker {
    func checkAppends(_ engine: any StorageEngine) throws {
        let key = try engine.create("a")
        let other = try engine.create("b")
        var next: Int64 = 1
        for count in [1, 1, 3, 1, 7, 2, 100] {
            let specs = (0..<count).map {
                MessageSpec("{\"role\":\"user\",\"content\":\"\(next + Int64($0))\"}")
            }
            let result = try engine.add(key, specs)
            expect(
                result.firstSeq == next && result.lastSeq == next + Int64(count) - 1,
                "seqs are dense")
            expect(
                result.key == key && result.rev == result.lastSeq && !result.isDuplicate,
                "an append that is known, or not")
            next += Int64(count)
        }
        expect(try engine.add(other).firstSeq == 1, "each thread counts for itself")
        let rows = try engine.rows(key)
        expect(rows.map { $0.seq } == Array(1..<next), "every message once, in order")
        for row in rows {
            expect(
                row.body == Array("{\"role\":\"user\",\"content\":\"\(row.seq)\"}".utf8),
                "the rows that are stored")
            expect(
                row.role == "user" && row.tokens == 3 && row.id == "" && row.key == ""
                    && row.extra.isEmpty, "the rows that are stored")
            expect(row.isIntact, "the checksum is sealed of message", about: row.seq)
        }
        let record = try engine.record(key)
        expect(
            record.lastSeq == next - 1 && record.rev == next - 1 && record.messageCount == next - 1,
            "the record of a thread")
        expect(record.lastMessageAt == rows.last?.createdAt, "the rows that are stored")
        var full = MessageSpec(id: "mine")
        full.role = "tool"
        full.extra = Array("{\"metadata\":{\"a\":1}}".utf8)
        full.tokens = 4_000_000_000
        full.state = .incomplete
        try engine.add(other, [full])
        let row = try require(try engine.rows(other).last)
        expect(
            row.role == "tool" && row.id == "mine" && row.extra == full.extra
                && row.tokens == full.tokens, "the rows that are stored")
        expect(
            row.flags & RecordHead.Flag.state == UInt16(MessageState.incomplete.rawValue)
                && row.isIntact, "a stored message is whole")
    }

    func checkAppendConditions(_ engine: any StorageEngine) throws {
        let key = try engine.create("a")
        expectError(.notFound, "a thread that is not there") { try engine.add(987_654) }
        expectError(.notFound, "thread 0") { try engine.add(0) }
        expect(try engine.add(key, expectSeq: 1).firstSeq == 1, "the seq and rev that an append gets")
        expect(
            try engine.add(key, [MessageSpec(), MessageSpec()], expectSeq: 2).lastSeq == 3,
            "the seq and rev that an append gets")
        for wrong: Int64 in [1, 3, 5, Limits.seq] {
            expectError(.conflict, "a seq where 4 is next", about: "\(wrong)") {
                try engine.add(key, expectSeq: wrong)
            }
        }
        expect(try engine.seqs(key) == [1, 2, 3], "the seqs that are stored")
        try engine.add(key, [MessageSpec(id: "x")])
        expectError(.exists, "an id that is taken") { try engine.add(key, [MessageSpec(id: "x")]) }
        expectError(.exists, "an id that is taken, further on") {
            try engine.add(key, [MessageSpec(), MessageSpec(id: "y"), MessageSpec(id: "x")])
        }
        expectError(.exists, "an id twice in one append") {
            try engine.add(key, [MessageSpec(id: "z"), MessageSpec(id: "z")])
        }
        expect(
            try engine.seqOf(key, id: "y") == nil && engine.seqOf(key, id: "z") == nil,
            "nothing of them is stored")
        expect(try engine.seqs(key) == [1, 2, 3, 4], "the seqs that are stored")
        expect(try engine.seqOf(key, id: "x") == 4, "the seq of an id")
        let many = try engine.add(
            key, [MessageSpec(id: "y"), MessageSpec(), MessageSpec(id: "z")], expectSeq: 5)
        expect(many.firstSeq == 5 && many.lastSeq == 7, "the seqs that an append gets")
        expect(try engine.seqOf(key, id: "y") == 5 && engine.seqOf(key, id: "z") == 7, "the seq of an id")
        let other = try engine.create("b")
        expect(
            try engine.add(other, [MessageSpec(id: "x")]).firstSeq == 1, "ids are unique per thread"
        )
    }

    func checkTimes(_ engine: any StorageEngine) throws {
        let before = Environment.system.now()
        let key = try engine.create("a")
        let first = try engine.add(key)
        let after = Environment.system.now()
        expect(
            first.createdAt >= before && first.createdAt <= after,
            "the clock is asked when none is given")
        let future = after + 3_600_000_000
        expect(
            try engine.add(key, [MessageSpec(at: future)]).createdAt == future,
            "a given time is kept")
        let plain = try engine.add(key).createdAt
        expect(plain >= before && plain < future, "a time of the future is no one else's")
        let place = try engine.record(key)
        expect(
            place.lastMessageAt == plain && place.activity == plain
                && !ActivityOrder.mustMove(activityAt: place.activityAt, to: plain),
            "the thread's place goes back with its last message")
        expect(
            try engine.add(key, [MessageSpec(at: 5), MessageSpec()]).createdAt == 5,
            "also one of the past")
        let times = try engine.rows(key).map { $0.createdAt }
        guard times.count == 5 else { return expect(false, "five messages") }
        expect(times[3] == 5 && times[4] >= before && times[4] < future, "the times of messages")
        expect(try engine.record(key).lastMessageAt == times[4], "the times of messages")
        let mixed = try engine.create("b")
        try engine.add(
            mixed, [MessageSpec(at: future), MessageSpec(), MessageSpec(at: 7), MessageSpec()])
        let mixedTimes = try engine.rows(mixed).map { $0.createdAt }
        guard mixedTimes.count == 4 else { return expect(false, "four messages") }
        expect(mixedTimes[1] >= before && mixedTimes[1] < future, "within one append too")
        expect(mixedTimes[2] == 7 && mixedTimes[3] >= before, "the times of messages")
        expect(try engine.rows(mixed).allSatisfy { $0.isIntact }, "a stored message is whole")
    }

    func checkBodies(_ engine: any StorageEngine) throws {
        let key = try engine.create("a")
        var generator = SeededGenerator(seed: seed)
        let sizes = [
            0, 1, 2, 127, 128, 129, 255, 256, 4_095, 4_096, 65_535, 65_536, 1 << 20, 5 << 20,
        ]
        var bodies: [[UInt8]] = sizes.map { size in
            (0..<size).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
        }
        bodies.append([UInt8](repeating: 0, count: 1000))
        for body in bodies {
            var spec = MessageSpec(bytes: body)
            if body.count == 4_096 { spec.extra = [UInt8](repeating: 0x20, count: 300_000) }
            try engine.add(key, [spec])
        }
        let rows = try engine.rows(key)
        expect(rows.count == bodies.count, "the rows that are stored")
        for (row, body) in zip(rows, bodies) {
            expect(row.body == body, "a body comes back; its bytes", about: Int64(body.count))
            expect(row.isIntact, "a stored message is whole")
        }
        try engine.add(key, bodies.filter { $0.count < 100_000 }.map { MessageSpec(bytes: $0) })
        expect(
            try engine.rows(key).dropFirst(bodies.count).map { $0.body }
                == bodies.filter { $0.count < 100_000 }, "the rows that are stored")
    }

    func checkLastSeq(_ engine: any StorageEngine) throws {
        let key = try engine.create("a")
        let batch = EngineBatch()
        // The floor says that what lies below was removed: seqs are dense above it.
        batch.add(.removeMessages(.key(key), above: Limits.seq - 3))
        batch.put(.key(key), seq: Limits.seq - 2, MessageSpec(at: 1_000_000))
        try batch.commit(engine)
        expect(try engine.record(key).lastSeq == Limits.seq - 2, "the record of a thread")
        expectError(.limit, "three messages where two have room") {
            try engine.add(key, [MessageSpec(), MessageSpec(), MessageSpec()])
        }
        expect(try engine.seqs(key) == [Limits.seq - 2], "the seqs that are stored")
        expect(try engine.add(key).firstSeq == Limits.seq - 1, "the seq and rev that an append gets")
        expectError(.limit, "two messages where one has room") {
            try engine.add(key, [MessageSpec(), MessageSpec()])
        }
        expect(
            try engine.add(key, [MessageSpec(id: "last")]).lastSeq == Limits.seq,
            "the seq and rev that an append gets")
        expectError(.limit, "a message past the last") { try engine.add(key) }
        expectError(.limit, "and again") { try engine.add(key) }
        expect(
            try engine.seqs(key) == [Limits.seq - 2, Limits.seq - 1, Limits.seq], "the seqs that are stored")
        expect(try engine.seqOf(key, id: "last") == Limits.seq, "the seq of an id")
        let range = MessageRange(from: 1, to: Limits.seq, descending: true, limit: 1)
        expect(try engine.seqs(key, range) == [Limits.seq], "the seqs that are stored")
        expect(try engine.record(key).rev == Limits.seq, "the record of a thread")
        // The library removes messages of threads that it hides; a live one without them is a finding.
        try engine.write(.removeThread(.key(key)))
    }
}
