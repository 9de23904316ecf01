import MemexModel
import MemexStorage
import MemexTestSupport
import Testing

@Suite struct KeyValueFaultTests {
    /// Each call of the store fails once: the engine reports it, keeps what it had, and goes on.
    @Test func everyCallMayFail() throws {
        for call in 1...60 {
            let store = FaultyStore(MemoryStore())
            let engine = try KeyValueEngine(store)
            let key = try engine.create("a")
            try engine.add(key, [MessageSpec(id: "x")], idempotencyKey: "k")
            let before = try picture(engine, [key])
            let calls = store.calls
            store.fail(at: call)
            let batch = EngineBatch()
            batch.create("b")
            batch.append(.key(key), [MessageSpec(id: "y")], key: "l")
            batch.put(.key(key), seq: 1, MessageSpec(at: 1))
            batch.update(.key(key)) { $0.title = .some("t") }
            batch.add(.removeMessages(.key(key), above: 1))
            batch.add(.appendPiece(.key(key), seq: 1, batch.lend("p")))
            do {
                try batch.commit(engine)
                #expect(store.calls - calls < call, "call \(call) was not made")
                break
            } catch let error as MemexError {
                #expect(error.code == .callback)
            }
            #expect(try picture(engine, [key]) == before, "call \(call): nothing was written")
            #expect(try engine.add(key).firstSeq == 2)
            try engine.expectSound("call \(call)")
        }
    }

