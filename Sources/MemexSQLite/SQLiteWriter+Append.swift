internal import CMemexShim
internal import MemexModel
internal import MemexStorage

extension SQLiteWriter {
    /// The state of a thread, hidden or not; NOT_FOUND when it is gone.
    func state(_ key: Int64) throws(MemexError) -> ThreadState {
        if let known = memory.pointee.states[key] { return known }
        return try load(key, isFirstLook: true)
    }

    /// Reads the state; what the thread was before is compared unless this transaction has changed it.
    private func load(_ key: Int64, isFirstLook: Bool) throws(MemexError) -> ThreadState {
        let thread = statements.threadState
        thread.bind(1, key)
        defer { thread.reset() }
        let code = thread.step()
        guard code == SQLITE_ROW || code == SQLITE_DONE else {
            throw connection.error(code, "reading a thread")
        }
        guard code == SQLITE_ROW else { throw Self.gone }
        let record = try Self.record(key, thread)
        var state = ThreadState(
            lastSeq: record.floor, lastCreatedAt: 0, changes: record.changes, activityAt: record.activityAt,
            createdAt: record.createdAt, floor: record.floor, isHidden: record.isHidden)
        let last = try statements.locator.last(key)
        state.lastSeq = max(state.lastSeq, last.seq)
        state.lastCreatedAt = last.seq > record.baseSeq ? last.createdAt : 0
        if isFirstLook { try confirm(state, record) }
        memory.pointee.states[key] = state
        return state
    }

    /// The numbers of a thread's head; what is stored after a change passes here, too.
    private static func record(_ key: Int64, _ thread: SQLiteStatement) throws(MemexError) -> ThreadRecord {
        var record = ThreadRecord()
        record.key = key
        record.changes = thread.stored(0)
        record.activityAt = thread.stored(1)
        record.floor = thread.stored(2)
        record.isHidden = thread.stored(3) != 0
        record.createdAt = thread.stored(4)
        record.baseSeq = thread.stored(5)
        record.deletedCount = thread.stored(6)
        record.version = thread.stored(7)
        record.updatedAt = thread.stored(8)
        record.baseKey = thread.stored(9)
        record.baseRev = thread.stored(10)
        record.rootKey = thread.stored(11)
        record.forkCount = thread.stored(12)
        try record.confirm()
        return record
    }

    /// Throws unless the rows are all that the thread has had: a seq must never be given again.
    private func confirm(_ state: ThreadState, _ record: ThreadRecord) throws(MemexError) {
        let key = record.key
        if let run = try statements.locator.run(key, upTo: RowKey.bounds(key).1) {
            try statements.locator.confirmBeginning(
                of: run, sparseTop: state.isHidden ? record.baseSeq : state.floor)
        }
        let before = memory.pointee.states.earlier(key)
        let isShorter = before.map { $0.floor == state.floor && $0.lastSeq > state.lastSeq } ?? false
        let isCounted = state.isHidden || record.deletedCount <= state.lastSeq
        // A thread's place in the order of activity is never ahead of its last message.
        guard !isShorter, isCounted, state.activityAt <= state.activity else {
            throw MemexError(
                .corrupt,
                "the head of a thread and its messages contradict each other: rows were removed or changed by "
                    + "another program; run the check command and restore from a backup")
        }
    }

    func append(_ operation: AppendOperation, to key: Int64, now: Int64) throws(MemexError) -> WriteResult {
        var state = try state(key)
        guard !state.isHidden else { throw Self.gone }
        let count = Int64(operation.drafts.count)
        if operation.idempotencyKey.count > 0,
            let earlier = try receipt(operation, key, count)
        {
            return earlier
        }
        guard operation.expectSeq == 0 || operation.expectSeq == state.lastSeq + 1 else {
            throw ContractError.seq(operation.expectSeq, state.lastSeq + 1)
        }
        guard state.lastSeq <= Limits.seq - count else {
            throw ContractError.lastSeq
        }
        var result = WriteResult()
        result.key = key
        result.firstSeq = state.lastSeq + 1
        result.lastSeq = state.lastSeq + count
        result.rev = result.lastSeq + state.changes
        for index in 0..<operation.drafts.count {
            let draft = operation.drafts[index]
            let createdAt = draft.createdAt != 0 ? draft.createdAt : now
            state.lastSeq += 1
            state.lastCreatedAt = createdAt
            if index == 0 { result.createdAt = createdAt }
            try insert(
                draft, key, state, createdAt: createdAt,
                receipt: index == 0 && operation.idempotencyKey.count > 0 ? (operation, result) : nil)
        }
        try noteActivity(key, &state)
        memory.pointee.states[key] = state
        return result
    }

    static let gone = ContractError.gone

    /// Moves the thread in the coarse order of activity when it is due.
    func noteActivity(_ key: Int64, _ state: inout ThreadState) throws(MemexError) {
        guard ActivityOrder.mustMove(activityAt: state.activityAt, to: state.activity) else { return }
        statements.moveActivity.bind(1, key)
        statements.moveActivity.bind(2, state.activity)
        try run(statements.moveActivity, "noting a thread's activity")
        state.activityAt = state.activity
    }

    /// The state after rows or the document were changed, read again.
    func refreshedState(_ key: Int64) throws(MemexError) -> ThreadState {
        var state = try load(key, isFirstLook: false)
        try noteActivity(key, &state)
        memory.pointee.states[key] = state
        return state
    }

