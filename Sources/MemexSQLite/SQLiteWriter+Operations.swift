internal import CMemexShim
internal import MemexModel
internal import MemexStorage

extension SQLiteWriter {
    func apply(_ operations: [WriteOperation], now: Int64) throws(MemexError) -> [WriteResult] {
        var results: [WriteResult] = []
        results.reserveCapacity(operations.count)
        for operation in operations { results.append(try apply(operation, results, now: now)) }
        return results
    }

    /// Applies one operation; `results` are those of the earlier ones of its batch.
    private func apply(
        _ operation: WriteOperation, _ results: [WriteResult], now: Int64
    ) throws(MemexError) -> WriteResult {
        switch operation {
        case .append(let append):
            return try self.append(append, to: try key(append.thread, results), now: now)
        case .createThread(let record): return try create(record)
        case .updateThread(let update): return try self.update(update, try key(update.thread, results))
        case .removeThread(let target): return try remove(try key(target, results))
        case .removeMessages(let target, let above):
            return try removeMessages(try key(target, results), above: above)
        case .putMessage(let put): return try self.put(put, try key(put.thread, results))
        case .putDerived(let target, let record): return try self.put(record, try key(target, results))
        case .removeDerived(let target, let kind, let name):
            return try removeDerived(try key(target, results), kind, name)
        case .putBlob(let hash, let bytes): return try self.put(hash, bytes)
        case .appendPiece(let target, let seq, let bytes):
            return try appendPiece(try key(target, results), seq, bytes)
        case .removePieces(let target, let seq): return try removePieces(try key(target, results), seq)
        }
    }

    func key(_ target: ThreadTarget, _ results: [WriteResult]) throws(MemexError) -> Int64 {
        switch target {
        case .key(let key): return key
        case .created(let index):
            guard index >= 0, index < results.count, results[index].key != 0 else {
                throw MemexError(.internal, "a batch refers to a thread that it does not create")
            }
            return results[index].key
        }
    }

    private func result(_ key: Int64, _ state: ThreadState? = nil) -> WriteResult {
        var result = WriteResult()
        result.key = key
        result.rev = state?.rev ?? 0
        return result
    }

    // MARK: Threads

    private static let noNumbersLeft = MemexError(
        .limit,
        "the database has given its last thread number, \(RowKey.threadMaximum): keep new conversations in another "
            + "file, or, if another program changed the table sqlite_sequence, set its seq back to the highest key of "
            + "the table threads", detailMembers: "\"limit\":\(RowKey.threadMaximum)")

    /// SQLite reports the end of its own numbers as a full disk.
    private func isOutOfNumbers() throws(MemexError) -> Bool {
        let given = try connection.value("SELECT seq FROM sqlite_sequence WHERE name = 'threads'")
        return given ?? 0 >= RowKey.threadMaximum
    }

    private func create(_ record: ThreadRecord) throws(MemexError) -> WriteResult {
        var tenant = record.tenant
        var id = record.id
        var title = record.title ?? ""
        let metadata = record.metadata ?? []
        // Its place is its creation until it has messages.
        let activityAt =
            ActivityOrder.mustMove(activityAt: record.activityAt, to: record.createdAt)
            ? record.createdAt : record.activityAt
        let statement = statements.insertThread
        let code = tenant.withUTF8 { tenant in
            id.withUTF8 { id in
                title.withUTF8 { title in
                    metadata.withUnsafeBufferPointer { metadata in
                        statement.bind(1, text: tenant)
                        statement.bind(2, text: id)
                        if record.title == nil {
                            statement.bindNull(3)
                        } else {
                            statement.bind(3, text: title)
                        }
                        if record.metadata == nil {
                            statement.bindNull(4)
                        } else {
                            statement.bind(4, text: metadata)
                        }
                        for (index, value) in [
                            record.version, record.createdAt, record.updatedAt, activityAt,
                            record.changes, record.deletedCount, record.floor, record.baseKey,
                            record.baseSeq, record.baseRev, record.rootKey, record.forkCount, 0,
                        ].enumerated() {
                            statement.bind(Int32(5 + index), value)
                        }
                        let code = statement.step()
                        statement.reset()
                        return code
                    }
                }
            }
        }
        guard code == SQLITE_DONE else {
            if code == MEMEX_SQLITE_CONSTRAINT_UNIQUE {
                throw ContractError.threadExists
            }
            if code & 0xFF == SQLITE_FULL, try isOutOfNumbers() { throw Self.noNumbersLeft }
            throw connection.error(code, "creating a thread")
        }
        let key = memex_sqlite_last_rowid(connection.database)
        guard key <= RowKey.threadMaximum else {
            throw Self.noNumbersLeft
        }
        memory.pointee.states[key] = ThreadState(
            lastSeq: record.floor, lastCreatedAt: 0, changes: record.changes, activityAt: activityAt,
            createdAt: record.createdAt, floor: record.floor)
        return result(key, memory.pointee.states[key])
    }

