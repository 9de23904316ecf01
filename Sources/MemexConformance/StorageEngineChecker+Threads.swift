internal import MemexModel
internal import MemexStorage

extension StorageEngineChecker {
    func checkThreads(_ engine: any StorageEngine) throws {
        expect(try engine.thread(tenant: "", id: "a") == nil, "an empty engine has no threads")
        if isFresh { expect(try engine.thread(key: 1) == nil, "which threads are there") }
        expect(try engine.thread(key: 0) == nil, "which threads are there")
        expect(try engine.thread(key: -5) == nil, "which threads are there")
        let batch = EngineBatch()
        batch.create("a", tenant: "t", at: 5_000_000) {
            $0.title = "Tit\u{0}le \"q\" 🚀"
            $0.metadata = Array("{\"a\":\"\\u0000\"}".utf8)
            $0.updatedAt = 6_000_000
            $0.version = 3
        }
        let result = try require(try batch.commit(engine).first)
        expect(result.key > 0, "the engine gives the key")
        let record = try require(try engine.thread(tenant: "t", id: "a"))
        expect(record.key == result.key, "the result of a write")
        expect(record.tenant == "t" && record.id == "a", "the record of a thread")
        expect(record.title == "Tit\u{0}le \"q\" 🚀", "the record of a thread")
        expect(record.metadata == Array("{\"a\":\"\\u0000\"}".utf8), "the record of a thread")
        expect(
            record.version == 3 && record.createdAt == 5_000_000 && record.updatedAt == 6_000_000,
            "the record of a thread")
        expect(
            record.changes == 0 && record.deletedCount == 0 && record.floor == 0
                && record.forkCount == 0, "the forks that a thread counts")
        expect(record.lastSeq == 0 && record.lastMessageAt == 0 && !record.isHidden, "the record of a thread")
        expect(record.activity == 5_000_000, "a thread without messages is listed by its creation")
        expect(try engine.record(result.key).id == "a", "the result of a write")
        expect(try engine.thread(tenant: "", id: "a") == nil, "another tenant does not see it")
        expectError(.exists, "an id that is taken") { try engine.create("a", tenant: "t") }
        let other = try engine.create("a", tenant: "u")
        expect(other != result.key, "the same id in another tenant is another thread")
        let plain = try engine.record(other)
        expect(plain.title == nil && plain.metadata == nil, "the record of a thread")
        let empty = EngineBatch()
        empty.create("empty") {
            $0.title = ""
            $0.metadata = [0x7B, 0x7D]
        }
        let emptyKey = try require(try empty.commit(engine).first?.key)
        expect(try engine.record(emptyKey).title == "", "an empty title is not a missing one")
        expect(try engine.record(emptyKey).metadata == [0x7B, 0x7D], "empty metadata is not missing")
        expect(try engine.rows(other).isEmpty, "the rows that are stored")
        expect(try engine.rows(987_654).isEmpty, "a thread that is not there has no messages")
    }

    func checkThreadUpdates(_ engine: any StorageEngine) throws {
        let key = try engine.create("a")
        try engine.add(key, [MessageSpec(), MessageSpec()])
        let result = try engine.update(key) {
            $0.expectVersion = 1
            $0.title = .some("one")
            $0.metadata = .some([0x7B, 0x7D])
            $0.versionDelta = 1
            $0.changesDelta = 1
            $0.updatedAt = 77
        }
        expect(result.key == key, "the result of a write")
        expect(result.rev == 3, "rev is the last seq and the changes")
        var record = try engine.record(key)
        expect(
            record.title == "one" && record.metadata == [0x7B, 0x7D] && record.version == 2,
            "the record of a thread")
        expect(
            record.changes == 1 && record.updatedAt == 77 && record.rev == 3 && record.lastSeq == 2,
            "the record of a thread")
        expectError(.conflict, "a version that has passed") {
            try engine.update(key) {
                $0.expectVersion = 1
                $0.title = .some("lost")
            }
        }
        expectError(.conflict, "changes that have passed") {
            try engine.update(key) {
                $0.expectChanges = 0
                $0.title = .some("lost")
            }
        }
        expect(try engine.record(key).title == "one", "a failed update changes nothing")
        try engine.add(key)
        try engine.update(key) {
            $0.expectChanges = 1
            $0.metadata = .some(nil)
            $0.deletedDelta = 2
            $0.forkDelta = 1
        }
        record = try engine.record(key)
        expect(record.title == "one", "what an update does not name stays")
        expect(record.metadata == nil, "nil removes the metadata")
        expect(
            record.deletedCount == 2 && record.forkCount == 1 && record.messageCount == 1,
            "the forks that a thread counts")
        // What the thread counts is what it has, or the engine's own check may find it.
        try engine.update(key) {
            $0.title = .some(nil)
            $0.deletedDelta = -2
            $0.forkDelta = -1
        }
        record = try engine.record(key)
        expect(
            record.title == nil && record.forkCount == 0 && record.version == 2,
            "the forks that a thread counts")
        expect(
            try engine.add(key).rev == record.lastSeq + 1 + record.changes,
            "an append continues after updates")
        expect(
            try engine.rows(key).last?.changes == UInt32(record.changes),
            "a message notes the thread's changes")
        expectError(.notFound, "a thread that is not there") {
            try engine.update(424_242) { $0.changesDelta = 1 }
        }
        let big =
            Array("{\"a\":\"".utf8) + [UInt8](repeating: 0x61, count: Limits.metadataBytes - 8)
            + Array("\"}".utf8)
        try engine.update(key) { $0.metadata = .some(big) }
        expect(try engine.record(key).metadata == big, "the record of a thread")
    }

