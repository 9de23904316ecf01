internal import MemexModel
internal import MemexStorage

extension StorageEngineChecker {
    func checkBatches(_ engine: any StorageEngine) throws {
        expect(try engine.commit([], until: .never).isEmpty, "an empty batch does nothing")
        let old = try engine.create("old")
        let batch = EngineBatch()
        let a = batch.create("a")
        batch.append(.created(operation: a), [MessageSpec(), MessageSpec()])
        let b = batch.create("b", tenant: "t")
        batch.append(.created(operation: b), [MessageSpec(id: "m")])
        batch.append(.key(old), [MessageSpec()])
        batch.append(.created(operation: a), [MessageSpec()], expectSeq: 3)
        batch.update(.created(operation: b)) {
            $0.title = .some("named")
            $0.changesDelta = 1
        }
        batch.add(
            .putDerived(.created(operation: a), DerivedRecord(kind: "k", name: "n", body: [1, 2])))
        batch.put(.created(operation: b), seq: 1, MessageSpec(at: 9_000_000))
        let blob = batch.lend("blob")
        batch.add(.putBlob(BlobHash(of: blob), blob))
        batch.add(.appendPiece(.created(operation: a), seq: 3, batch.lend("p")))
        let results = try batch.commit(engine)
        expect(results.count == batch.operations.count, "one result an operation")
        expect(results[0].key != results[2].key, "the results of a batch")
        expect(
            results[1].firstSeq == 1 && results[1].lastSeq == 2 && results[1].key == results[0].key,
            "the results of a batch")
        expect(
            results[3].firstSeq == 1 && results[4].firstSeq == 1 && results[5].firstSeq == 3,
            "the results of a batch")
        expect(results[6].rev == 2, "the results of a batch")
        expect(try engine.thread(tenant: "t", id: "b")?.title == "named", "which threads are there")
        expect(
            try engine.seqs(results[0].key) == [1, 2, 3] && engine.seqs(old) == [1], "the results of a batch")
        expect(try engine.rows(results[2].key).first?.createdAt == 9_000_000, "the results of a batch")
        expect(
            try engine.seqOf(results[2].key, id: "m") == nil,
            "a replacement without the id gives it up")
        expect(try engine.derived(results[0].key, kind: "k", name: "n")?.body == [1, 2], "derived records")
        expect(try engine.pieceTexts(results[0].key, 3) == ["p"], "the pieces of a message")

        let gone = EngineBatch()
        let c = gone.create("c")
        gone.append(.created(operation: c), [MessageSpec(id: "m")], key: "k")
        gone.add(.removeThread(.created(operation: c)))
        gone.create("c")
        let last = try gone.commit(engine)
        expect(
            try engine.thread(tenant: "", id: "c")?.key == last[3].key, "created, removed, created")
        expect(
            try engine.thread(key: last[0].key) == nil && engine.rows(last[0].key).isEmpty,
            "the rows that are stored")
        expect(try engine.seqOf(last[0].key, id: "m") == nil, "the seq of an id")

        let rename = EngineBatch()
        rename.update(.key(old)) { $0.hide = true }
        rename.create("old")
        rename.add(.removeThread(.key(old)))
        let renamed = try rename.commit(engine)
        expect(
            try engine.thread(tenant: "", id: "old")?.key == renamed[1].key,
            "an id is free within the batch")
        expect(try engine.thread(key: old) == nil, "which threads are there")

        let many = EngineBatch()
        for index in 0..<500 {
            let place = many.create("many \(index)", at: Int64(index))
            many.append(.created(operation: place), [MessageSpec()])
        }
        let keys = try many.commit(engine).map { $0.key }
        expect(Set(keys).count == 500, "the keys of threads")
        expect(try engine.seqs(keys[998]) == [1], "the seqs that are stored")
    }

    func checkFailingBatches(_ engine: any StorageEngine) throws {
        let key = try engine.create("a")
        let other = try engine.create("b")
        try engine.add(
            key, [MessageSpec(id: "x"), MessageSpec()], idempotencyKey: "k", digest: (1, 1))
        try engine.add(other)
        let failures: [(StaticString, MemexError.Code, (EngineBatch) -> Void)] = [
            ("an id that is taken", .exists, { $0.append(.key(key), [MessageSpec(id: "x")]) }),
            (
                "a seq that has passed", .conflict,
                { $0.append(.key(key), [MessageSpec()], expectSeq: 1) }
            ),
            (
                "a version that has passed", .conflict,
                { $0.update(.key(key)) { $0.expectVersion = 9 } }
            ),
            (
                "changes that have passed", .conflict,
                { $0.update(.key(key)) { $0.expectChanges = 99 } }
            ),
            ("a thread's id that is taken", .exists, { $0.create("a") }),
            (
                "a thread that is not there", .notFound,
                { $0.append(.key(9_999_999), [MessageSpec()]) }
            ),
            (
                "an update of no thread", .notFound,
                { $0.update(.key(9_999_999)) { $0.changesDelta = 1 } }
            ),
            (
                "a put into no thread", .notFound,
                { $0.put(.key(9_999_999), seq: 1, MessageSpec(at: 1)) }
            ),
            ("a removal of no thread", .notFound, { $0.add(.removeThread(.key(9_999_999))) }),
            (
                "a key used for other bytes", .conflict,
                { $0.append(.key(key), [MessageSpec()], key: "k", digest: (2, 2)) }
            ),
            (
                "an append to a thread that the batch removed", .notFound,
                {
                    $0.add(.removeThread(.key(other)))
                    $0.append(.key(other), [MessageSpec()])
                }
            ),
        ]
        let before = try picture(engine, [key, other])
        for (what, code, last) in failures {
            let batch = EngineBatch()
            let created = batch.create("new")
            batch.append(.created(operation: created), [MessageSpec()])
            batch.append(.key(key), [MessageSpec(id: "y")], key: "fresh")
            batch.update(.key(other)) {
                $0.title = .some("lost")
                $0.changesDelta = 1
                $0.hide = true
            }
            batch.put(.key(key), seq: 2, MessageSpec(at: 3))
            batch.add(.removeMessages(.key(key), above: 2))
            batch.add(.putDerived(.key(key), DerivedRecord(kind: "k", name: "n", body: [])))
            batch.add(.appendPiece(.key(key), seq: 2, batch.lend("p")))
            let blob = batch.lend("blob of \(what)")
            batch.add(.putBlob(BlobHash(of: blob), blob))
            last(batch)
            expectError(code, what) { try batch.commit(engine) }
            expect(
                try picture(engine, [key, other]) == before,
                "nothing of the batch is stored", about: "\(what)")
            expect(
                try engine.thread(tenant: "", id: "new") == nil
                    && engine.thread(tenant: "", id: "b") != nil, "which threads are there")
            expect(try engine.seqOf(key, id: "y") == nil && engine.blob(BlobHash(of: blob)) == nil, "blobs")
            expect(
                try engine.derivedNames(key, "k").isEmpty && engine.pieceTexts(key, 2).isEmpty,
                "the pieces of a message")
        }
        expect(
            try engine.add(key, idempotencyKey: "fresh", digest: (4, 4)).firstSeq == 3,
            "the engine goes on")
    }
}
