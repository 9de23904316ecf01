internal import CMemexShim
internal import MemexModel
internal import MemexStorage

/// The one connection of a process that writes a database. Used by one thread at a time: the leader of the
/// commit queue.
final class SQLiteWriter {
    let connection: SQLiteConnection
    private let lock: WriterLock?
    private let watch: FileWatch?
    private let interruptions: Interruptions
    let environment: Environment
    let statements: WriterStatements
    let memory = UnsafeMutablePointer<WriterMemory>.allocate(capacity: 1)
    private static let checkpointFrames: Int32 = 1_000

    var checkpoints: Int64 { memory.pointee.checkpoints }

    init(
        _ connection: SQLiteConnection, lock: WriterLock?, watch: FileWatch?,
        interruptions: Interruptions, environment: Environment
    ) throws(MemexError) {
        self.connection = connection
        self.lock = lock
        self.watch = watch
        self.interruptions = interruptions
        self.environment = environment
        memory.initialize(to: WriterMemory())
        do throws(MemexError) {
            statements = try WriterStatements(connection)
        } catch {
            memory.deinitialize(count: 1)
            memory.deallocate()
            throw error
        }
        // From here on waiting is ours: with the deadline of the call, and never under the writers' lock.
        _ = memex_sqlite_busy_timeout(connection.database, 0)
        memex_sqlite_wal_hook(
            connection.database,
            { context, _, _, count in
                context?.assumingMemoryBound(to: WriterMemory.self).pointee.frames = count
                return SQLITE_OK
            }, memory)
    }

    deinit {
        memory.deinitialize(count: 1)
        memory.deallocate()
    }

    // MARK: Groups

    /// Commits a group: fills results or failure of every request.
    func run(_ first: CommitRequest.Pointer) {
        do throws(MemexError) {
            try begin(until: CommitRequest.deadline(ofGroup: first))
        } catch {
            fail(first, error)
            return
        }
        let isAlone = first.pointee.next == nil
        let now = environment.now()
        var succeeded = 0
        var at: CommitRequest.Pointer? = first
        while let request = at {
            at = request.pointee.next
            do throws(MemexError) {
                try apply(request, now: now, needsSavepoint: !isAlone)
                succeeded += 1
            } catch {
                forget()
                if Self.endsGroup(error) {
                    rollback()
                    fail(first, error)
                    return
                }
                request.pointee.failure = error
            }
        }
        if succeeded == 0 {
            rollback()
            return
        }
        do throws(MemexError) { try commit() } catch { fail(first, error) }
    }

    /// Runs work in a transaction of its own.
    func transaction(until deadline: Deadline, _ work: () throws(MemexError) -> Void) throws(MemexError) {
        try begin(until: deadline)
        do throws(MemexError) {
            try work()
        } catch {
            rollback()
            throw error
        }
        try commit()
    }

    private func apply(_ request: CommitRequest.Pointer, now: Int64, needsSavepoint: Bool) throws(MemexError)
    {
        let guarded = needsSavepoint && !Self.isIndivisible(request)
        if guarded { try run(statements.savepoint, "marking a batch") }
        do throws(MemexError) {
            if let append = request.pointee.append {
                request.pointee.result = try self.append(append, to: try key(append.thread, []), now: now)
            } else {
                request.pointee.results = try apply(request.pointee.operations, now: now)
            }
        } catch {
            if guarded, !Self.endsGroup(error) {
                try run(statements.rollbackTo, "undoing a batch")
                try run(statements.release, "undoing a batch")
            }
            throw error
        }
        if guarded { try run(statements.release, "ending a batch") }
    }

    /// Whether a batch checks all it depends on before it writes one row.
    private static func isIndivisible(_ request: CommitRequest.Pointer) -> Bool {
        guard let append = request.pointee.append else { return false }
        return append.drafts.count == 1 && append.drafts[0].id.count == 0
    }

    /// Failures of the engine end the whole group; failures of a request end that request.
    private static func endsGroup(_ error: MemexError) -> Bool {
        switch error.code {
        case .io, .full, .corrupt, .busy, .poisoned, .outcomeUnknown, .internal, .cancelled: return true
        default: return false
        }
    }

    private func fail(_ first: CommitRequest.Pointer, _ error: MemexError) {
        var at: CommitRequest.Pointer? = first
        while let request = at {
            // A signal to the first one's thread is none of the others': they come again.
            let isOthers = error.isPause && request != first
            if request.pointee.failure == nil {
                request.pointee.failure = isOthers ? Self.cameToNothing : error
            }
            at = request.pointee.next
        }
    }

    private static let cameToNothing = MemexError(
        .cancelled, "interrupted while another call waited for both; nothing was stored")

