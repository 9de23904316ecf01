package import MemexModel
internal import MemexStorage

extension Session {
    /// Deletes a thread: options {"if_version", "erase"}.
    package func deleteThread(_ id: ByteView, _ optionBytes: ByteView) throws(MemexError) {
        try authorize(.write)
        try Identifier.check(id, "the thread id")
        try store.inside { () throws(MemexError) in
            var options = try OptionReader(optionBytes, what: "options")
            let ifVersion = try options.int64("if_version", in: 1...Int64.max)
            let erase = try options.bool("erase") ?? false
            try options.finish()
            guard !erase || transaction == nil else {
                throw MemexError(.unsupported, "erase cannot be part of a transaction")
            }
            if erase { try store.requireErasing() }
            let removal = ThreadRemoval(store)
            var retries = Retries(store)
            while true {
                guard var record = try store.engine.thread(tenant: tenant, id: id.text) else {
                    // An erase that timed out may have left bytes in the files.
                    if erase { try store.engine.wipe(until: store.deadline()) }
                    throw MemexError(.notFound, "no thread has this id")
                }
                if let ifVersion, ifVersion != record.version {
                    throw MemexError(
                        .conflict,
                        "if_version is \(ifVersion), the thread has version \(record.version); read it again",
                        detailMembers: "\"path\":\"/if_version\",\"version\":\(record.version)")
                }
                if let transaction {
                    try transaction.claimMessage(record.key, 0)
                    if record.forkCount > 0 || record.baseKey != 0 {
                        // What the last fork takes with it shows only when the others are gone.
                        try transaction.claimFamily(record.rootKey != 0 ? record.rootKey : record.key)
                    }
                    let operations = try removal.operations(record, ifVersion: ifVersion, transaction)
                    _ = try transaction.add(operations, kind: .change)
                    return
                }
                do throws(MemexError) {
                    if erase, record.forkCount > 0 {
                        try removal.eraseShared(record, self)
                        guard let now = try store.engine.thread(key: record.key) else { continue }
                        record = now
                    }
                    let operations = try removal.operations(record, ifVersion: ifVersion, nil)
                    // An erase may have changed messages before.
                    let deadline = erase ? store.deadline() : store.repeatableDeadline()
                    _ = try store.commit(operations, until: deadline)
                    break
                } catch {
                    // Another version is found out at the next attempt.
                    try retries.next(after: error)
                }
            }
            if erase { try store.engine.wipe(until: store.deadline()) }
        }
    }
}

/// Removes a thread: all of it, or what no fork shares. The last fork to go takes the rest with it.
struct ThreadRemoval {
    private let store: Store

    init(_ store: Store) { self.store = store }

    func operations(
        _ record: ThreadRecord, ifVersion: Int64?, _ transaction: Transaction?
    ) throws(MemexError) -> [WriteOperation] {
        var operations: [WriteOperation] = []
        var condition = ThreadUpdate(thread: .key(record.key))
        condition.expectVersion = ifVersion
        condition.expectChanges = record.changes + (transaction?.noteChange(record.key) ?? 0)
        if record.forkCount > 0 {
            condition.hide = true
            // Its id stays as long as forks name it.
            condition.title = .some(nil)
            condition.metadata = .some(nil)
            condition.changesDelta = 1
            operations.append(.updateThread(condition))
            let shared = try store.engine.forks(of: record.key).map(\.baseSeq).max() ?? 0
            if shared < record.lastSeq { operations.append(.removeMessages(.key(record.key), above: shared)) }
            return operations
        }
        operations.append(.updateThread(condition))
        operations.append(.removeThread(.key(record.key)))
        var base = record.baseKey
        while base != 0, let parent = try store.engine.thread(key: base) {
            var leave = ThreadUpdate(thread: .key(parent.key))
            leave.expectChanges = parent.changes + (transaction?.noteChange(parent.key) ?? 0)
            leave.changesDelta = 1
            leave.forkDelta = -1
            operations.append(.updateThread(leave))
            guard parent.isHidden, parent.forkCount == 1 else { break }
            operations.append(.removeThread(.key(parent.key)))
            base = parent.baseKey
        }
        return operations
    }

    /// Turns the thread's messages into tombstones, in its forks, too. Shared messages that it changed are
    /// emptied unless a fork sees them so.
    func eraseShared(_ record: ThreadRecord, _ session: Session) throws(MemexError) {
        let thread = ConversationThread(session, .key(record.key), record)
        var seqs: [Int64] = []
        try store.engine.messages(record.key, MessageRange()) { (view) throws(MemexError) in
            // Forks may still have what was deleted here.
            seqs.append(view.seq)
            return true
        }
        for seq in seqs {
            let change = MessageChange(thread, seq)
            do throws(MemexError) {
                if record.baseKey == 0 || seq > record.baseSeq {
                    try change.eraseRows(ifRev: nil)
                } else if try !isSeen(seq, byForksOf: record.key) {
                    try change.eraseOwnRow()
                }
            } catch {
                guard error.code == .notFound else { throw error }
            }
        }
    }

    private func isSeen(_ seq: Int64, byForksOf key: Int64) throws(MemexError) -> Bool {
        for fork in try store.engine.forks(of: key) where fork.baseSeq >= seq {
            var hasOwn = false
            try store.engine.messages(fork.key, MessageRange(from: seq, to: seq)) { (_) throws(MemexError) in
                hasOwn = true
                return false
            }
            if !hasOwn { return true }
        }
        return false
    }
}
