package import MemexModel
internal import MemexStorage

/// A list that is read page by page.
package protocol Cursor: AnyObject, Sendable {
    /// Writes the next page; false when there is none.
    func next(_ out: inout ByteBuffer) throws(MemexError) -> Bool
    /// Where to continue; empty after the last page.
    func token() throws(MemexError) -> String
}

/// Pages of a thread's messages. It keeps a position, no snapshot: the upper end is fixed when it is made.
package final class MessageCursor: Cursor, @unchecked Sendable {
    private let thread: ConversationThread
    private let query: MessageQuery
    private let chain: ThreadChain
    private struct Position {
        /// Seqs not yet read.
        var from: Int64
        var to: Int64
        var left: Int64
        var hasBegun = false
    }
    private let turn = Turn()
    private var position: Position

    init(_ thread: ConversationThread, _ query: MessageQuery) throws(MemexError) {
        self.thread = thread
        self.query = query
        chain = try thread.chain()
        position = Position(from: query.from, to: query.to, left: query.limit)
    }

    package func next(_ out: inout ByteBuffer) throws(MemexError) -> Bool {
        try thread.session.authorize(.read)
        return try thread.store.inside { () throws(MemexError) in
            try turn.take { () throws(MemexError) in
                // A call that fails leaves the position where it was.
                var next = position
                var buffer = ByteBuffer()
                let found = try page(&next, &buffer)
                if found { try buffer.makeReady() }
                position = next
                swap(&buffer, &out)
                return found
            }
        }
    }

    private func page(_ position: inout Position, _ out: inout ByteBuffer) throws(MemexError) -> Bool {
        guard position.left > 0, position.from <= position.to else { return false }
        // A thread that is deleted between pages is missed; that it was there, opening has seen.
        if position.hasBegun { _ = try thread.record() }
        position.hasBegun = true
        let wanted = min(query.pageSize, position.left)
        var writer = PageWriter(query.layout, thread.store)
        writer.reserve(Int(min(wanted, position.to &- position.from &+ 1, 512)))
        var count: Int64 = 0
        var (isFull, hasMore, isExhausted) = (false, false, false)
        repeat {
            var range = MessageRange(from: position.from, to: position.to, descending: query.descending)
            // Tombstones are read and not counted; one row more says whether another page follows.
            range.wantsKeys = query.layout == .json
            range.limit = wanted - count + min(query.slack, Limits.pageItems) + 1
            var (rows, last): (Int64, Int64) = (0, 0)
            try chain.read(thread.store.engine, range) { (view, ids) throws(MemexError) in
                rows += 1
                if view.isDeleted, !query.includeDeleted {
                    last = view.seq
                    return true
                }
                if isFull {
                    hasMore = true
                    return false
                }
                last = view.seq
                try view.verify()
                try writer.add(view, ids)
                count += 1
                isFull = count >= wanted || writer.bytes >= Limits.pageBytes
                return count < position.left
            }
            if rows == 0 { _ = try thread.record() }
            if last > 0 {
                if query.descending { position.to = last - 1 } else { position.from = last + 1 }
            }
            isExhausted = !hasMore && rows < range.limit
        } while !hasMore && !isExhausted && position.from <= position.to
        position.left = isExhausted ? 0 : position.left - count
        if count == 0 { return false }
        try writer.finish(isLast: position.left <= 0 || position.from > position.to, &out)
        return true
    }

    package func token() throws(MemexError) -> String {
        try thread.session.checkOpen()
        let position = try turn.take { () throws(MemexError) in self.position }
        guard position.left > 0, position.from <= position.to else { return "" }
        let digest = query.digest(
            tenant: thread.session.tenant, thread: thread.id, key: try thread.storedKey())
        return "m2.\(digest).\(position.from).\(position.to).\(position.left)"
    }
}

/// Writes the messages of a page in one of the layouts.
struct PageWriter: ~Copyable {
    private let layout: MessageLayout
    private var json = ByteBuffer()
    private var packed = PackedPage()
    private var count = 0
    private let store: Store

    init(_ layout: MessageLayout, _ store: Store) {
        self.layout = layout
        self.store = store
    }

    mutating func reserve(_ messages: Int) {
        if layout == .packed { packed.reserve(messages) } else { json.reserve(messages &* 640) }
    }

    var bytes: Int { layout == .packed ? packed.bytes : json.count }

    mutating func add(_ view: borrowing MessageView, _ ids: MessageID) throws(MemexError) {
        switch layout {
        case .packed: try packed.append(view, tokens: store.tokens(of: view))
        case .json:
            json.append(count == 0 ? "{\"messages\":[" : ",")
            MessageJSON.append(view, ids, tokens: try store.tokens(of: view), to: &json)
        case .bodies:
            json.append(byte: count == 0 ? 0x5B : 0x2C)
            // Bodies are objects; a deleted message has none.
            if view.isDeleted { json.append("null") } else { json.append(view.body) }
        }
        count += 1
    }

    mutating func finish(isLast: Bool, _ out: inout ByteBuffer) throws(MemexError) {
        switch layout {
        case .packed: try packed.write(isLast: isLast, to: &out)
        case .json:
            json.append("]}")
            swap(&json, &out)
        case .bodies:
            json.append("]")
            swap(&json, &out)
        }
        if out.failed { throw MemexError.noMemory }
    }
}