    private func update(_ update: ThreadUpdate, _ key: Int64) throws(MemexError) -> WriteResult {
        _ = try state(key)
        let current = statements.threadForUpdate
        current.bind(1, key)
        defer { current.reset() }
        let code = current.step()
        guard code == SQLITE_ROW || code == SQLITE_DONE else {
            throw connection.error(code, "reading a thread")
        }
        guard code == SQLITE_ROW else { throw Self.gone }
        if let expected = update.expectVersion, expected != current.int(0) {
            throw ContractError.version(expected, current.int(0))
        }
        if let expected = update.expectChanges, expected != current.int(1) {
            throw ContractError.changed
        }
        let statement = statements.updateThread
        statement.bind(1, key)
        statement.bind(4, update.versionDelta)
        statement.bind(5, update.changesDelta)
        statement.bind(6, update.deletedDelta)
        statement.bind(7, update.forkDelta)
        statement.bind(8, update.hide ? 1 : 0)
        if let updatedAt = update.updatedAt { statement.bind(9, updatedAt) } else { statement.bindNull(9) }
        var title: String?
        if let given = update.title { title = given } else { title = current.textOrNil(3) }
        var metadata: [UInt8]?
        if let given = update.metadata { metadata = given } else { metadata = current.arrayOrNil(4) }
        var text = title ?? ""
        let stepped = text.withUTF8 { text in
            (metadata ?? []).withUnsafeBufferPointer { bytes in
                if title == nil { statement.bindNull(2) } else { statement.bind(2, text: text) }
                if metadata == nil { statement.bindNull(3) } else { statement.bind(3, text: bytes) }
                let code = statement.step()
                statement.reset()
                return code
            }
        }
        guard stepped == SQLITE_DONE else { throw connection.error(stepped, "changing a thread") }
        return result(key, try refreshedState(key))
    }

    private func remove(_ key: Int64) throws(MemexError) -> WriteResult {
        _ = try state(key)
        let (low, high) = RowKey.bounds(key)
        try run(statements.deleteThread, key, "deleting a thread")
        try deleteRows(key, from: 1)
        try run(statements.deleteThreadPieces, low, high, "deleting stream pieces")
        try run(statements.deleteThreadDerived, key, "deleting derived records")
        memory.pointee.states[key] = nil
        return result(key)
    }

    private func removeMessages(_ key: Int64, above seq: Int64) throws(MemexError) -> WriteResult {
        _ = try state(key)
        let (_, high) = RowKey.bounds(key)
        try run(statements.raiseFloor, key, seq, "deleting messages")
        try deleteRows(key, from: seq &+ 1)
        try run(statements.deleteThreadPieces, RowKey.make(key, seq &+ 1), high, "deleting stream pieces")
        let state = try refreshedState(key)
        var result = result(key, state)
        result.lastSeq = state.lastSeq
        return result
    }

    /// Deletes the thread's rows from a seq on, run by run.
    private func deleteRows(_ key: Int64, from seq: Int64) throws(MemexError) {
        let first = RowKey.make(key, seq)
        let (_, high) = RowKey.bounds(key)
        var runs: [RunLocator.Run] = []
        if let before = try statements.locator.run(key, upTo: first &- 1) { runs.append(before) }
        statements.runs.bind(1, first)
        statements.runs.bind(2, high)
        var code = statements.runs.step()
        while code == SQLITE_ROW {
            do throws(MemexError) { runs.append(try RunLocator.Run(statements.runs)) } catch {
                statements.runs.reset()
                throw error
            }
            code = statements.runs.step()
        }
        statements.runs.reset()
        guard code == SQLITE_DONE else { throw connection.error(code, "deleting messages") }
        for (index, run) in runs.enumerated() {
            let last = try index + 1 < runs.count ? runs[index + 1].key &- 1 : statements.locator.end(run).key
            let start = max(run.key, first)
            if last < start { continue }
            statements.deleteMessages.bind(1, run.row(of: start))
            statements.deleteMessages.bind(2, run.row(of: last))
            statements.deleteMessages.bind(3, start)
            statements.deleteMessages.bind(4, last)
            try self.run(statements.deleteMessages, "deleting messages")
        }
        try run(statements.deleteRuns, first, high, "deleting messages")
        memory.pointee.newest = nil
    }

    // MARK: Messages

