internal import MemexModel

/// The way of an append that is alone in its batch: one commit, and no read when its thread is known.
extension KeyValueWriter {
    /// Nil when what is known of the thread does not allow it; the general way then judges by fresh reads.
    func appendAlone(_ operation: AppendOperation, until deadline: Deadline) throws(MemexError)
        -> WriteResult?
    {
        guard case .key(let key) = operation.thread, operation.drafts.count > 0, hasOneIDAtMost(operation)
        else { return nil }
        var known = core.pointee.cache.find(key)
        if known == nil { known = try loadIntoCache(key, until: deadline) }
        guard let thread = known, Self.isAllowed(operation, thread) else { return nil }
        var result = WriteResult()
        let last: Int64
        do throws(MemexError) {
            core.pointee.list.removeAll()
            last = Self.plan(
                operation, thread, environment.now(), isExclusive: isExclusive, isChained: false,
                &core.pointee.list, &result)
            let isDone = try store.commit(core.pointee.list.finished(), until: deadline)
            guard isDone else {
                thread.pointee.key = 0
                core.pointee.retries &+= 1
                return nil
            }
        } catch {
            // Whether it was written may be unknown.
            thread.pointee.key = 0
            core.pointee.list.removeAll()
            throw error
        }
        core.pointee.list.removeAll()
        core.pointee.commits &+= 1
        thread.pointee.lastSeq = result.lastSeq
        if Self.mustMove(thread, to: last) { thread.pointee.noteMove(to: last) }
        return result
    }

    /// Whether what is known of the thread allows the append.
    static func isAllowed(_ operation: AppendOperation, _ thread: UnsafeMutablePointer<CachedThread>) -> Bool
    {
        let first = thread.pointee.lastSeq &+ 1
        if operation.expectSeq != 0, operation.expectSeq != first { return false }
        return Int64(operation.drafts.count) <= Limits.seq &- thread.pointee.lastSeq
    }

    func hasOneIDAtMost(_ operation: AppendOperation) -> Bool {
        if operation.drafts.count == 1 { return true }
        var ids = 0
        for draft in operation.drafts where draft.id.count > 0 { ids &+= 1 }
        return ids <= 1
    }

    func loadIntoCache(
        _ key: Int64, until deadline: Deadline
    ) throws(MemexError) -> UnsafeMutablePointer<CachedThread>? {
        guard key > 0 else { return nil }
        let store = store.bounded(until: deadline)
        var head = ByteBuffer(capacity: 256)
        guard try store.readHead(key, into: &head), !ThreadRow.isHidden(head.view) else { return nil }
        _ = try head.lend { (bytes) throws(MemexError) -> ThreadRow.Head in try ThreadRow.read(key, bytes) }
        let last = try store.lastRow(key)
        let floor = ThreadRow.int64(head.view, at: ThreadRow.floorOffset)
        let lastSeq = last.seq > floor ? last.seq : floor
        return try head.lend { (bytes) throws(MemexError) -> UnsafeMutablePointer<CachedThread> in
            try core.pointee.cache.note(key, head: bytes, lastSeq: lastSeq)
        }
    }

    static func mustMove(_ thread: UnsafeMutablePointer<CachedThread>, to moment: Int64) -> Bool {
        let place = ThreadRow.int64(thread.pointee.headView, at: ThreadRow.activityOffset)
        return ActivityOrder.mustMove(activityAt: place, to: moment)
    }

