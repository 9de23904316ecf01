internal import MemexModel

/// A thread that a transaction has touched.
final class TransactionThread {
    var head: ThreadRow.Head
    /// The head as stored, which must still be so at the commit; nil for a thread of this batch.
    let stored: [UInt8]?
    /// The seq that must still be free at the commit; 0 for a thread of this batch.
    let firstFreeSeq: Int64
    /// Where it stands in the index of activity, or nil.
    let placedAt: Int64?

    var lastSeq: Int64
    /// Of the last own row, 0 when there is none.
    var lastRowSeq: Int64
    var lastRowAt: Int64

    var isChanged = false
    var isDocumentChanged = false
    var isRemoved = false

    /// Rows up to a fork's base are overrides of shared messages.
    var lastMessageAt: Int64 { lastRowSeq > head.record.baseSeq ? lastRowAt : 0 }
    var key: Int64 { head.record.key }
    var isNew: Bool { stored == nil }
    var isListed: Bool { !isRemoved && !head.record.isHidden }

    init(new record: ThreadRecord) {
        head = ThreadRow.Head()
        head.record = record
        head.hasDocument = record.title != nil || record.metadata != nil
        stored = nil
        firstFreeSeq = 0
        placedAt = nil
        lastSeq = record.floor
        lastRowSeq = 0
        lastRowAt = 0
        isChanged = true
        isDocumentChanged = head.hasDocument
    }

    init(_ key: Int64, stored bytes: ByteView, last: (seq: Int64, createdAt: Int64)) throws(MemexError) {
        head = try ThreadRow.read(key, bytes)
        stored = Array(bytes)
        lastRowSeq = last.seq
        lastRowAt = last.createdAt
        lastSeq = last.seq > head.record.floor ? last.seq : head.record.floor
        firstFreeSeq = lastSeq &+ 1
        placedAt = head.record.isHidden ? nil : head.record.activityAt
    }

    /// Keeps the coarse place within its bounds of the real activity.
    func placeByActivity() {
        let activity = lastMessageAt != 0 ? lastMessageAt : head.record.createdAt
        if ActivityOrder.mustMove(activityAt: head.record.activityAt, to: activity) {
            head.record.activityAt = activity
            isChanged = true
        }
    }

    var result: WriteResult {
        var result = WriteResult()
        result.key = key
        result.rev = lastSeq &+ head.record.changes
        return result
    }
}
