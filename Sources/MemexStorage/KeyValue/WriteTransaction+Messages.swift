internal import MemexModel

extension WriteTransaction {
    func append(_ operation: AppendOperation) throws(MemexError) -> WriteResult {
        let thread = try thread(operation.thread)
        if thread.head.record.isHidden { throw Self.gone }
        var receiptName = ByteBuffer(capacity: 64)
        receiptName.key(KeyLayout.receipt, thread.key, operation.idempotencyKey)
        if operation.idempotencyKey.count > 0 {
            var answer: WriteResult?
            let found = try get(receiptName) { (value) throws(MemexError) -> Void in
                answer = try AppendReceipt(value).answer(operation, key: thread.key)
            }
            if found, let answer { return answer }
            try requireAbsent(receiptName)
        }
        let first = thread.lastSeq &+ 1
        if operation.expectSeq != 0, operation.expectSeq != first {
            throw ContractError.seq(operation.expectSeq, first)
        }
        guard Int64(operation.drafts.count) <= Limits.seq &- thread.lastSeq else {
            throw ContractError.lastSeq
        }
        var result = thread.result
        result.firstSeq = first
        for index in 0..<operation.drafts.count {
            let draft = operation.drafts[index]
            let seq = thread.lastSeq &+ 1
            let moment = draft.createdAt != 0 ? draft.createdAt : now
            if draft.id.count > 0 { try takeID(draft.id, thread.key, seq) }
            let key = index == 0 ? operation.idempotencyKey : ByteView(start: nil, count: 0)
            try putRow(thread.key, seq, draft, moment, UInt32(clamping: thread.head.record.changes), key)
            if index == 0 { result.createdAt = moment }
            thread.lastSeq = seq
            thread.lastRowSeq = seq
            thread.lastRowAt = moment
        }
        result.lastSeq = thread.lastSeq
        result.rev = thread.lastSeq &+ thread.head.record.changes
        if operation.idempotencyKey.count > 0 {
            var value = ByteBuffer(capacity: AppendReceipt.size)
            AppendReceipt(
                firstSeq: first, count: operation.drafts.count, digest: operation.digest,
                createdAt: result.createdAt, changes: thread.head.record.changes
            ).write(to: &value)
            try put(receiptName, value)
        }
        thread.placeByActivity()
        return result
    }

    private func takeID(_ id: ByteView, _ key: Int64, _ seq: Int64) throws(MemexError) {
        var name = ByteBuffer(capacity: 64)
        name.key(KeyLayout.messageID, key, id)
        var owner: Int64 = 0
        let found = try get(name) { (value) throws(MemexError) -> Void in owner = try NumberRow.read(value) }
        if found, owner == seq { return }
        guard !found else {
            throw ContractError.messageExists
        }
        try requireAbsent(name)
        var value = ByteBuffer(capacity: 8)
        value.append(littleEndian: seq)
        try put(name, value)
    }

    private func putRow(
        _ key: Int64, _ seq: Int64, _ draft: MessageDraft, _ createdAt: Int64, _ changes: UInt32,
        _ idempotencyKey: ByteView
    ) throws(MemexError) {
        var name = ByteBuffer(capacity: 32)
        name.key(KeyLayout.message, key, seq)
        var value = ByteBuffer(capacity: MessageRow.bound(draft, idempotencyKey: idempotencyKey))
        MessageRow.write(
            draft, seq: seq, createdAt: createdAt, changes: changes, idempotencyKey: idempotencyKey,
            to: &value)
        try put(name, value)
        guard draft.head.has(RecordHead.Flag.marked) else { return }
        name.removeAll()
        name.key(KeyLayout.marked, key, seq)
        try put(name, ByteView(start: nil, count: 0))
    }

