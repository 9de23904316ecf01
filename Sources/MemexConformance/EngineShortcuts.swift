internal import MemexModel
package import MemexStorage

/// A stored row, copied.
package struct MessageRow: Equatable {
    package var seq: Int64
    package var createdAt: Int64
    package var body: [UInt8]
    package var role: String
    package var id: String
    package var key: String
    package var extra: [UInt8]
    package var tokens: UInt32
    package var changes: UInt32
    package var flags: UInt16
    package var isIntact: Bool

    package init(_ view: borrowing MessageView) {
        seq = view.seq
        createdAt = view.createdAt
        body = Array(view.body)
        role = view.role.text
        id = view.id.text
        key = view.idempotencyKey.text
        extra = Array(view.extra)
        tokens = view.head.tokens
        changes = view.head.changes
        flags = view.head.flags
        do {
            try view.verify()
            isIntact = true
        } catch {
            isIntact = false
        }
    }
}

extension StorageEngine {
    @discardableResult
    package func create(_ id: String, tenant: String = "", at moment: Int64 = 1_000_000) throws
        -> Int64
    {
        let batch = EngineBatch()
        batch.create(id, tenant: tenant, at: moment)
        return try batch.commit(self).first?.key ?? 0
    }

    @discardableResult
    package func add(
        _ key: Int64, _ specs: [MessageSpec] = [MessageSpec()], idempotencyKey: String = "",
        digest: (UInt64, UInt64) = (1, 2), expectSeq: Int64 = 0
    ) throws -> WriteResult {
        let batch = EngineBatch()
        batch.append(.key(key), specs, key: idempotencyKey, digest: digest, expectSeq: expectSeq)
        return try batch.commit(self).first ?? WriteResult()
    }

    @discardableResult
    package func update(_ key: Int64, _ change: (inout ThreadUpdate) -> Void) throws -> WriteResult {
        let batch = EngineBatch()
        batch.update(.key(key), change)
        return try batch.commit(self).first ?? WriteResult()
    }

    @discardableResult
    package func write(_ operations: WriteOperation...) throws -> [WriteResult] {
        try commit(operations, until: .never)
    }

    package func record(_ key: Int64) throws -> ThreadRecord {
        guard let record = try thread(key: key) else {
            throw MemexError(.notFound, "a thread that was stored is not there")
        }
        return record
    }

    package func rows(_ key: Int64, _ range: MessageRange = MessageRange()) throws
        -> [MessageRow]
    {
        var rows: [MessageRow] = []
        try messages(key, range) { (view) throws(MemexError) -> Bool in
            rows.append(MessageRow(view))
            return true
        }
        return rows
    }

    package func seqs(_ key: Int64, _ range: MessageRange = MessageRange()) throws -> [Int64] {
        try rows(key, range).map { $0.seq }
    }

    package func marks(_ key: Int64, from: Int64 = 1, to: Int64 = Limits.seq) throws -> [Int64] {
        var seqs: [Int64] = []
        try markedSeqs(key, from: from, to: to) {
            seqs.append($0)
            return true
        }
        return seqs
    }

    package func seqOf(_ key: Int64, id: String) throws -> Int64? {
        let batch = EngineBatch()
        return try withExtendedLifetime(batch) { try seq(key, id: batch.lend(id)) }
    }

    package func pieceTexts(_ key: Int64, _ seq: Int64) throws -> [String] {
        var texts: [String] = []
        try pieces(key, seq: seq) { (piece) throws(MemexError) -> Bool in
            texts.append(piece.text)
            return true
        }
        return texts
    }

    package func derivedNames(_ key: Int64, _ kind: String) throws -> [String] {
        var names: [String] = []
        try derived(key, kind: kind) { (record) throws(MemexError) -> Bool in
            names.append(record.name)
            return true
        }
        return names
    }

    package func listed(_ scan: ThreadScan) throws -> [ThreadRecord] {
        var records: [ThreadRecord] = []
        try threads(scan) { (record) throws(MemexError) -> Bool in
            records.append(record)
            return true
        }
        return records
    }
}

/// All of a few threads that a reader can see, for comparison before and after.
package func picture(_ engine: any StorageEngine, _ keys: [Int64]) throws -> String {
    var text = ""
    for key in keys {
        guard let record = try engine.thread(key: key) else {
            text += "\(key): gone\n"
            continue
        }
        text += "\(record)\n"
        for row in try engine.rows(key) { text += "  \(row)\n" }
        text +=
            "  marks \(try engine.marks(key)) forks \(try engine.forks(of: key).map { $0.key })\n"
    }
    return text
}
