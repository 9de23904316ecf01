package import MemexModel
package import MemexStorage

/// A conversation as a session sees it. What never changes of it is kept here: its key, its id, and the
/// threads that it shares messages with.
package final class ConversationThread: Sendable {
    package let session: Session
    let store: Store
    package let target: ThreadTarget
    package let id: String
    /// The thread this one was forked from, at which seq; 0 for none.
    let baseKey: Int64
    let baseSeq: Int64
    let rootKey: Int64
    let messageIDs: MessageID

    init(_ session: Session, _ target: ThreadTarget, _ record: ThreadRecord) {
        self.session = session
        store = session.store
        self.target = target
        id = record.id
        baseKey = record.baseKey
        baseSeq = record.baseSeq
        rootKey = record.rootKey
        messageIDs = MessageID(threadID: record.id)
    }

    static let gone = MemexError(.notFound, "the thread does not exist any more")

    /// The key, for calls that read; a thread that its transaction is yet to create has none.
    func storedKey() throws(MemexError) -> Int64 {
        guard case .key(let key) = target else {
            throw MemexError(.notFound, "the thread exists once its transaction is committed; open it then")
        }
        return key
    }

    /// The thread's record as it is now.
    func record() throws(MemexError) -> ThreadRecord {
        let key = try storedKey()
        guard let record = try store.engine.thread(key: key), !record.isHidden else { throw Self.gone }
        try record.confirmFloor()
        return record
    }

    /// Runs a reading call.
    func reading<Result>(_ body: () throws(MemexError) -> Result) throws(MemexError) -> Result {
        try session.authorize(.read)
        return try store.inside(body)
    }

    /// Runs a writing call.
    func writing<Result>(_ body: () throws(MemexError) -> Result) throws(MemexError) -> Result {
        try session.authorize(.write)
        return try store.inside(body)
    }

    package func count() throws(MemexError) -> Int64 {
        try reading { () throws(MemexError) in try record().messageCount }
    }

    /// The chain of threads whose rows make up this one.
    func chain() throws(MemexError) -> ThreadChain {
        try ThreadChain(store.engine, key: try storedKey(), messageIDs, baseKey: baseKey, baseSeq: baseSeq)
    }
}

extension ThreadRecord {
    /// Throws CORRUPT unless the thread has a row for every seq above its base: only a hidden one has lost its end.
    func confirmFloor() throws(MemexError) {
        guard isHidden || floor == (baseKey == 0 ? 0 : baseSeq) else {
            throw StoredNumber.impossible("floor", floor, of: "thread number \(key)")
        }
    }
}