    private func insert(
        _ draft: MessageDraft, _ key: Int64, _ state: ThreadState, createdAt: Int64,
        receipt: (AppendOperation, WriteResult)?
    ) throws(MemexError) {
        var head = draft.head
        head.changes = UInt32(truncatingIfNeeded: state.changes)
        head.checksum = RecordChecksum.seal(head.checksum, head, seq: state.lastSeq, createdAt: createdAt)
        let isPlain =
            receipt == nil && draft.id.count == 0 && draft.extra.count == 0
            && !head.has(RecordHead.Flag.marked)
        let statement = isPlain ? statements.insert : statements.insertFull
        let messageKey = RowKey.make(key, state.lastSeq)
        let row = try nextRow(for: messageKey)
        let code = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: RecordHead.maximumSize) {
            bytes -> Int32 in
            guard let base = bytes.baseAddress else { return SQLITE_NOMEM }
            let length = head.write(into: base)
            statement.bind(1, row)
            statement.bind(2, messageKey)
            statement.bind(3, createdAt)
            statement.bind(4, text: draft.role)
            statement.bind(5, blob: ByteView(start: base, count: length))
            bindBody(statement, 6, draft, head)
            if isPlain {
                let code = statement.step()
                statement.reset()
                return code
            }
            bindRest(statement, draft, head)
            return withReceipt(receipt) { key, blob in
                statement.bind(10, textOrNull: key)
                if blob.count > 0 { statement.bind(11, blob: blob) } else { statement.bindNull(11) }
                let code = statement.step()
                statement.reset()
                return code
            }
        }
        guard code == SQLITE_DONE else {
            if code == MEMEX_SQLITE_CONSTRAINT_UNIQUE {
                throw ContractError.messageExists
            }
            throw connection.error(code, "storing a message")
        }
        memory.pointee.newest = (row, messageKey)
    }

    /// The row for a new message; begins a run unless it continues the last.
    func nextRow(for key: Int64) throws(MemexError) -> Int64 {
        let last: (row: Int64, key: Int64)
        if let newest = memory.pointee.newest {
            last = newest
        } else {
            try statements.locator.confirmNewest()
            let found = try statements.locator.lastRow()
            last = (found.row, found.key)
        }
        let row = last.row &+ 1
        if last.key &+ 1 != key || last.row == 0 {
            statements.insertRun.bind(1, key)
            statements.insertRun.bind(2, row)
            try run(statements.insertRun, "beginning a run of messages")
        }
        return row
    }

    /// The body as text, so that SQL can read it; as a blob when a codec made it.
    func bindBody(_ statement: SQLiteStatement, _ index: Int32, _ draft: MessageDraft, _ head: RecordHead) {
        if head.state == .deleted {
            statement.bindNull(index)
        } else if head.compression != 0 || head.cipher != 0 {
            statement.bind(index, blob: draft.body)
        } else {
            statement.bind(index, text: draft.body)
        }
    }

    /// Columns 7 to 9: extra, id, marked.
    func bindRest(_ statement: SQLiteStatement, _ draft: MessageDraft, _ head: RecordHead) {
        if head.compression != 0 || head.cipher != 0, draft.extra.count > 0 {
            statement.bind(7, blob: draft.extra)
        } else {
            statement.bind(7, textOrNull: draft.extra)
        }
        statement.bind(8, textOrNull: draft.id)
        if head.has(RecordHead.Flag.marked) { statement.bind(9, 1) } else { statement.bindNull(9) }
    }

    // MARK: Idempotency

    /// Lends the key and the bytes of a `SQLiteReceipt`.
    private func withReceipt(
        _ receipt: (AppendOperation, WriteResult)?, _ body: (ByteView, ByteView) -> Int32
    ) -> Int32 {
        guard let (operation, result) = receipt else {
            return body(ByteView(start: nil, count: 0), ByteView(start: nil, count: 0))
        }
        return withUnsafeTemporaryAllocation(byteCount: SQLiteReceipt.size, alignment: 8) { raw in
            raw.storeBytes(
                of: UInt32(truncatingIfNeeded: operation.drafts.count).littleEndian, as: UInt32.self)
            raw.storeBytes(of: UInt64(bitPattern: result.rev).littleEndian, toByteOffset: 4, as: UInt64.self)
            raw.storeBytes(of: operation.digest.0.littleEndian, toByteOffset: 12, as: UInt64.self)
            raw.storeBytes(of: operation.digest.1.littleEndian, toByteOffset: 20, as: UInt64.self)
            return body(operation.idempotencyKey, ByteView(raw.bindMemory(to: UInt8.self)))
        }
    }

    /// The first result of an earlier append with the same key and bytes.
    private func receipt(_ operation: AppendOperation, _ key: Int64, _ count: Int64) throws(MemexError)
        -> WriteResult?
    {
        let statement = statements.receipt
        statement.bind(1, key)
        statement.bind(2, text: operation.idempotencyKey)
        defer { statement.reset() }
        let code = statement.step()
        if code == SQLITE_DONE { return nil }
        guard code == SQLITE_ROW else { throw connection.error(code, "looking up an idempotency key") }
        let stored = try SQLiteReceipt(statement.bytes(2))
        guard stored.count == count, stored.digest == operation.digest else {
            throw ContractError.otherBytes
        }
        var result = WriteResult()
        result.key = key
        result.firstSeq = RowKey.seq(statement.int(0))
        result.lastSeq = result.firstSeq &+ count &- 1
        result.createdAt = statement.stored(1)
        result.rev = stored.rev
        guard result.firstSeq > 0, StoredNumber.isSeq(result.lastSeq), StoredNumber.isTime(result.createdAt)
        else { throw SQLiteReceipt.damaged }
        result.isDuplicate = true
        return result
    }
}
