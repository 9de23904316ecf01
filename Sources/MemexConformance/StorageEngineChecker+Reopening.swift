internal import MemexModel
internal import MemexStorage

extension StorageEngineChecker {
    /// What was stored before the engine was closed.
    struct Kept {
        var key: Int64
        var hidden: Int64
        var answer: WriteResult
        var picture: String
    }

    private static let pair: [MessageSpec] = {
        var spec = MessageSpec(id: "x")
        spec.isMarked = true
        return [spec, MessageSpec()]
    }()

    func fill(_ engine: any StorageEngine) throws -> Kept {
        let engine = scoped(engine, .reopening)
        let key = try engine.create("a", tenant: "t")
        let answer = try engine.add(key, Self.pair, idempotencyKey: "k")
        let hidden = try engine.create("hidden")
        try engine.update(hidden) { $0.hide = true }
        try engine.update(key) {
            $0.title = .some("title")
            $0.changesDelta = 1
        }
        let batch = EngineBatch()
        batch.add(.putDerived(.key(key), DerivedRecord(kind: "k", name: "n", body: [1])))
        batch.add(.appendPiece(.key(key), seq: 2, batch.lend("p")))
        let blob = batch.lend("blob")
        batch.add(.putBlob(BlobHash(of: blob), blob))
        try batch.commit(engine)
        return Kept(
            key: key, hidden: hidden, answer: answer, picture: try picture(engine, [key, hidden]))
    }

    /// What was acknowledged is there after a close and an open.
    func check(_ engine: any StorageEngine, _ kept: Kept) throws {
        let engine = scoped(engine, .reopening)
        let key = kept.key
        expect(try picture(engine, [key, kept.hidden]) == kept.picture, "everything is as it was")
        expect(try engine.thread(tenant: "t", id: "a")?.key == key, "which threads are there")
        expect(try engine.thread(tenant: "", id: "hidden") == nil, "which threads are there")
        expect(
            try engine.seqOf(key, id: "x") == 1 && engine.pieceTexts(key, 2) == ["p"],
            "the pieces of a message")
        expect(try engine.derivedNames(key, "k") == ["n"], "derived records")
        let batch = EngineBatch()
        let blob = batch.lend("blob")
        expect(try engine.blob(BlobHash(of: blob)) == Array("blob".utf8), "blobs")
        let again = try engine.add(key, Self.pair, idempotencyKey: "k")
        expect(
            again.isDuplicate && again.firstSeq == kept.answer.firstSeq
                && again.createdAt == kept.answer.createdAt, "an append is known after reopening")
        let next = try engine.add(key)
        expect(
            next.firstSeq == 3 && next.rev == 4, "the append after"
        )
        expect(try engine.create("new") > kept.hidden, "keys go on")
    }

    func scoped(_ engine: any StorageEngine, _ topic: EngineTopic) -> any StorageEngine {
        ScopedEngine(engine, prefix: isFresh ? "" : topic.tenantPrefix)
    }
}
