internal import MemexModel
internal import MemexStorage

extension PostgreSQLWriter {
    // MARK: Threads of a batch

    /// The thread of each operation, and the threads to lock, which are there already.
    struct BatchKeys {
        var of: [Int64] = []
        var locked: [Int64] = []
    }

    /// New threads that other operations speak of get their keys beforehand, in a round trip of their own.
    func keys(_ operations: [WriteOperation], until deadline: Deadline) throws(MemexError) -> BatchKeys {
        var keys = BatchKeys()
        var created = 0
        for operation in operations { if case .createThread = operation { created += 1 } }
        var fresh: [Int64] = []
        if created > 0, operations.count > 1 { fresh = try newKeys(created, until: deadline) }
        var used = 0
        for operation in operations {
            var key: Int64 = 0
            if case .createThread = operation {
                if used < fresh.count { key = fresh[used] }
                used += 1
            } else if let target = operation.target {
                switch target {
                case .key(let known):
                    key = known
                    keys.locked.append(known)
                case .created(let index):
                    guard index >= 0, index < keys.of.count, case .createThread = operations[index] else {
                        throw MemexError(.internal, "a batch refers to a thread that it does not create")
                    }
                    key = keys.of[index]
                }
            }
            keys.of.append(key)
        }
        return keys
    }

    private func newKeys(_ count: Int, until deadline: Deadline) throws(MemexError) -> [Int64] {
        let connection = try pool.take(until: deadline)
        defer { pool.give(connection) }
        var keys: [Int64] = []
        do throws(PostgreSQLFault) {
            connection.parameters.add(Int64(count))
            try connection.queue(.newKeys)
            try connection.run(until: deadline) { _, row in
                keys.append(row.int(0))
                return true
            }
        } catch { throw PostgreSQLReader.error(error, "creating a thread") }
        guard keys.count == count else { throw MemexError(.internal, "the server gave too few keys") }
        return keys
    }

    // MARK: Queueing

    func queue(
        _ operation: WriteOperation, _ key: Int64, _ connection: PostgreSQLConnection, _ wait: Int64,
        _ now: Int64
    ) throws(PostgreSQLFault) {
        if case .append(let append) = operation {
            return try queue(append, key, connection, wait, strict: true, now: now)
        }
        let statement = Self.add(operation, key, &connection.parameters)
        try connection.queue(statement)
    }

    func queue(
        _ append: AppendOperation, _ key: Int64, _ connection: PostgreSQLConnection, _ wait: Int64,
        strict: Bool,
        now: Int64? = nil
    ) throws(PostgreSQLFault) {
        let now = now ?? environment.now()
        let drafts = append.drafts
        let count = drafts.count
        var has = (id: false, extra: false, rawRole: false)
        connection.parameters.add(key)
        let numbers = connection.parameters.beginNumbers(count * 8)
        for draft in drafts {
            Self.addNumbers(
                draft, createdAt: draft.createdAt != 0 ? draft.createdAt : now, &connection.parameters)
            if draft.id.count > 0 { has.id = true }
            if draft.extra.count > 0 { has.extra = true }
            if Self.isRaw(draft.role) { has.rawRole = true }
        }
        connection.parameters.endNumbers(numbers)
        connection.parameters.add(count, isText: true, hasNulls: has.rawRole) {
            has.rawRole && Self.isRaw(drafts[$0].role) ? nil : drafts[$0].role
        }
        connection.parameters.add(count, isText: false) {
            drafts[$0].head.state == .deleted ? nil : drafts[$0].body
        }
        connection.parameters.add([append.expectSeq, wait, strict ? 1 : 0, isFullyDurable ? 1 : 0])
        func addOptional(_ given: Bool, isText: Bool, _ element: (Int) -> ByteView?) {
            if given {
                connection.parameters.add(count, isText: isText, element)
            } else {
                connection.parameters.addNull()
            }
        }
        addOptional(has.id, isText: true) { drafts[$0].id.count > 0 ? drafts[$0].id : nil }
        addOptional(has.extra, isText: false) { drafts[$0].extra.count > 0 ? drafts[$0].extra : nil }
        addOptional(has.rawRole, isText: false) { Self.isRaw(drafts[$0].role) ? drafts[$0].role : nil }
        if append.idempotencyKey.count > 0 {
            connection.parameters.add(append.idempotencyKey)
            var digest = append.digest
            withUnsafeBytes(of: &digest) { connection.parameters.add($0.bindMemory(to: UInt8.self)) }
        } else {
            connection.parameters.addNull()
            connection.parameters.addNull()
        }
        try connection.queue(.append)
    }

    /// A role of a message without a format may hold what PostgreSQL's text cannot.
    private static func isRaw(_ text: ByteView) -> Bool { text.contains(0) }

    private static func addNumbers(
        _ draft: MessageDraft, createdAt: Int64, _ parameters: inout PostgreSQLParameters
    ) {
        let head = draft.head
        parameters.appendNumber(createdAt)
        parameters.appendNumber(Int64(head.format))
        parameters.appendNumber(Int64(head.tokens))
        parameters.appendNumber(Int64(head.flags))
        parameters.appendNumber(Int64(head.contentOffset))
        parameters.appendNumber(Int64(head.contentLength))
        parameters.appendNumber(
            Int64(head.compression) << 40 | Int64(head.cipher) << 32 | Int64(head.codecKey))
        parameters.appendNumber(RecordSeal.sent(draft, createdAt: createdAt))
    }