    /// Writes the whole commit down; returns the last message's moment. Where nobody else can have written,
    /// what is known of the thread needs no conditions. A chained commit follows one that is not judged yet: it
    /// requires the row before its own.
    static func plan(
        _ operation: AppendOperation, _ thread: UnsafeMutablePointer<CachedThread>, _ now: Int64,
        isExclusive: Bool, isChained: Bool, _ list: inout WriteList, _ result: inout WriteResult
    ) -> Int64 {
        let head = thread.pointee.headView
        let key = thread.pointee.key
        let idempotencyKey = operation.idempotencyKey
        var size = 512 &+ idempotencyKey.count &+ head.count &* 4
        for draft in operation.drafts {
            size &+= 64 &+ draft.id.count &+ MessageRow.bound(draft, idempotencyKey: idempotencyKey)
        }
        list.reserve(bytes: size, writes: 10 &+ operation.drafts.count &* 3)

        let changes = ThreadRow.int64(head, at: ThreadRow.changesOffset)
        var at = list.bytes.count
        list.bytes.key(KeyLayout.head, key)
        let headKey = list.tail(at)
        if !isExclusive {
            // The known head may change before the commit is sent.
            at = list.bytes.count
            list.bytes.append(head)
            list.append(.requireEqual, headKey, list.tail(at))
        }
        if isChained {
            at = list.bytes.count
            list.bytes.key(KeyLayout.message, key, thread.pointee.lastSeq)
            list.append(.requirePresent, list.tail(at))
        }

        var seq = thread.pointee.lastSeq
        var moment = now
        for draft in operation.drafts {
            let isFirst = seq == thread.pointee.lastSeq
            seq &+= 1
            moment = draft.createdAt != 0 ? draft.createdAt : now
            at = list.bytes.count
            list.bytes.key(KeyLayout.message, key, seq)
            let rowKey = list.tail(at)
            // Seqs are dense: where the first one is free, the others are.
            if isFirst {
                if !isExclusive { list.append(.requireAbsent, rowKey) }
                result.firstSeq = seq
                result.createdAt = moment
            }
            at = list.bytes.count
            MessageRow.write(
                draft, seq: seq, createdAt: moment, changes: UInt32(clamping: changes),
                idempotencyKey: isFirst ? idempotencyKey : ByteView(start: nil, count: 0), to: &list.bytes)
            list.append(.put, rowKey, list.tail(at))
            if draft.id.count > 0 { planID(draft.id, key, seq, &list) }
            if draft.head.has(RecordHead.Flag.marked) {
                at = list.bytes.count
                list.bytes.key(KeyLayout.marked, key, seq)
                list.append(.put, list.tail(at))
            }
        }
        result.key = key
        result.lastSeq = seq
        result.rev = seq &+ changes
        if idempotencyKey.count > 0 {
            at = list.bytes.count
            list.bytes.key(KeyLayout.receipt, key, idempotencyKey)
            let receiptKey = list.tail(at)
            at = list.bytes.count
            AppendReceipt(
                firstSeq: result.firstSeq, count: operation.drafts.count, digest: operation.digest,
                createdAt: result.createdAt, changes: changes
            ).write(to: &list.bytes)
            list.append(.requireAbsent, receiptKey)
            list.append(.put, receiptKey, list.tail(at))
        }
        if mustMove(thread, to: moment) { planMove(thread, headKey, to: moment, &list) }
        return moment
    }

    private static func planID(_ id: ByteView, _ key: Int64, _ seq: Int64, _ list: inout WriteList) {
        var at = list.bytes.count
        list.bytes.key(KeyLayout.messageID, key, id)
        let idKey = list.tail(at)
        at = list.bytes.count
        list.bytes.append(littleEndian: seq)
        list.append(.requireAbsent, idKey)
        list.append(.put, idKey, list.tail(at))
    }

    /// Gives the thread another place in the order of activity.
    private static func planMove(
        _ thread: UnsafeMutablePointer<CachedThread>, _ headKey: ByteView, to moment: Int64,
        _ list: inout WriteList
    ) {
        let head = thread.pointee.headView
        let key = thread.pointee.key
        let tenant = ThreadRow.tenant(head)
        var at = list.bytes.count
        list.bytes.activityKey(
            tenant: tenant, at: ThreadRow.int64(head, at: ThreadRow.activityOffset), key)
        list.append(.delete, list.tail(at))
        at = list.bytes.count
        list.bytes.activityKey(tenant: tenant, at: moment, key)
        list.append(.put, list.tail(at))
        at = list.bytes.count
        list.bytes.append(head)
        let moved = list.tail(at)
        if let base = UnsafeMutablePointer(mutating: moved.baseAddress) {
            ThreadRow.move(base, moved.count, to: moment)
        }
        list.append(.put, headKey, moved)
    }
}