    func putMessage(_ operation: MessagePut) throws(MemexError) -> WriteResult {
        let thread = try thread(operation.thread)
        let seq = operation.seq
        let draft = operation.draft
        guard seq > 0, seq <= Limits.seq else {
            throw MemexError(.limit, "seq \(seq) is not between 1 and \(Limits.seq)")
        }
        var name = ByteBuffer(capacity: 32)
        name.key(KeyLayout.message, thread.key, seq)
        var oldID = ByteBuffer()
        var idempotencyKey = ByteBuffer()
        _ = try get(name) { (value) throws(MemexError) -> Void in
            var view = MessageView()
            // A damaged row may be put right by putting another in its place.
            guard (try? MessageRow.read(seq, value, into: &view)) != nil else { return }
            oldID.append(view.id)
            idempotencyKey.append(view.idempotencyKey)
        }
        if oldID.failed || idempotencyKey.failed { throw .noMemory }
        if oldID.count > 0, !oldID.view.equals(draft.id) {
            name.removeAll()
            name.key(KeyLayout.messageID, thread.key, oldID.view)
            try delete(name)
        }
        if draft.id.count > 0 { try takeID(draft.id, thread.key, seq) }
        if !draft.head.has(RecordHead.Flag.marked) {
            name.removeAll()
            name.key(KeyLayout.marked, thread.key, seq)
            try delete(name)
        }
        let changes =
            operation.stampsRev
            ? UInt32(clamping: thread.lastSeq &+ thread.head.record.changes &- seq) : draft.head.changes
        try putRow(thread.key, seq, draft, draft.createdAt, changes, idempotencyKey.view)
        if seq >= thread.lastRowSeq {
            thread.lastRowSeq = seq
            thread.lastRowAt = draft.createdAt
        }
        if seq > thread.lastSeq { thread.lastSeq = seq }
        thread.isChanged = true
        thread.placeByActivity()
        var result = thread.result
        result.firstSeq = seq
        result.lastSeq = seq
        result.createdAt = draft.createdAt
        return result
    }

    func removeMessages(_ target: ThreadTarget, above: Int64) throws(MemexError) -> WriteResult {
        let thread = try thread(target)
        let key = thread.key
        let kept = above < 0 ? 0 : above > Limits.seq ? Limits.seq : above
        var from = ByteBuffer(capacity: 32)
        from.key(KeyLayout.message, key, kept &+ 1)
        var to = ByteBuffer(capacity: 32)
        to.key(KeyLayout.message, key)
        to.advancePastPrefix()
        if from.failed || to.failed { throw .noMemory }
        while let block = pending(from, to) {
            var name = ByteBuffer(capacity: 32)
            name.append(block.key)
            try removeEntries(key, block.key, block.value)
            try delete(name)
        }
        try store.scanRange(from, to, descending: false) { (name, value) throws(MemexError) -> Bool in
            // Rows that this batch replaced were seen above.
            if hasTouched(name) { return true }
            try removeEntries(key, name, value)
            try delete(name)
            return true
        }
        try removeOthers(key, above: kept)
        if kept > thread.head.record.floor { thread.head.record.floor = kept }
        let last = try lastRow(key, upTo: kept)
        thread.lastRowSeq = last.seq
        thread.lastRowAt = last.createdAt
        thread.lastSeq = last.seq > thread.head.record.floor ? last.seq : thread.head.record.floor
        thread.isChanged = true
        thread.placeByActivity()
        var result = thread.result
        result.lastSeq = thread.lastSeq
        return result
    }

    /// The rows by which a message is found otherwise than by its seq.
    private func removeEntries(_ key: Int64, _ name: ByteView, _ value: ByteView) throws(MemexError) {
        var view = MessageView()
        // Of a damaged row nothing else is known.
        guard (try? MessageRow.read(0, value, into: &view)) != nil else { return }
        var other = ByteBuffer(capacity: 64)
        if view.id.count > 0 {
            other.key(KeyLayout.messageID, key, view.id)
            try delete(other)
        }
        if view.idempotencyKey.count > 0 {
            other.removeAll()
            other.key(KeyLayout.receipt, key, view.idempotencyKey)
            try delete(other)
        }
    }

    /// Marks and pieces above a seq.
    private func removeOthers(_ key: Int64, above seq: Int64) throws(MemexError) {
        for prefix in [KeyLayout.marked, KeyLayout.piece] {
            var from = ByteBuffer(capacity: 32)
            from.key(prefix, key, seq &+ 1)
            var to = ByteBuffer(capacity: 32)
            to.key(prefix, key)
            to.advancePastPrefix()
            try deleteRange(from, to)
        }
    }

    /// The last row up to a seq as this batch sees it.
    private func lastRow(_ key: Int64, upTo seq: Int64) throws(MemexError) -> (seq: Int64, createdAt: Int64) {
        let stored = try store.lastRow(key, upTo: seq) { self.hasTouched($0) }
        var from = ByteBuffer(capacity: 32)
        from.key(KeyLayout.message, key)
        var to = ByteBuffer(capacity: 32)
        to.key(KeyLayout.message, key, seq &+ 1)
        if from.failed || to.failed { throw .noMemory }
        guard let block = pending(from, to, last: true) else { return stored }
        let own = try Self.number(block.key)
        if own < stored.seq { return stored }
        return (own, try MessageRow.createdAt(own, block.value))
    }

    private static func number(_ name: ByteView) throws(MemexError) -> Int64 {
        try MemoryStore.number(name, at: 9)
    }
}