    private static func addTitle(_ title: String?, _ parameters: inout PostgreSQLParameters) {
        let isRaw = title?.utf8.contains(0) ?? false
        parameters.addOrNull(isRaw ? nil : title)
        parameters.addOrNull(isRaw ? title : nil)
    }

    private static func addMetadata(_ metadata: [UInt8]?, _ parameters: inout PostgreSQLParameters) {
        if let metadata {
            metadata.withUnsafeBufferPointer { parameters.add($0) }
        } else {
            parameters.addNull()
        }
    }

    private static func add(
        _ operation: WriteOperation, _ key: Int64, _ parameters: inout PostgreSQLParameters
    ) -> PostgreSQLStatement {
        if case .putBlob(let hash, let bytes) = operation {
            hash.bytes.withUnsafeBufferPointer { parameters.add($0) }
            parameters.add(bytes)
            return .putBlob
        }
        parameters.add(key)
        switch operation {
        case .createThread(let record):
            add(record, &parameters)
            return .createThread
        case .updateThread(let update):
            add(update, &parameters)
            return .updateThread
        case .removeThread: return .removeThread
        case .removeMessages(_, let above):
            parameters.add(above)
            return .removeMessages
        case .putMessage(let put):
            add(put, &parameters)
            return .putMessage
        case .putDerived(_, let record):
            parameters.add(record.kind)
            parameters.add(record.name)
            parameters.add([record.fromSeq, record.toSeq, record.rev, record.createdAt])
            record.body.withUnsafeBufferPointer { parameters.add($0) }
            return .putDerived
        case .removeDerived(_, let kind, let name):
            parameters.add(kind)
            parameters.add(name)
            return .removeDerived
        case .appendPiece(_, let seq, let bytes):
            parameters.add(seq)
            parameters.add(bytes)
            return .appendPiece
        case .removePieces(_, let seq):
            parameters.add(seq)
            return .removePieces
        case .append, .putBlob: return .append
        }
    }

    private static func add(_ record: ThreadRecord, _ parameters: inout PostgreSQLParameters) {
        // Its place is its creation until it has messages.
        let activityAt =
            ActivityOrder.mustMove(activityAt: record.activityAt, to: record.createdAt)
            ? record.createdAt : record.activityAt
        parameters.add(record.tenant)
        parameters.add(record.id)
        addTitle(record.title, &parameters)
        addMetadata(record.metadata, &parameters)
        parameters.add([
            record.version, record.createdAt, record.updatedAt, activityAt, record.changes,
            record.deletedCount,
            record.floor, record.baseKey, record.baseSeq, record.baseRev, record.rootKey, record.forkCount,
        ])
    }

    private static func add(_ update: ThreadUpdate, _ parameters: inout PostgreSQLParameters) {
        var given: Int64 = 0
        if update.expectVersion != nil { given |= 1 }
        if update.expectChanges != nil { given |= 2 }
        if update.title != nil { given |= 4 }
        if update.metadata != nil { given |= 8 }
        if update.updatedAt != nil { given |= 16 }
        if update.hide { given |= 32 }
        parameters.add([
            given, update.expectVersion ?? 0, update.expectChanges ?? 0, update.versionDelta,
            update.changesDelta,
            update.deletedDelta, update.forkDelta, update.updatedAt ?? 0,
        ])
        addTitle(update.title ?? nil, &parameters)
        addMetadata(update.metadata ?? nil, &parameters)
    }

    private static func add(_ put: MessagePut, _ parameters: inout PostgreSQLParameters) {
        let draft = put.draft
        parameters.add(put.seq)
        parameters.add(put.stampsRev ? -1 : Int64(draft.head.changes))
        let numbers = parameters.beginNumbers(8)
        addNumbers(draft, createdAt: draft.createdAt, &parameters)
        parameters.endNumbers(numbers)
        let isRaw = isRaw(draft.role)
        if isRaw { parameters.addNull() } else { parameters.add(draft.role) }
        if isRaw { parameters.add(draft.role) } else { parameters.addNull() }
        parameters.addOrNull(draft.id)
        parameters.addOrNull(draft.extra)
        if draft.head.state == .deleted { parameters.addNull() } else { parameters.add(draft.body) }
    }

    // MARK: Answers

    static func appended(_ row: PostgreSQLRow, _ key: Int64) -> WriteResult {
        var result = WriteResult()
        result.key = key
        result.firstSeq = row.number(0, 1)
        result.lastSeq = row.number(0, 2)
        result.createdAt = row.number(0, 3)
        result.rev = row.number(0, 4)
        result.isDuplicate = row.number(0, 5) != 0
        return result
    }

    static func result(_ operation: WriteOperation, _ row: PostgreSQLRow, _ key: Int64) -> WriteResult {
        if case .append = operation { return appended(row, key) }
        var result = WriteResult()
        result.key = row.number(0, 0)
        result.firstSeq = row.number(0, 1)
        result.lastSeq = row.number(0, 2)
        result.createdAt = row.number(0, 3)
        result.rev = row.number(0, 4)
        return result
    }
}

extension WriteOperation {
    /// The thread that an operation is about; nil for a blob and a new thread.
    fileprivate var target: ThreadTarget? {
        switch self {
        case .append(let append): append.thread
        case .updateThread(let update): update.thread
        case .putMessage(let put): put.thread
        case .removeThread(let target), .removeMessages(let target, _), .putDerived(let target, _),
            .removeDerived(let target, _, _), .appendPiece(let target, _, _), .removePieces(let target, _):
            target
        case .createThread, .putBlob: nil
        }
    }
}