    func checkHiding(_ engine: any StorageEngine) throws {
        let key = try engine.create("a")
        try engine.add(key, [MessageSpec(id: "m"), MessageSpec()])
        try engine.update(key) {
            $0.hide = true
            $0.changesDelta = 1
        }
        expect(try engine.thread(tenant: "", id: "a") == nil, "a hidden thread is not found by id")
        expect(try engine.record(key).isHidden, "a hidden thread is found by key")
        expect(try engine.rows(key).count == 2, "its messages stay")
        expect(
            try engine.listed(ThreadScan(tenant: "", order: .creation, descending: false)).isEmpty,
            "a listing")
        expect(
            try engine.listed(ThreadScan(tenant: "", order: .coarseActivity, descending: true))
                .isEmpty, "a listing")
        expectError(.notFound, "an append to a hidden thread") { try engine.add(key) }
        let again = try engine.create("a")
        expect(again != key, "the id is free again")
        expect(try engine.thread(tenant: "", id: "a")?.key == again, "which threads are there")
        try engine.update(key) { $0.forkDelta = 1 }
        expect(try engine.record(key).forkCount == 1, "a hidden thread can be updated")
        try engine.write(.removeThread(.key(key)))
        expect(try engine.thread(key: key) == nil && engine.rows(key).isEmpty, "the rows that are stored")
        expect(
            try engine.thread(tenant: "", id: "a")?.key == again,
            "removing it leaves its successor alone")

        try engine.add(again, [MessageSpec(id: "m")], idempotencyKey: "k")
        var mark = MessageSpec()
        mark.isMarked = true
        try engine.add(again, [mark])
        try engine.write(
            .putDerived(.key(again), DerivedRecord(kind: "k", name: "n", body: [1])),
            .appendPiece(.key(again), seq: 2, EngineBatch().lend("")))
        try engine.write(.removeThread(.key(again)))
        expect(
            try engine.thread(key: again) == nil && engine.thread(tenant: "", id: "a") == nil,
            "which threads are there")
        expect(try engine.rows(again).isEmpty && engine.marks(again).isEmpty, "the marked messages")
        expect(
            try engine.seqOf(again, id: "m") == nil && engine.derivedNames(again, "k").isEmpty,
            "derived records")
        expect(try engine.pieceTexts(again, 2).isEmpty, "the pieces of a message")
        expectError(.notFound, "an append to a removed thread") { try engine.add(again) }
        expectError(.notFound, "removing it again") { try engine.write(.removeThread(.key(again))) }
        let third = try engine.create("a")
        expect(third > again, "a key is never used again")
        expect(try engine.record(third).lastSeq == 0, "the record of a thread")
        expect(
            try engine.add(third, [MessageSpec(id: "m")], idempotencyKey: "k").firstSeq == 1,
            "the seq and rev that an append gets")
    }

