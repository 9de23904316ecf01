package import MemexModel

/// What a window reads from: a stored thread, or an array of bodies.
///
/// Messages that are deleted are never visited. Visits must not call the source again. What a source
/// answers does not change while a window is built, as far as its `lastSeq` says.
package protocol MessageSource {
    /// The seq of the newest message; 0 when there is none.
    var lastSeq: Int64 { get }
    /// Messages that are not deleted.
    var messageCount: Int64 { get }

    /// Visits messages below a seq, newest first, until the visit says false or `limit` of them were seen.
    func newest(
        before seq: Int64, limit: Int64, _ visit: (borrowing Candidate) throws(MemexError) -> Bool
    ) throws(MemexError)

    /// Visits messages from a seq on, oldest first, until the visit says false.
    func oldest(
        from seq: Int64, _ visit: (borrowing Candidate) throws(MemexError) -> Bool
    ) throws(MemexError)

    /// Seqs, ascending, of messages that are pinned or have the role system or developer: from an index, so
    /// that nothing is scanned.
    func marked(from: Int64, to: Int64) throws(MemexError) -> [Int64]

    /// Visits the message at a seq, if there is one.
    func message(
        seq: Int64, _ visit: (borrowing Candidate) throws(MemexError) -> Void
    ) throws(MemexError)
}

extension MessageSource {
    /// Whether no message stands between two places. Deleted ones, which are none, may.
    func areAdjacent(_ seq: Int64, _ next: Int64) throws(MemexError) -> Bool {
        if seq >= next &- 1 { return true }
        if messageCount == lastSeq { return false }
        var isAdjacent = true
        try newest(before: next, limit: 1) { (message) throws(MemexError) in
            isAdjacent = message.seq <= seq
            return false
        }
        return isAdjacent
    }
}
