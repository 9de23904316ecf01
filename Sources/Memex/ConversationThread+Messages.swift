package import MemexModel
internal import MemexStorage

extension ConversationThread {
    /// A cursor over messages, see `memex_thread_messages`.
    package func messages(_ query: ByteView) throws(MemexError) -> MessageCursor {
        try reading { () throws(MemexError) in
            let record = try record()
            let parsed = try MessageQuery(query, record) { (count, top) throws(MemexError) in
                try self.seqOfLast(count, below: top)
            }
            return try MessageCursor(self, parsed)
        }
    }

    /// Where the last `count` live messages begin, walking back over tombstones.
    private func seqOfLast(_ count: Int64, below top: Int64) throws(MemexError) -> Int64 {
        var left = count
        var seq: Int64 = 1
        var range = MessageRange(to: top, descending: true)
        range.wantsKeys = false
        try chain().read(store.engine, range) {
            (view, _) throws(MemexError) in
            if !view.isDeleted { left -= 1 }
            seq = view.seq
            return left > 0
        }
        return seq
    }

    /// The seq of the message that has an id, deleted or not; `sharedOnly` leaves out the thread's own rows.
    func seq(ofID id: ByteView, sharedOnly: Bool = false) throws(MemexError) -> Int64? {
        let chain = try chain()
        var cap = sharedOnly ? min(Limits.seq, chain.levels[0].floor) : Limits.seq
        for level in chain.levels.dropFirst(sharedOnly ? 1 : 0) {
            if let (seq, createdAt) = level.ids.decode(id), seq <= cap, seq > level.floor {
                if let (message, _) = try chain.message(store.engine, seq: seq),
                    message.createdAt == createdAt,
                    message.id.count == 0 || message.id.equals(id)
                {
                    return seq
                }
            }
            if let seq = try store.engine.seq(level.key, id: id), seq <= cap { return seq }
            cap = min(cap, level.floor)
        }
        return nil
    }

    /// Opens a message by id, a deleted one too: it can still be erased.
    package func message(id: ByteView) throws(MemexError) -> Message {
        try Identifier.check(id, "the message id")
        return try reading { () throws(MemexError) in
            _ = try record()
            guard let seq = try seq(ofID: id) else { throw Message.missing }
            return try stored(seq)
        }
    }

    /// Opens a message by seq.
    package func message(seq: Int64) throws(MemexError) -> Message {
        guard seq >= 1, seq <= Limits.seq else {
            throw MemexError(
                .invalid, "seq is \(seq); the first message has 1, the last possible \(Limits.seq)")
        }
        return try reading { () throws(MemexError) in
            _ = try record()
            return try stored(seq)
        }
    }

    private func stored(_ seq: Int64) throws(MemexError) -> Message {
        guard let (message, ids) = try chain().message(store.engine, seq: seq) else { throw Message.missing }
        return Message(self, seq: seq, id: message.idText(ids), role: message.roleText)
    }
}
