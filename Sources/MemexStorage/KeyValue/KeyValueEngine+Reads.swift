package import MemexModel

extension KeyValueEngine {
    package func thread(tenant: String, id: String) throws(MemexError) -> ThreadRecord? {
        guard tenant.utf8.count <= Limits.idBytes, id.utf8.count <= Limits.idBytes else { return nil }
        // Another thread may have got the id between the two reads.
        var key = try keyOf(tenant, id)
        while key != 0 {
            if let record = try thread(key: key), !record.isHidden { return record }
            let now = try keyOf(tenant, id)
            if now == key { break }
            key = now
        }
        return nil
    }

    /// The number of the live thread with that id, or 0.
    private func keyOf(_ tenant: String, _ id: String) throws(MemexError) -> Int64 {
        var name = ByteBuffer(capacity: 64)
        name.nameKey(tenant: tenant, id: id)
        var key: Int64 = 0
        _ = try name.lend { (name) throws(MemexError) -> Bool in
            try store.get(name) { (value) throws(MemexError) -> Void in key = try NumberRow.read(value) }
        }
        return key
    }

    package func thread(key: Int64) throws(MemexError) -> ThreadRecord? {
        guard key > 0 else { return nil }
        // Several reads make one record; they are repeated when the thread changed among them.
        var before = ByteBuffer()
        for _ in 0..<8 {
            var stored = ByteBuffer(capacity: 256)
            guard try store.readHead(key, into: &stored) else { return nil }
            var head = try stored.lend { (bytes) throws(MemexError) -> ThreadRow.Head in
                try ThreadRow.read(key, bytes)
            }
            if head.hasDocument, try !readDocument(&head) {
                // The head stood still meanwhile, so no change explains it.
                if before.count > 0, before.view.equals(stored.view) { throw ThreadRow.damaged(key) }
                swap(&before, &stored)
                continue
            }
            let last = try store.lastRow(key)
            var again = ByteBuffer(capacity: 256)
            guard try store.readHead(key, into: &again) else { return nil }
            guard again.view.equals(stored.view) else { continue }
            head.record.lastMessageAt = last.seq > head.record.baseSeq ? last.createdAt : 0
            head.record.lastSeq = last.seq > head.record.floor ? last.seq : head.record.floor
            return head.record
        }
        throw MemexError(.busy, "the thread changed again and again while it was read; call again")
    }

    private func readDocument(_ head: inout ThreadRow.Head) throws(MemexError) -> Bool {
        var name = ByteBuffer(capacity: 16)
        name.key(KeyLayout.document, head.record.key)
        var isOfHead = false
        var copy = head
        _ = try name.lend { (name) throws(MemexError) -> Bool in
            try store.get(name) { (value) throws(MemexError) -> Void in
                isOfHead = try ThreadRow.readDocument(value, into: &copy)
            }
        }
        head = copy
        return isOfHead
    }

    package func forks(of key: Int64) throws(MemexError) -> [ThreadRecord] {
        try records(KeyLayout.fork, key)
    }

    /// The threads whose numbers follow (prefix, key).
    func records(_ prefix: UInt8, _ key: Int64) throws(MemexError) -> [ThreadRecord] {
        var name = ByteBuffer(capacity: 16)
        name.key(prefix, key)
        var keys: [Int64] = []
        try store.scanPrefix(name) { (name, _) throws(MemexError) -> Bool in
            keys.append(try MemoryStore.number(name, at: 9))
            return true
        }
        var records: [ThreadRecord] = []
        for key in keys {
            if let record = try thread(key: key) { records.append(record) }
        }
        return records
    }

    package func messages(
        _ key: Int64, _ range: MessageRange, _ visit: (borrowing MessageView) throws(MemexError) -> Bool
    ) throws(MemexError) {
        guard key > 0, range.to >= range.from, range.to >= 0, range.limit > 0 else { return }
        var from = ByteBuffer(capacity: 32)
        from.key(KeyLayout.message, key, range.from)
        var to = ByteBuffer(capacity: 32)
        to.key(KeyLayout.message, key, range.to)
        to.advancePastKey()
        var view = MessageView()
        try store.scanRange(from, to, descending: range.descending, limit: range.limit) {
            (name, value) throws(MemexError) -> Bool in
            let seq = try MemoryStore.seq(name)
            try MessageRow.read(seq, value, into: &view)
            return try visit(view)
        }
    }

    package func markedSeqs(
        _ key: Int64, from: Int64, to: Int64, _ visit: (Int64) -> Bool
    ) throws(MemexError) {
        guard key > 0, to >= from, to >= 0 else { return }
        var start = ByteBuffer(capacity: 32)
        start.key(KeyLayout.marked, key, from)
        var end = ByteBuffer(capacity: 32)
        end.key(KeyLayout.marked, key, to)
        end.advancePastKey()
        try store.scanRange(start, end, descending: false) { (name, _) throws(MemexError) -> Bool in
            visit(try MemoryStore.seq(name))
        }
    }

    package func seq(_ key: Int64, id: ByteView) throws(MemexError) -> Int64? {
        guard key > 0, id.count > 0, id.count <= Limits.idBytes else { return nil }
        var name = ByteBuffer(capacity: 64)
        name.key(KeyLayout.messageID, key, id)
        var seq: Int64?
        _ = try name.lend { (name) throws(MemexError) -> Bool in
            try store.get(name) { (value) throws(MemexError) -> Void in seq = try NumberRow.read(value) }
        }
        return seq
    }

    package func derived(_ key: Int64, kind: String, name: String) throws(MemexError) -> DerivedRecord? {
        guard key > 0, kind.utf8.count <= Limits.idBytes, name.utf8.count <= Limits.idBytes else {
            return nil
        }
        var stored = ByteBuffer(capacity: 64)
        stored.derivedKey(key, kind: kind, name: name)
        var record: DerivedRecord?
        _ = try stored.lend { (bytes) throws(MemexError) -> Bool in
            try store.get(bytes) { (value) throws(MemexError) -> Void in
                record = try DerivedRow.read(kind: kind, name: name, value)
            }
        }
        return record
    }

    package func derived(
        _ key: Int64, kind: String, _ visit: (DerivedRecord) throws(MemexError) -> Bool
    ) throws(MemexError) {
        guard key > 0, kind.utf8.count <= Limits.idBytes else { return }
        var prefix = ByteBuffer(capacity: 64)
        prefix.derivedKey(key, kind: kind, name: nil)
        let length = prefix.count
        try store.scanPrefix(prefix) { (name, value) throws(MemexError) -> Bool in
            guard name.count > length else { throw RecordHead.damaged }
            let text = name.slice(length, name.count &- length).text
            return try visit(try DerivedRow.read(kind: kind, name: text, value))
        }
    }

    package func blob(_ hash: BlobHash) throws(MemexError) -> [UInt8]? {
        var name = ByteBuffer(capacity: 40)
        name.blobKey(hash)
        var bytes: [UInt8]?
        _ = try name.lend { (name) throws(MemexError) -> Bool in
            try store.get(name) { (value) throws(MemexError) -> Void in bytes = Array(value) }
        }
        return bytes
    }

    package func pieces(
        _ key: Int64, seq: Int64, _ visit: (ByteView) throws(MemexError) -> Bool
    ) throws(MemexError) {
        guard key > 0, seq > 0 else { return }
        var prefix = ByteBuffer(capacity: 32)
        prefix.key(KeyLayout.piece, key, seq)
        try store.scanPrefix(prefix) { (_, value) throws(MemexError) -> Bool in try visit(value) }
    }
}