    func checkForks(_ engine: any StorageEngine) throws {
        let root = try engine.create("root")
        try engine.add(root, Array(repeating: MessageSpec(), count: 5))
        let batch = EngineBatch()
        let fork = batch.create("fork", at: 2_000_000) {
            $0.baseKey = root
            $0.baseSeq = 3
            $0.baseRev = 5
            $0.rootKey = root
            $0.floor = 3
        }
        batch.update(.key(root)) { $0.forkDelta = 1 }
        batch.append(.created(operation: fork), [MessageSpec("{}")])
        let results = try batch.commit(engine)
        let key = results[fork].key
        expect(results[2].firstSeq == 4, "a fork goes on after its base")
        let record = try engine.record(key)
        expect(
            record.baseKey == root && record.baseSeq == 3 && record.baseRev == 5
                && record.rootKey == root, "the record of a thread")
        expect(record.floor == 3 && record.lastSeq == 4, "the record of a thread")
        expect(try engine.seqs(key) == [4], "own rows alone")
        expect(try engine.record(root).forkCount == 1, "the forks that a thread counts")
        expect(try engine.forks(of: root).map { $0.key } == [key], "the forks of a thread")
        expect(try engine.forks(of: key).isEmpty, "the forks of a thread")
        let bare = EngineBatch()
        bare.create("bare", at: 3_000_000) {
            $0.baseKey = key
            $0.baseSeq = 4
            $0.rootKey = root
            $0.floor = 4
        }
        let bareKey = try require(try bare.commit(engine).first?.key)
        expect(try engine.record(bareKey).lastSeq == 4, "a fork has reached its floor")
        expect(try engine.record(bareKey).lastMessageAt == 0, "and has no row of its own")
        let put = EngineBatch()
        put.put(.key(bareKey), seq: 2, MessageSpec(at: 1_500_000))
        try put.commit(engine)
        expect(try engine.seqs(bareKey) == [2], "an override of a shared message is an own row")
        expect(try engine.record(bareKey).lastSeq == 4, "and does not lower the last seq")
        expect(try engine.record(bareKey).activity == 3_000_000, "and is no activity of the fork")
        for order in [ThreadScan.Order.creation, .coarseActivity] {
            var scan = ThreadScan(tenant: "", order: order, descending: false)
            scan.rootKey = root
            expect(
                Set(try engine.listed(scan).map { $0.key }) == [root, key, bareKey],
                "the family", about: "\(order)")
            scan.rootKey = key
            expect(try engine.listed(scan).allSatisfy { $0.key == key }, "a fork is not a root")
        }
        try engine.update(key) { $0.hide = true }
        expect(try engine.forks(of: root).map { $0.key } == [key], "hidden forks are forks")
        try engine.write(.removeThread(.key(key)))
        expect(try engine.forks(of: root).isEmpty, "the forks of a thread")
        expect(try engine.add(bareKey).firstSeq == 5, "the seq and rev that an append gets")
        try engine.write(.removeThread(.key(bareKey)))
        try engine.update(root) { $0.forkDelta = -1 }
    }

    func checkHostileNames(_ engine: any StorageEngine) throws {
        let names = [
            "a", "aa", "aaa", "ab", "a/b", "'; DROP TABLE threads; --", "\"", "%", "_", "100%_",
            "\\", "ä", "a\u{308}",
            "🚀", "\u{10FFFF}", "\u{FFFF}", " ", " a", "a ", "A", String(repeating: "x", count: 255),
            String(repeating: "x", count: 254), String(repeating: "ÿ", count: 127), "null", "0",
            "00", "*", "?", "[a-z]",
        ]
        var keys: Set<Int64> = []
        let tenantBytes = (engine as? ScopedEngine)?.tenantBytes ?? Limits.idBytes
        let tenants = ["", "a", "aa", "ab", "b", "%", "'", String(repeating: "t", count: tenantBytes)]
        for tenant in tenants {
            for name in names { keys.insert(try engine.create(name, tenant: tenant)) }
        }
        expect(
            keys.count == names.count * tenants.count,
            "each name of each tenant is a thread of its own")
        for tenant in tenants {
            let listed = try engine.listed(
                ThreadScan(tenant: tenant, order: .creation, descending: false))
            expect(
                listed.map { Array($0.id.utf8) } == names.map { Array($0.utf8) },
                "all of one tenant, bytewise")
            for name in names {
                let found = try require(try engine.thread(tenant: tenant, id: name))
                expect(Array(found.id.utf8) == Array(name.utf8) && found.tenant == tenant, "derived records")
                expectError(.exists, "a name that is taken:", about: name) {
                    try engine.create(name, tenant: tenant)
                }
            }
        }
        expect(
            try engine.thread(tenant: "", id: String(repeating: "x", count: 256)) == nil,
            "which threads are there")
        let thread = try engine.create("messages")
        for (index, name) in names.enumerated() {
            let result = try engine.add(
                thread, [MessageSpec(id: name)], idempotencyKey: name, digest: (UInt64(index), 1))
            expect(
                result.firstSeq == Int64(index + 1) && !result.isDuplicate,
                "a key of its own", about: name)
        }
        for (index, name) in names.enumerated() {
            expect(try engine.seqOf(thread, id: name) == Int64(index + 1), "is found", about: name)
            let again = try engine.add(
                thread, [MessageSpec(id: name)], idempotencyKey: name, digest: (UInt64(index), 1))
            expect(again.isDuplicate && again.firstSeq == Int64(index + 1), "an append that is known, or not")
        }
        let neighbour = try engine.create("neighbour")
        expect(try engine.seqOf(neighbour, id: "a") == nil, "ids belong to a thread")
        expect(try engine.seqOf(thread, id: "aaaa") == nil, "the seq of an id")
        expect(
            try engine.rows(thread).map { Array($0.id.utf8) } == names.map { Array($0.utf8) },
            "the rows that are stored")
    }
}
