package import MemexModel
package import MemexStorage

/// Changes that are collected, then committed together. Its bytes are its own.
package final class Transaction: @unchecked Sendable {
    package enum Kind: Sendable {
        case createThread(id: String)
        case append
        case change
    }

    private struct State {
        var operations: [WriteOperation] = []
        var kinds: [(Kind, operation: Int)] = []
        var owned: [Any] = []
        /// Changes of a thread so far, other than appends.
        var changes: [Int64: Int64] = [:]
        /// Messages and documents (seq 0) that were changed: each once.
        var claimed: Set<[Int64]> = []
        var drafts: [UnsafeMutableBufferPointer<MessageDraft>] = []
        var isEnded = false
    }

    private let lock = Lock()
    private var state = State()
    private static let operationsMaximum = 100_000

    package init() {}

    deinit { release() }

    private static let ended = MemexError(.closed, "the transaction has ended; begin another")

    /// Adds operations of one call; returns the index of the first.
    package func add(
        _ operations: [WriteOperation], kind: Kind, keeping owners: [Any] = []
    ) throws(MemexError) -> Int {
        let index: Int? = lock.withLock {
            guard !state.isEnded, state.operations.count < Self.operationsMaximum else { return nil }
            let index = state.operations.count
            state.operations += operations
            state.kinds.append((kind, index))
            state.owned += owners
            return index
        }
        guard let index else {
            if isEnded { throw Self.ended }
            throw MemexError(.limit, "a transaction has at most \(Self.operationsMaximum) changes; split it")
        }
        return index
    }

    /// How often the thread was changed before in this transaction; counts one more.
    func noteChange(_ key: Int64) -> Int64 {
        lock.withLock {
            let before = state.changes[key] ?? 0
            state.changes[key] = before + 1
            return before
        }
    }

    /// How often the thread was changed so far.
    func changes(of key: Int64) -> Int64 { lock.withLock { state.changes[key] ?? 0 } }

    func hasClaimed(_ key: Int64, _ seq: Int64) -> Bool {
        lock.withLock { state.claimed.contains([key, seq]) }
    }

    /// A message, or with seq 0 a thread's document, is changed once in a transaction: a second change would
    /// not see the first.
    func claimMessage(_ key: Int64, _ seq: Int64) throws(MemexError) {
        let isFirst = lock.withLock { state.claimed.insert([key, seq]).inserted }
        guard isFirst else {
            throw MemexError(
                .unsupported, "a transaction changes a message or a thread's document once; commit in between"
            )
        }
    }

    /// At most one thread of a family of forks is deleted in a transaction.
    func claimFamily(_ rootKey: Int64) throws(MemexError) {
        let isFirst = lock.withLock { state.claimed.insert([rootKey, -1]).inserted }
        guard isFirst else {
            throw MemexError(
                .unsupported, "a transaction deletes one thread of a family of forks; commit in between")
        }
    }

    private static func keep(_ bytes: ByteView, _ owned: inout [OwnedBytes]) throws(MemexError) -> ByteView {
        if bytes.count == 0 { return bytes }
        let block = try OwnedBytes(copying: bytes)
        owned.append(block)
        return block.view
    }

    /// A draft with bytes of its own, which `owned` keeps.
    static func keep(_ draft: MessageDraft, _ owned: inout [OwnedBytes]) throws(MemexError) -> MessageDraft {
        var copy = draft
        copy.body = try keep(draft.body, &owned)
        copy.role = try keep(draft.role, &owned)
        copy.id = try keep(draft.id, &owned)
        copy.extra = try keep(draft.extra, &owned)
        return copy
    }

    /// Adds an append; copies all that it borrows.
    package func add(append operation: AppendOperation) throws(MemexError) {
        var copy = operation
        var owned: [OwnedBytes] = []
        copy.idempotencyKey = try Self.keep(operation.idempotencyKey, &owned)
        let drafts = UnsafeMutableBufferPointer<MessageDraft>.allocate(capacity: operation.drafts.count)
        for index in 0..<operation.drafts.count {
            do throws(MemexError) {
                drafts.initializeElement(at: index, to: try Self.keep(operation.drafts[index], &owned))
            } catch {
                drafts.deallocate()
                throw error
            }
        }
        copy.drafts = UnsafeBufferPointer(drafts)
        do throws(MemexError) {
            _ = try add([.append(copy)], kind: .append)
        } catch {
            drafts.deallocate()
            throw error
        }
        lock.withLock {
            state.drafts.append(drafts)
            state.owned += owned as [Any]
        }
    }

    package var isEnded: Bool { lock.withLock { state.isEnded } }

    /// Ends the transaction and hands out what it collected.
    private func end() throws(MemexError) -> ([WriteOperation], [(Kind, operation: Int)]) {
        let taken: ([WriteOperation], [(Kind, operation: Int)])? = lock.withLock {
            if state.isEnded { return nil }
            state.isEnded = true
            let result = (state.operations, state.kinds)
            state.operations = []
            state.kinds = []
            return result
        }
        guard let taken else { throw Self.ended }
        return taken
    }

    private func release() {
        lock.withLock {
            for drafts in state.drafts { drafts.deallocate() }
            state.drafts = []
            state.owned = []
        }
    }

    /// Applies all or none; writes `{"results":[…]}`.
    package func commit(in session: Session, to out: inout ByteBuffer) throws(MemexError) {
        try session.authorize(.write)
        let (operations, kinds) = try end()
        defer { release() }
        let results: [WriteResult] = try session.store.inside { () throws(MemexError) in
            if operations.isEmpty { return [] }
            return try session.store.commit(operations, until: session.store.deadline())
        }
        out.append("{\"results\":[")
        for (index, entry) in kinds.enumerated() {
            if index > 0 { out.append(byte: 0x2C) }
            let result = results[entry.operation]
            switch entry.0 {
            case .createThread(let id):
                out.append("{\"id\":")
                out.append(text: JSONText.quoted(id))
                out.append("}")
            case .append:
                out.append("{\"first_seq\":")
                out.append(number: result.firstSeq)
                out.append(",\"last_seq\":")
                out.append(number: result.lastSeq)
                out.append(",\"created_at_us\":")
                out.append(number: result.createdAt)
                out.append(",\"rev\":")
                out.append(number: result.rev)
                out.append(",\"duplicate\":")
                out.append(text: result.isDuplicate ? "true}" : "false}")
            case .change: out.append("{}")
            }
        }
        out.append("]}")
    }

    package func rollback() {
        _ = try? end()
        release()
    }
}
