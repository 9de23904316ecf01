internal import MemexModel
internal import MemexStorage
internal import Synchronization

extension StorageEngineChecker {
    func checkWritersOnOneThread(_ engine: any StorageEngine) throws {
        let key = try engine.create("a")
        try checkWriters(engine, [key])
    }

    func checkWritersOnSeveralThreads(_ engine: any StorageEngine) throws {
        try checkWriters(engine, try (0..<5).map { try engine.create("thread \($0)") })
    }

    private func checkWriters(_ engine: any StorageEngine, _ keys: [Int64]) throws {
        let count = appendsPerWriter
        let answers = Guarded<[Int64: [Int64]]>([:])
        try runConcurrently(8) { writer in
            for index in 0..<count {
                let key = keys[(writer + index) % keys.count]
                let text = "writer \(writer), message \(index)"
                let result = try engine.add(
                    key, [MessageSpec(text)], idempotencyKey: index % 10 == 0 ? text : "")
                answers.withLock { $0[key, default: []].append(result.firstSeq) }
                if index % 25 == 0 { try engine.update(key) { $0.changesDelta = 1 } }
                if index % 50 == 0 {
                    let again = try engine.add(key, [MessageSpec(text)], idempotencyKey: text)
                    self.expect(
                        again.isDuplicate && again.firstSeq == result.firstSeq,
                        "an append that is known, or not")
                }
            }
        }
        var texts: Set<String> = []
        var total = 0
        for key in keys {
            let rows = try engine.rows(key)
            self.expect(rows.map { $0.seq } == Array(1..<Int64(rows.count + 1)), "dense")
            self.expect(
                answers.withLock { ($0[key] ?? []).sorted() } == rows.map { $0.seq },
                "every answer is a row")
            self.expect(rows.allSatisfy { $0.isIntact }, "a stored message is whole")
            texts.formUnion(rows.map { String(decoding: $0.body, as: UTF8.self) })
            total += rows.count
        }
        self.expect(total == 8 * count && texts.count == 8 * count, "nothing lost, nothing twice")
        let changes = try keys.map { try engine.record($0).changes }.reduce(0, +)
        self.expect(changes == 8 * Int64((count + 24) / 25), "no update lost")
    }

    func checkReadsDuringWrites(_ engine: any StorageEngine) throws {
        let keys = try (0..<3).map { try engine.create("thread \($0)") }
        let count = Int64(appendsPerWriter * 2)
        let isDone = Atomic<Bool>(false)
        try runConcurrently(5) { index in
            if index == 0 {
                defer { isDone.store(true, ordering: .releasing) }
                for number in 1...count {
                    for key in keys {
                        try engine.add(key, [MessageSpec("\(number)"), MessageSpec("\(-number)")])
                    }
                }
                return
            }
            var last: [Int64] = [0, 0, 0]
            var going = true
            while going {
                going = !isDone.load(ordering: .acquiring)
                for (place, key) in keys.enumerated() {
                    let record = try engine.record(key)
                    self.expect(record.lastSeq >= last[place], "the last seq never falls")
                    self.expect(record.lastSeq % 2 == 0, "an append is seen whole")
                    last[place] = record.lastSeq
                    let range = MessageRange(to: record.lastSeq, descending: true, limit: 20)
                    let rows = try engine.rows(key, range)
                    let low = max(record.lastSeq - 19, 1)
                    self.expect(
                        rows.map { $0.seq }
                            == Array((low...max(record.lastSeq, low)).reversed()).filter {
                                $0 <= record.lastSeq
                            }, "the rows that are stored")
                    self.expect(rows.allSatisfy { $0.isIntact }, "no message is seen half")
                }
            }
        }
        for key in keys { self.expect(try engine.record(key).lastSeq == count * 2, "the record of a thread") }
    }
}
