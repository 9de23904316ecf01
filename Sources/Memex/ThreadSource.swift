internal import MemexContext
internal import MemexModel
internal import MemexStorage

/// A thread as windows read it: forks and all, tombstones skipped, checksums looked at.
struct ThreadSource: MessageSource {
    private let engine: any StorageEngine
    private let chain: ThreadChain
    /// The mark of the stored counts that are good, see `MessageCounter`.
    private let mark: UInt32
    let lastSeq: Int64
    let messageCount: Int64

    init(_ thread: ConversationThread, countedAs mark: UInt32) throws(MemexError) {
        self.mark = mark
        let record = try thread.record()
        engine = thread.store.engine
        chain = try thread.chain()
        lastSeq = record.lastSeq
        messageCount = record.messageCount
    }

    func newest(
        before seq: Int64, limit: Int64, _ visit: (borrowing Candidate) throws(MemexError) -> Bool
    ) throws(MemexError) {
        guard limit > 0, seq > 1 else { return }
        var left = limit
        // Tombstones do not count, so the engine's own limit is of no use.
        var range = MessageRange(to: seq - 1, descending: true)
        range.wantsKeys = false
        try chain.read(engine, range) { (view, _) throws(MemexError) in
            if view.isDeleted { return true }
            try view.verify()
            left -= 1
            return try visit(Candidate(view, countedAs: mark)) && left > 0
        }
    }

    func oldest(
        from seq: Int64, _ visit: (borrowing Candidate) throws(MemexError) -> Bool
    ) throws(MemexError) {
        try chain.read(engine, MessageRange(from: seq, to: lastSeq)) { (view, _) throws(MemexError) in
            if view.isDeleted { return true }
            try view.verify()
            return try visit(Candidate(view, countedAs: mark))
        }
    }

    func marked(from: Int64, to: Int64) throws(MemexError) -> [Int64] {
        try chain.marked(engine, from: from, to: to)
    }

    func message(
        seq: Int64, _ visit: (borrowing Candidate) throws(MemexError) -> Void
    ) throws(MemexError) {
        try chain.read(engine, MessageRange(from: seq, to: seq, limit: 1)) { (view, _) throws(MemexError) in
            if view.isDeleted { return false }
            try view.verify()
            try visit(Candidate(view, countedAs: mark))
            return false
        }
    }
}