    /// Forgets what was known of the database.
    private func forget() {
        memory.pointee.states.removeAll()
        memory.pointee.newest = nil
    }

    // MARK: Transactions

    private func begin(until deadline: Deadline) throws(MemexError) {
        if let poison = memory.pointee.poison { throw poison }
        if let watch, watch.isKnownToHaveMoved { throw FileWatch.moved }
        try lock?.lock(until: deadline)
        do throws(MemexError) { try beginImmediate(until: deadline) } catch {
            lock?.unlock()
            throw error
        }
        var version: UInt32 = 0
        _ = memex_sqlite_data_version(connection.database, &version)
        if memory.pointee.states.isFull { forget() }
        if version != memory.pointee.dataVersion {
            memory.pointee.states.outdate()
            memory.pointee.newest = nil
        }
    }

    /// Waits for writers that are not ours: other programs do not know the writers' lock.
    private func beginImmediate(until deadline: Deadline) throws(MemexError) {
        let before = interruptions.current
        var pause: Int64 = 100
        while true {
            let code = statements.begin.step()
            statements.begin.reset()
            if code == SQLITE_DONE { return }
            guard code & 0xFF == SQLITE_BUSY, !deadline.isPast else {
                throw connection.error(code, "beginning a transaction")
            }
            if interruptions.current != before {
                throw MemexError(
                    .cancelled, "interrupted while waiting for another program; nothing was stored")
            }
            try deadline.sleep(pause)
            if pause < 5_000 { pause *= 2 }
        }
    }

    private func commit() throws(MemexError) {
        let code = statements.commit.step()
        statements.commit.reset()
        if code != SQLITE_DONE {
            let failure = connection.error(code, "committing")
            rollback()
            throw judge(failure, code)
        }
        _ = memex_sqlite_data_version(connection.database, &memory.pointee.dataVersion)
        lock?.unlock()
        // What nobody will find again is not acknowledged.
        do throws(MemexError) { try watch?.check() } catch {
            memory.pointee.poison = error
            throw FileWatch.movedWhileCommitting
        }
    }

    /// A failed sync may have dropped the pages it was to write: nothing that follows can be trusted.
    private func judge(_ failure: MemexError, _ code: Int32) -> MemexError {
        guard failure.code == .io else { return failure }
        memory.pointee.poison = MemexError(
            .poisoned,
            "an earlier write to stable storage failed; close the store and open it again",
            detailMembers: "\"engine\":\"sqlite\",\"engine_code\":\(code)")
        return MemexError(
            .outcomeUnknown,
            "the disk refused while committing; open the store again and repeat the call with its "
                + "idempotency key", detailMembers: failure.detailMembers)
    }

    private func rollback() {
        forget()
        if memex_sqlite_autocommit(connection.database) == 0 {
            _ = statements.rollback.step()
            statements.rollback.reset()
        }
        lock?.unlock()
    }

    func run(_ statement: SQLiteStatement, _ doing: StaticString) throws(MemexError) {
        let code = statement.step()
        statement.reset()
        guard code == SQLITE_DONE || code == SQLITE_ROW else { throw connection.error(code, doing) }
    }

    // MARK: Checkpoints

    /// Runs after a group's writers were woken.
    func settle() {
        guard memory.pointee.frames >= Self.checkpointFrames, memory.pointee.poison == nil else { return }
        do throws(MemexError) {
            _ = try checkpoint(SQLITE_CHECKPOINT_PASSIVE, until: Deadline(after: 1_000_000))
        } catch { Log.write(.warning, "a checkpoint failed: \(error.message)") }
    }

    /// Moves the log into the database, under the lock that writers hold.
    /// False when readers keep a part of the log.
    func checkpoint(_ mode: Int32, until deadline: Deadline) throws(MemexError) -> Bool {
        if let poison = memory.pointee.poison { throw poison }
        // Its log is that of another file.
        try watch?.check()
        try lock?.lock(until: deadline)
        defer { lock?.unlock() }
        let code = memex_sqlite_checkpoint(connection.database, mode, nil, nil)
        memory.pointee.frames = 0
        memory.pointee.checkpoints += 1
        if code & 0xFF == SQLITE_BUSY { return false }
        guard code == SQLITE_OK else { throw connection.error(code, "moving the log into the database") }
        return true
    }

    /// Checkpoints and closes.
    func close() {
        if memory.pointee.poison == nil, lock != nil {
            _ = try? checkpoint(SQLITE_CHECKPOINT_TRUNCATE, until: Deadline(after: 5_000_000))
        }
        statements.finalize()
        connection.close()
    }
}