    private func put(_ put: MessagePut, _ key: Int64) throws(MemexError) -> WriteResult {
        let draft = put.draft
        var head = draft.head
        let state = try state(key)
        guard put.seq >= 1, put.seq <= Limits.seq else {
            throw MemexError(.limit, "seq \(put.seq) is not between 1 and \(Limits.seq)")
        }
        if put.stampsRev {
            head.changes = UInt32(truncatingIfNeeded: state.lastSeq + state.changes - put.seq)
        }
        head.checksum = RecordChecksum.seal(head.checksum, head, seq: put.seq, createdAt: draft.createdAt)
        let messageKey = RowKey.make(key, put.seq)
        let found = try statements.locator.row(key, put.seq)
        let row: Int64
        if let found { row = found } else { row = try nextRow(for: messageKey) }
        let statement = found == nil ? statements.insertFull : statements.updateMessage
        let code = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: RecordHead.maximumSize) {
            bytes -> Int32 in
            guard let base = bytes.baseAddress else { return SQLITE_NOMEM }
            let blob = ByteView(start: base, count: head.write(into: base))
            statement.bind(1, row)
            statement.bind(2, messageKey)
            statement.bind(3, draft.createdAt)
            statement.bind(4, text: draft.role)
            statement.bind(5, blob: blob)
            bindBody(statement, 6, draft, head)
            bindRest(statement, draft, head)
            if found == nil {
                statement.bindNull(10)
                statement.bindNull(11)
            }
            let code = statement.step()
            statement.reset()
            return code
        }
        guard code == SQLITE_DONE else {
            if code == MEMEX_SQLITE_CONSTRAINT_UNIQUE {
                throw ContractError.messageExists
            }
            throw connection.error(code, "storing a message")
        }
        if found == nil { memory.pointee.newest = (row, messageKey) }
        var result = result(key, try refreshedState(key))
        result.firstSeq = put.seq
        result.lastSeq = put.seq
        result.createdAt = draft.createdAt
        return result
    }

    private func appendPiece(_ key: Int64, _ seq: Int64, _ bytes: ByteView) throws(MemexError) -> WriteResult
    {
        let state = try state(key)
        statements.addPiece.bind(1, RowKey.make(key, seq))
        statements.addPiece.bind(2, blob: bytes)
        try run(statements.addPiece, "storing a stream piece")
        return result(key, state)
    }

    private func removePieces(_ key: Int64, _ seq: Int64) throws(MemexError) -> WriteResult {
        let state = try state(key)
        try run(statements.deletePieces, RowKey.make(key, seq), "deleting stream pieces")
        return result(key, state)
    }

    // MARK: Derived records and blobs

    private func put(_ record: DerivedRecord, _ key: Int64) throws(MemexError) -> WriteResult {
        let state = try state(key)
        let statement = statements.putDerived
        var (kind, name) = (record.kind, record.name)
        let code = kind.withUTF8 { kind in
            name.withUTF8 { name in
                record.body.withUnsafeBufferPointer { body in
                    statement.bind(1, key)
                    statement.bind(2, text: kind)
                    statement.bind(3, text: name)
                    statement.bind(4, record.fromSeq)
                    statement.bind(5, record.toSeq)
                    statement.bind(6, record.rev)
                    statement.bind(7, record.createdAt)
                    statement.bind(8, blob: body)
                    let code = statement.step()
                    statement.reset()
                    return code
                }
            }
        }
        guard code == SQLITE_DONE else { throw connection.error(code, "storing a derived record") }
        return result(key, state)
    }

    private func removeDerived(_ key: Int64, _ kind: String, _ name: String) throws(MemexError) -> WriteResult
    {
        let state = try state(key)
        let statement = statements.deleteDerived
        var (kind, name) = (kind, name)
        let code = kind.withUTF8 { kind in
            name.withUTF8 { name in
                statement.bind(1, key)
                statement.bind(2, text: kind)
                statement.bind(3, text: name)
                let code = statement.step()
                statement.reset()
                return code
            }
        }
        guard code == SQLITE_DONE else { throw connection.error(code, "deleting a derived record") }
        return result(key, state)
    }

    private func put(_ hash: BlobHash, _ bytes: ByteView) throws(MemexError) -> WriteResult {
        let address = hash.bytes
        let code = address.withUnsafeBufferPointer { address in
            statements.putBlob.bind(1, blob: address)
            statements.putBlob.bind(2, blob: bytes)
            let code = statements.putBlob.step()
            statements.putBlob.reset()
            return code
        }
        guard code == SQLITE_DONE else { throw connection.error(code, "storing a blob") }
        return WriteResult()
    }

    // MARK: Statements with one or two numbers

    private func run(_ statement: SQLiteStatement, _ first: Int64, _ doing: StaticString) throws(MemexError) {
        statement.bind(1, first)
        try run(statement, doing)
    }

    private func run(
        _ statement: SQLiteStatement, _ first: Int64, _ second: Int64, _ doing: StaticString
    ) throws(MemexError) {
        statement.bind(1, first)
        statement.bind(2, second)
        try run(statement, doing)
    }
}
