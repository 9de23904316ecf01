package import MemexModel

/// The thread that an operation is about: a thread's key, or the thread created by an earlier operation
/// of the same batch.
package enum ThreadTarget: Sendable, Equatable {
    case key(Int64)
    case created(operation: Int)
}

/// Messages to append, all or none.
package struct AppendOperation {
    package var thread: ThreadTarget
    /// Borrowed until the commit returns.
    package var drafts: UnsafeBufferPointer<MessageDraft>
    /// Empty for none.
    package var idempotencyKey = ByteView(start: nil, count: 0)
    /// First 128 bits of the SHA-256 of the bytes as sent.
    package var digest: (UInt64, UInt64) = (0, 0)
    /// CONFLICT unless the first message gets this seq; 0 for no such condition.
    package var expectSeq: Int64 = 0

    package init(thread: ThreadTarget, drafts: UnsafeBufferPointer<MessageDraft>) {
        self.thread = thread
        self.drafts = drafts
    }
}

/// A change of a thread's document and counters. Conditions are checked first.
package struct ThreadUpdate {
    package var thread: ThreadTarget
    /// CONFLICT unless `version` is this.
    package var expectVersion: Int64?
    /// CONFLICT unless `changes` is this: nothing but appends happened since it was read.
    package var expectChanges: Int64?
    /// `.some(nil)` removes.
    package var title: String??
    package var metadata: [UInt8]??
    package var versionDelta: Int64 = 0
    package var changesDelta: Int64 = 0
    package var deletedDelta: Int64 = 0
    package var forkDelta: Int64 = 0
    package var hide = false
    package var updatedAt: Int64?

    package init(thread: ThreadTarget) { self.thread = thread }
}

/// A message record put at a seq: a replacement, a tombstone, or a copy for a fork. It does not touch the
/// thread's counters; a `ThreadUpdate` of the same batch does. An idempotency key that the row has stays.
package struct MessagePut {
    package var thread: ThreadTarget
    package var seq: Int64
    /// `createdAt` is taken as it is.
    package var draft: MessageDraft
    /// The record's rev becomes the thread's rev at this point of the batch; else `head.changes` is taken as
    /// it is.
    package var stampsRev = false

    package init(thread: ThreadTarget, seq: Int64, draft: MessageDraft) {
        self.thread = thread
        self.seq = seq
        self.draft = draft
    }
}

/// Something computed from messages: a summary, a segment, an embedding, a strategy's state.
package struct DerivedRecord {
    package var kind: String
    package var name: String
    /// Its lineage: the messages it was computed from (0, 0: none), and the thread's rev at that time.
    package var fromSeq: Int64 = 0
    package var toSeq: Int64 = 0
    package var rev: Int64 = 0
    package var createdAt: Int64 = 0
    package var body: [UInt8]

    package init(kind: String, name: String, body: [UInt8]) {
        self.kind = kind
        self.name = name
        self.body = body
    }

    /// Throws CORRUPT when a number is out of range.
    package func confirm() throws(MemexError) {
        guard StoredNumber.isSeq(fromSeq), StoredNumber.isSeq(toSeq), StoredNumber.isRev(rev),
            StoredNumber.isTime(createdAt)
        else { throw RecordHead.damaged }
    }
}

/// The address of a blob: the SHA-256 of its bytes.
package struct BlobHash: Hashable, Sendable {
    package var words: (UInt64, UInt64, UInt64, UInt64)

    package init(of bytes: ByteView) {
        var digest = SHA256()
        digest.update(bytes)
        words = digest.finish()
    }

    /// The 32 bytes of the digest.
    package var bytes: [UInt8] {
        withUnsafeBytes(
            of: (words.0.bigEndian, words.1.bigEndian, words.2.bigEndian, words.3.bigEndian), Array.init)
    }

    package static func == (a: BlobHash, b: BlobHash) -> Bool { a.words == b.words }
    package func hash(into hasher: inout Hasher) { hasher.combine(words.0) }
}

/// One step of a batch.
package enum WriteOperation {
    case append(AppendOperation)
    /// Creates a thread; `key` is given by the engine. EXISTS when tenant and id are taken.
    case createThread(ThreadRecord)
    case updateThread(ThreadUpdate)
    /// Removes the thread's row, its own messages, derived records and pieces.
    case removeThread(ThreadTarget)
    /// Removes the thread's own messages above a seq; the thread's floor becomes at least that seq.
    case removeMessages(ThreadTarget, above: Int64)
    case putMessage(MessagePut)
    case putDerived(ThreadTarget, DerivedRecord)
    case removeDerived(ThreadTarget, kind: String, name: String)
    /// Kept once, whoever puts it.
    case putBlob(BlobHash, ByteView)
    /// Adds a piece to the stream of an incomplete message.
    case appendPiece(ThreadTarget, seq: Int64, ByteView)
    case removePieces(ThreadTarget, seq: Int64)
}

/// What one operation did.
package struct WriteResult: Sendable {
    /// Key of the thread that was created.
    package var key: Int64 = 0
    package var firstSeq: Int64 = 0
    package var lastSeq: Int64 = 0
    package var createdAt: Int64 = 0
    package var rev: Int64 = 0
    package var isDuplicate = false

    package init() {}
}
