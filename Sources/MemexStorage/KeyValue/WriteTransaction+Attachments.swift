internal import MemexModel

/// Derived records, blobs and stream pieces.
extension WriteTransaction {
    private static func checkName(_ text: String) throws(MemexError) {
        guard text.utf8.count > 0, text.utf8.count <= Limits.idBytes, !text.utf8.contains(0) else {
            throw MemexError(
                .invalid, "a derived record's kind or name is not an id of 1 to \(Limits.idBytes) bytes")
        }
    }

    func putDerived(_ target: ThreadTarget, _ record: DerivedRecord) throws(MemexError) -> WriteResult {
        let thread = try thread(target)
        try Self.checkName(record.kind)
        try Self.checkName(record.name)
        var name = ByteBuffer(capacity: 64)
        name.derivedKey(thread.key, kind: record.kind, name: record.name)
        var value = ByteBuffer(capacity: 32 &+ record.body.count)
        DerivedRow.write(record, to: &value)
        try put(name, value)
        thread.isChanged = true
        return thread.result
    }

    func removeDerived(_ target: ThreadTarget, kind: String, name: String) throws(MemexError) -> WriteResult {
        let thread = try thread(target)
        try Self.checkName(kind)
        try Self.checkName(name)
        var key = ByteBuffer(capacity: 64)
        key.derivedKey(thread.key, kind: kind, name: name)
        if try get(key, { (_) throws(MemexError) -> Void in }) {
            try delete(key)
            thread.isChanged = true
        }
        return thread.result
    }

    func putBlob(_ hash: BlobHash, _ bytes: ByteView) throws(MemexError) -> WriteResult {
        var name = ByteBuffer(capacity: 40)
        name.blobKey(hash)
        // The same address means the same bytes: a race between two that put it has no loser.
        if try !get(name, { (_) throws(MemexError) -> Void in }) { try put(name, bytes) }
        return WriteResult()
    }

    func appendPiece(_ target: ThreadTarget, _ seq: Int64, _ bytes: ByteView) throws(MemexError)
        -> WriteResult
    {
        let thread = try thread(target)
        var from = ByteBuffer(capacity: 32)
        from.key(KeyLayout.piece, thread.key, seq)
        var to = ByteBuffer(capacity: 32)
        to.append(from.view)
        to.advancePastPrefix()
        if from.failed || to.failed { throw .noMemory }
        var number: Int64 = 0
        try store.scanRange(from, to, descending: true, limit: 1) { (name, _) throws(MemexError) -> Bool in
            number = try MemoryStore.number(name, at: 17) &+ 1
            return false
        }
        if let block = pending(from, to, last: true) {
            let next = try MemoryStore.number(block.key, at: 17) &+ 1
            if next > number { number = next }
        }
        var name = ByteBuffer(capacity: 32)
        name.pieceKey(thread.key, seq: seq, piece: number)
        try put(name, bytes)
        thread.isChanged = true
        return thread.result
    }

    func removePieces(_ target: ThreadTarget, _ seq: Int64) throws(MemexError) -> WriteResult {
        let thread = try thread(target)
        var from = ByteBuffer(capacity: 32)
        from.key(KeyLayout.piece, thread.key, seq)
        var to = ByteBuffer(capacity: 32)
        to.append(from.view)
        to.advancePastPrefix()
        try deleteRange(from, to)
        thread.isChanged = true
        return thread.result
    }
}
