internal import MemexModel
internal import MemexStorage

/// Changes one message of a thread so that forks that share it keep what they see.
///
/// The new record goes into the thread's own rows (an override, when the message came from the thread it was
/// forked from). Forks that share the row get a copy of the old one first. All of it is one batch, under
/// the condition that nothing but appends happened meanwhile; otherwise it is tried again.
struct MessageChange {
    /// A new record, and what keeps its bytes alive.
    struct New {
        let draft: MessageDraft
        let owner: Any
        init(_ draft: MessageDraft, _ owner: Any) {
            self.draft = draft
            self.owner = owner
        }
    }

    private let thread: ConversationThread
    private let seq: Int64

    init(_ thread: ConversationThread, _ seq: Int64) {
        self.thread = thread
        self.seq = seq
    }

    func apply(
        ifRev: Int64?, deletes: Bool = false, _ make: (StoredMessage) throws(MemexError) -> New
    ) throws(MemexError) {
        let transaction = thread.session.transaction
        try transaction?.claimMessage(try thread.storedKey(), seq)
        var retries = Retries(thread.store)
        while true {
            let record = try thread.record()
            let chain = try thread.chain()
            guard let (old, ids) = try chain.message(thread.store.engine, seq: seq), !old.isDeleted else {
                throw Message.missing
            }
            if let ifRev, ifRev != old.rev {
                throw MemexError(
                    .conflict, "if_rev is \(ifRev), the message has rev \(old.rev); read it again",
                    detailMembers: "\"path\":\"/if_rev\",\"rev\":\(old.rev)")
            }
            let new = try make(old)
            var draft = new.draft
            let copies = OldCopy(old, ids)
            // An override keeps the id under which its thread knows the message.
            let isShared = seq <= record.floor && record.baseKey != 0
            if isShared, draft.id.count == 0 { copies.giveID(&draft) }
            var operations: [WriteOperation] = []
            var update = ThreadUpdate(thread: .key(record.key))
            update.expectChanges = record.changes + (transaction?.noteChange(record.key) ?? 0)
            update.changesDelta = 1
            update.deletedDelta = deletes ? 1 : 0
            update.updatedAt = thread.store.environment.now()
            operations.append(.updateThread(update))
            var owned: [OwnedBytes] = []
            // The caller's bytes do not live until the commit.
            if transaction != nil { draft = try Transaction.keep(draft, &owned) }
            var put = MessagePut(thread: .key(record.key), seq: seq, draft: draft)
            put.stampsRev = true
            operations.append(.putMessage(put))
            if record.forkCount > 0 {
                try copyForForks(of: record.key, copies, transaction, &operations)
            }
            if let transaction {
                _ = try transaction.add(operations, kind: .change, keeping: [owned, copies, old])
                return
            }
            do throws(MemexError) {
                try withExtendedLifetime((new, copies, old)) { () throws(MemexError) in
                    _ = try thread.store.commit(operations, until: thread.store.repeatableDeadline())
                }
                return
            } catch {
                try retries.next(after: error)
            }
        }
    }

    private func copyForForks(
        of key: Int64, _ copies: OldCopy, _ transaction: Transaction?, _ operations: inout [WriteOperation]
    ) throws(MemexError) {
        let engine = thread.store.engine
        for fork in try engine.forks(of: key) where fork.baseSeq >= seq {
            // A change that the transaction collected before gives the fork a row of its own.
            var hasOwn = transaction?.hasClaimed(fork.key, seq) ?? false
            try engine.messages(fork.key, MessageRange(from: seq, to: seq)) { (_) throws(MemexError) in
                hasOwn = true
                return false
            }
            if hasOwn { continue }
            var unchanged = ThreadUpdate(thread: .key(fork.key))
            unchanged.expectChanges = fork.changes + (transaction?.changes(of: fork.key) ?? 0)
            operations.append(.updateThread(unchanged))
            operations.append(.putMessage(MessagePut(thread: .key(fork.key), seq: seq, draft: copies.draft)))
        }
    }

    func delete(ifRev: Int64?) throws(MemexError) {
        try apply(ifRev: ifRev, deletes: true) { (old) throws(MemexError) in
            New(old.tombstone(), old)
        }
    }

    /// Deletes here, in the thread it came from and in every fork, and wipes it from the engine's files. Of a
    /// message that is deleted it does what is left to do.
    func erase(ifRev: Int64?) throws(MemexError) {
        guard thread.session.transaction == nil else {
            throw MemexError(.unsupported, "erase cannot be part of a transaction")
        }
        try thread.store.requireErasing()
        try eraseRows(ifRev: ifRev)
        try thread.store.engine.wipe(until: thread.store.deadline())
    }

