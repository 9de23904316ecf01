internal import MemexModel
internal import MemexStorage

extension StorageEngineChecker {
    func checkDerived(_ engine: any StorageEngine) throws {
        let key = try engine.create("a")
        let other = try engine.create("b")
        expect(try engine.derived(key, kind: "summary", name: "x") == nil, "derived records")
        var record = DerivedRecord(
            kind: "summary", name: "x", body: Array("body \u{0} \u{1F680}".utf8))
        record.fromSeq = 3
        record.toSeq = 9
        record.rev = 11
        record.createdAt = 1234
        try engine.write(.putDerived(.key(key), record))
        let found = try require(try engine.derived(key, kind: "summary", name: "x"))
        expect(found.kind == "summary" && found.name == "x" && found.body == record.body, "derived records")
        expect(
            found.fromSeq == 3 && found.toSeq == 9 && found.rev == 11 && found.createdAt == 1234,
            "derived records")
        expect(
            try engine.derived(other, kind: "summary", name: "x") == nil, "it belongs to a thread")
        expect(
            try engine.derived(key, kind: "summar", name: "yx") == nil
                && engine.derived(key, kind: "summaryx", name: "") == nil, "derived records")
        try engine.write(
            .putDerived(.key(key), DerivedRecord(kind: "summary", name: "x", body: [])))
        expect(
            try engine.derived(key, kind: "summary", name: "x")?.body == [],
            "the last one put counts")
        let names = ["%", "'", "a", "aa", "b", "x", "x/y", "ä", String(repeating: "n", count: 255)]
        for name in names {
            try engine.write(
                .putDerived(.key(key), DerivedRecord(kind: "k", name: name, body: Array(name.utf8)))
            )
        }
        for kind in ["", "kk", "j", "l"] where !kind.isEmpty {
            try engine.write(
                .putDerived(.key(key), DerivedRecord(kind: kind, name: "stranger", body: [])))
        }
        let sorted = names.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
        expect(try engine.derivedNames(key, "k") == sorted, "all of a kind by name, bytewise")
        var first: [String] = []
        try engine.derived(key, kind: "k") { (record) throws(MemexError) -> Bool in
            first.append(record.name)
            return first.count < 2
        }
        expect(first == Array(sorted.prefix(2)), "false ends the reading")
        try engine.write(
            .removeDerived(.key(key), kind: "k", name: "aa"),
            .removeDerived(.key(key), kind: "k", name: "no"))
        expect(try engine.derivedNames(key, "k") == sorted.filter { $0 != "aa" }, "derived records")
        expect(
            try engine.record(key).changes == 0 && engine.record(key).version == 1,
            "they are no change of the thread")
        expect(try engine.add(key).firstSeq == 1, "the seq and rev that an append gets")
        expectError(.notFound, "a record for no thread") {
            try engine.write(
                .putDerived(.key(66_666), DerivedRecord(kind: "k", name: "n", body: [])))
        }
        let big = [UInt8](repeating: 7, count: 3 << 20)
        try engine.write(.putDerived(.key(key), DerivedRecord(kind: "big", name: "n", body: big)))
        expect(try engine.derived(key, kind: "big", name: "n")?.body == big, "derived records")
    }

    func checkBlobs(_ engine: any StorageEngine) throws {
        var generator = SeededGenerator(seed: seed)
        var blobs: [[UInt8]] = [0, 1, 100, 70_000, 3 << 20].map { size in
            (0..<size).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
        }
        blobs.append(Array("text".utf8))
        for blob in blobs {
            let batch = EngineBatch()
            let bytes = batch.lend(blob)
            let hash = BlobHash(of: bytes)
            expect(try engine.blob(hash) == nil, "blobs")
            batch.add(.putBlob(hash, bytes))
            batch.add(.putBlob(hash, bytes))
            try batch.commit(engine)
            try batch.commit(engine)
            expect(try engine.blob(hash) == blob, "a blob comes back; its bytes", about: Int64(blob.count))
        }
    }

    func checkPieces(_ engine: any StorageEngine) throws {
        let key = try engine.create("a")
        let neighbour = try engine.create("b")
        var open = MessageSpec(bytes: [])
        open.state = .incomplete
        try engine.add(key, [open, open])
        expect(try engine.pieceTexts(key, 1).isEmpty, "the pieces of a message")
        var expected: [String] = []
        for index in 0..<300 {
            let batch = EngineBatch()
            batch.add(.appendPiece(.key(key), seq: 1, batch.lend("piece \(index)")))
            expected.append("piece \(index)")
            if index % 50 == 0 {
                batch.add(.appendPiece(.key(key), seq: 1, batch.lend("")))
                batch.add(.appendPiece(.key(key), seq: 2, batch.lend("two")))
                batch.add(.appendPiece(.key(neighbour), seq: 1, batch.lend("other")))
                expected.append("")
            }
            try batch.commit(engine)
        }
        expect(try engine.pieceTexts(key, 1) == expected, "pieces come in their order")
        expect(try engine.pieceTexts(key, 2) == Array(repeating: "two", count: 6), "the pieces of a message")
        expect(try engine.pieceTexts(neighbour, 1).count == 6, "the pieces of a message")
        var seen = 0
        try engine.pieces(key, seq: 1) { (_) throws(MemexError) -> Bool in
            seen += 1
            return seen < 3
        }
        expect(seen == 3, "false ends the reading")
        try engine.write(.removePieces(.key(key), seq: 1))
        expect(
            try engine.pieceTexts(key, 1).isEmpty && engine.pieceTexts(key, 2).count == 6,
            "the pieces of a message")
        let again = EngineBatch()
        again.add(.appendPiece(.key(key), seq: 2, again.lend("old")))
        again.add(.removePieces(.key(key), seq: 2))
        again.add(.appendPiece(.key(key), seq: 2, again.lend("new")))
        again.add(.appendPiece(.key(key), seq: 1, again.lend("first")))
        again.add(.appendPiece(.key(key), seq: 1, again.lend("second")))
        try again.commit(engine)
        expect(
            try engine.pieceTexts(key, 2) == ["new"]
                && engine.pieceTexts(key, 1) == ["first", "second"], "the pieces of a message")
        expectError(.notFound, "a piece for no thread") {
            try engine.write(.appendPiece(.key(66_666), seq: 1, ByteView(start: nil, count: 0)))
        }
    }

    func checkUpkeep(_ engine: any StorageEngine) throws {
        let key = try engine.create("a")
        try engine.add(key)
        engine.interrupt()
        expect(
            try engine.add(key).firstSeq == 2, "an interruption ends the waits of its time alone")
        try engine.flush(until: .never)
        try engine.maintain(until: Deadline(after: 1_000_000))
        if engine.capabilities.erases {
            try engine.wipe(until: .never)
        } else {
            expectError(.unsupported, "wiping where nothing can be wiped") {
                try engine.wipe(until: .never)
            }
        }
        let statistics = try engine.statistics()
        expect(
            !statistics.hasPrefix("{") && !statistics.hasSuffix(","),
            "members alone, without braces")
        expect(try engine.seqs(key) == [1, 2], "the seqs that are stored")
    }
}