    @Test func everyAppendMayFail() throws {
        for fault in [FaultyStore.Fault.fail, .conflict, .loseAnswer] {
            let store = FaultyStore(MemoryStore())
            let engine = try KeyValueEngine(store)
            let key = try engine.create("a")
            var expected: Int64 = 0
            for index in 0..<200 {
                store.fail(at: index % 5 + 1, fault)
                do {
                    let result = try engine.add(
                        key, [MessageSpec("\(index)")], idempotencyKey: "\(index)")
                    expected += 1
                    #expect(result.firstSeq == expected && !result.isDuplicate)
                } catch let error as MemexError {
                    store.fail(at: .max / 2)
                    let again = try engine.add(
                        key, [MessageSpec("\(index)")], idempotencyKey: "\(index)")
                    expected += 1
                    #expect(again.firstSeq == expected, "the idempotency key resolves it")
                    #expect(again.isDuplicate == (error.code == .outcomeUnknown))
                }
            }
            #expect(
                try engine.rows(key).map { String(decoding: $0.body, as: UTF8.self) }
                    == (0..<200).map { "\($0)" })
        }
    }

    @Test func racesThatAreAlwaysLostEndWithBusy() throws {
        let store = FaultyStore(MemoryStore())
        let engine = try KeyValueEngine(store)
        let key = try engine.create("a")
        store.failConditions(inTen: 10)
        expectError(.busy, "always losing") { try engine.add(key) }
        store.failConditions(inTen: 0)
        #expect(try engine.add(key).firstSeq == 1)
    }

    @Test func anAppendIsOneCommitWithoutReads() throws {
        let store = FaultyStore(MemoryStore())
        let engine = try KeyValueEngine(store)
        let keys = [try engine.create("a"), try engine.create("b")]
        for key in keys { try engine.add(key) }
        for index in 0..<20 {
            let before = (store.calls, store.commits)
            try engine.add(
                keys[index % 2], [MessageSpec(id: "\(index)"), MessageSpec()],
                idempotencyKey: "k\(index)")
            #expect(store.calls == before.0 + 1 && store.commits == before.1 + 1)
        }
    }

    /// A writer that hangs in its callback keeps nobody else for ever.
    @Test func waitsEnd() throws {
        let store = FaultyStore(MemoryStore())
        let engine = try KeyValueEngine(store)
        let key = try engine.create("a")
        let entered = Flag()
        let release = Flag()
        store.beforeEachCommit {
            if entered.isSet { return }
            entered.set()
            while !release.isSet { pause() }
        }
        try runConcurrently(3) { (index) throws in
            if index == 0 {
                #expect(try engine.add(key).firstSeq == 1)
                return
            }
            while !entered.isSet { pause() }
            if index == 1 {
                let batch = EngineBatch()
                batch.append(.key(key), [MessageSpec()])
                expectError(.timeout, "a deadline") {
                    try batch.commit(engine, until: Deadline(after: 20_000))
                }
                expectError(.timeout, "one that has passed") {
                    try batch.commit(engine, until: Deadline(after: -1))
                }
                #expect(try engine.rows(key).isEmpty, "reads do not wait")
                for _ in 0..<20 {
                    engine.interrupt()
                    for _ in 0..<10 { pause() }
                }
                release.set()
                return
            }
            expectError(.cancelled, "an interruption") { try engine.add(key) }
        }
        #expect(try engine.add(key).firstSeq == 2)
    }

    @Test func writesFromACallbackAreRefused() throws {
        let store = FaultyStore(MemoryStore())
        let engine = try KeyValueEngine(store)
        let key = try engine.create("a")
        store.pretendInside(true)
        expectError(.reentrant, "a write") { try engine.add(key) }
        #expect(try engine.record(key).lastSeq == 0, "reads are allowed")
        store.pretendInside(false)
        #expect(try engine.add(key).firstSeq == 1)
    }

    @Test func otherFormatsAreRefusedUntouched() throws {
        let store = MemoryStore()
        _ = try KeyValueEngine(store)
        let (name, value) = try #require(try entries(store).first)
        for (bytes, code) in [
            (Array("memex-kv".utf8) + [2, 0, 0, 0], MemexError.Code.newerFormat),
            (Array("memex-kv".utf8), .corrupt),
            ([], .corrupt), (value + [0], .corrupt),
            (Array("memex-kv".utf8) + [0, 0, 0, 0], .corrupt),
        ] {
            let batch = KeyValueBatch()
            batch.add(.put, name, bytes)
            #expect(try batch.commit(store))
            let before = try entries(store).map { $0.value }
            expectError(code, "\(bytes)") { _ = try KeyValueEngine(store) }
            #expect(try entries(store).map { $0.value } == before)
        }
    }

    /// Damaged values and keys are errors, never crashes.
    @Test func damageIsReported() throws {
        var generator = SeededGenerator(seed: 99)
        var reported = 0
        for round in 0..<600 {
            let store = MemoryStore()
            let engine = try KeyValueEngine(store)
            let batch = EngineBatch()
            let created = batch.create("a") { $0.title = "title" }
            batch.append(
                .created(operation: created), [MessageSpec(id: "x"), MessageSpec()], key: "k")
            batch.add(
                .putDerived(
                    .created(operation: created), DerivedRecord(kind: "k", name: "n", body: [1])))
            batch.add(.appendPiece(.created(operation: created), seq: 1, batch.lend("p")))
            let key = try #require(try batch.commit(engine).first?.key)
            let all = try entries(store)
            var (name, value) = all[1 + generator.below(all.count - 1)]
            let damage = KeyValueBatch()
            switch round % 4 {
            case 0: value = Array(value.prefix(generator.below(value.count + 1)))
            case 1: value += [UInt8(truncatingIfNeeded: generator.next())]
            case 2 where !value.isEmpty:
                value[generator.below(value.count)] = UInt8(truncatingIfNeeded: generator.next())
            default:
                damage.add(.delete, name)
                if round % 8 == 3 {
                    name.removeLast(min(name.count - 1, 1 + generator.below(8)))
                } else {
                    name[1 + generator.below(max(name.count - 1, 1)) - (name.count == 1 ? 1 : 0)] ^=
                        0xFF
                }
            }
            if !(round % 4 == 3 && all.contains { $0.key == name }) {
                damage.add(.put, name, value)
            }
            #expect(try damage.commit(store))
            let steps: [() throws -> Void] = [
                { _ = try engine.thread(tenant: "", id: "a") }, { _ = try engine.thread(key: key) },
                { _ = try engine.rows(key) }, { _ = try engine.marks(key) },
                { _ = try engine.seqOf(key, id: "x") },
                { _ = try engine.derivedNames(key, "k") }, { _ = try engine.pieceTexts(key, 1) },
                {
                    _ = try engine.listed(
                        ThreadScan(tenant: "", order: .coarseActivity, descending: true))
                },
                {
                    _ = try engine.listed(
                        ThreadScan(tenant: "", order: .creation, descending: true))
                },
                { reported += try engine.check(until: .never).isEmpty ? 0 : 1 },
                { _ = try engine.add(key, [MessageSpec(id: "x")], idempotencyKey: "k") },
                { _ = try engine.add(key) },
                { _ = try engine.create("b") },
                { _ = try engine.write(.removeMessages(.key(key), above: 0)) },
                { _ = try engine.write(.removeThread(.key(key))) },
            ]
            for step in steps {
                do { try step() } catch let error as MemexError {
                    let allowed: [MemexError.Code] = [
                        .corrupt, .newerFormat, .notFound, .exists, .conflict, .busy, .limit,
                    ]
                    #expect(allowed.contains(error.code), "\(error)")
                }
            }
        }
        #expect(reported > 300, "the check finds most of it: \(reported) of 600")
    }
}