    /// The same without the wipe, as one batch.
    func eraseRows(ifRev: Int64?) throws(MemexError) {
        try retrying { () throws(MemexError) in
            let engine = thread.store.engine
            let chain = try thread.chain()
            guard let (old, _) = try chain.message(engine, seq: seq) else { throw Message.missing }
            if let ifRev, ifRev != old.rev, !old.isDeleted {
                throw MemexError(
                    .conflict, "if_rev is \(ifRev), the message has rev \(old.rev); read it again",
                    detailMembers: "\"path\":\"/if_rev\",\"rev\":\(old.rev)")
            }
            var batch = Erasure()
            // A fork without a row of its own sees what the thread before it sees.
            var pending = [(key: chain.levels[chain.owner(of: seq)].key, sawNothing: false)]
            while let (key, sawNothing) = pending.popLast() {
                let isDeleted = try addTombstone(key, inherited: sawNothing, to: &batch)
                for fork in try engine.forks(of: key) where fork.baseSeq >= seq {
                    pending.append((fork.key, isDeleted))
                }
            }
            return batch
        }
    }

    /// Empties the thread's own row of a shared message, here alone.
    func eraseOwnRow() throws(MemexError) {
        try retrying { () throws(MemexError) in
            var batch = Erasure()
            _ = try addTombstone(try thread.storedKey(), inherited: true, to: &batch)
            return batch
        }
    }

    /// Operations, and the messages whose bytes they borrow.
    private struct Erasure {
        var operations: [WriteOperation] = []
        var owners: [StoredMessage] = []
    }

    private func retrying(_ make: () throws(MemexError) -> Erasure) throws(MemexError) {
        var retries = Retries(thread.store)
        while true {
            let batch = try make()
            if batch.operations.isEmpty { return }
            do throws(MemexError) {
                try withExtendedLifetime(batch.owners) { () throws(MemexError) in
                    _ = try thread.store.commit(batch.operations, until: thread.store.deadline())
                }
                return
            } catch {
                try retries.next(after: error)
            }
        }
    }

    /// Makes a thread's own row a tombstone; a thread without one only counts the message as deleted.
    /// Returns whether the thread saw a deleted message before.
    private func addTombstone(
        _ key: Int64, inherited: Bool, to batch: inout Erasure
    ) throws(MemexError) -> Bool {
        let engine = thread.store.engine
        guard let record = try engine.thread(key: key) else { return inherited }
        var own: StoredMessage?
        try engine.messages(key, MessageRange(from: seq, to: seq)) { (view) throws(MemexError) in
            own = try StoredMessage(view)
            return false
        }
        let wasDeleted = own?.isDeleted ?? inherited
        if wasDeleted { return true }
        var update = ThreadUpdate(thread: .key(key))
        update.expectChanges = record.changes
        update.changesDelta = 1
        update.deletedDelta = 1
        update.updatedAt = thread.store.environment.now()
        batch.operations.append(.updateThread(update))
        if let own {
            var put = MessagePut(thread: .key(key), seq: seq, draft: own.tombstone())
            put.stampsRev = true
            batch.operations.append(.putMessage(put))
            batch.owners.append(own)
        }
        return false
    }
}

/// The old record as a fork keeps it: with its id written out, since the fork would compute another.
final class OldCopy {
    private let message: StoredMessage
    private var id: String

    init(_ message: StoredMessage, _ ids: MessageID) {
        self.message = message
        id = message.idText(ids)
        id.makeContiguousUTF8()
        bytes = Array(id.utf8)
    }

    private let bytes: [UInt8]

    /// Valid as long as this object.
    private lazy var idView: OwnedBytes? = bytes.withUnsafeBufferPointer { try? OwnedBytes(copying: $0) }

    func giveID(_ draft: inout MessageDraft) {
        guard let view = idView?.view else { return }
        draft.id = view
        draft.seal()
    }

    var draft: MessageDraft {
        var draft = message.draft()
        giveID(&draft)
        return draft
    }
}

extension StoredMessage {
    /// What stays when the content goes: seq, role, times, id.
    func tombstone() -> MessageDraft {
        var draft = self.draft()
        draft.body = ByteView(start: nil, count: 0)
        draft.extra = ByteView(start: nil, count: 0)
        draft.head = RecordHead()
        draft.head.format = head.format
        draft.head.changes = head.changes
        draft.head.state = .deleted
        draft.seal()
        return draft
    }
}

extension MessageDraft {
    /// Carries over what a change of the content leaves as it was.
    mutating func keepEnvelope(
        of old: StoredMessage, pinned: Bool?, state: MessageState?, keepsExtra: Bool = true
    ) {
        id = old.id
        createdAt = old.createdAt
        if keepsExtra { extra = old.extra }
        if let state { head.state = state }
        let isPinned = pinned ?? old.head.has(RecordHead.Flag.pinned)
        head.set(RecordHead.Flag.pinned, isPinned)
        head.set(RecordHead.Flag.marked, isPinned || role.equals("system") || role.equals("developer"))
        seal()
    }
}
