/// A thread as an engine keeps it: the document, and what its engine derives from its rows.
package struct ThreadRecord: Sendable {
    /// The engine's number of this thread: positive, never used again after the thread is gone.
    package var key: Int64 = 0
    package var tenant = ""
    package var id = ""
    package var title: String?
    /// The metadata object as given, or nil.
    package var metadata: [UInt8]?
    /// Changes of the document, for `if_version`; starts at 1.
    package var version: Int64 = 1
    package var createdAt: Int64 = 0
    /// When the document last changed.
    package var updatedAt: Int64 = 0
    /// Changes other than appends: `rev` is `lastSeq + changes`.
    package var changes: Int64 = 0
    /// Messages that are deleted, shared ones included.
    package var deletedCount: Int64 = 0
    /// The seq that the thread had reached without rows of its own: a fork's `baseSeq`, or what was purged.
    package var floor: Int64 = 0
    /// The thread this one was forked from (0: none), at which seq and which rev of it.
    package var baseKey: Int64 = 0
    package var baseSeq: Int64 = 0
    package var baseRev: Int64 = 0
    /// The first thread of the family of forks (0: itself).
    package var rootKey: Int64 = 0
    /// Live and hidden threads forked from this one.
    package var forkCount: Int64 = 0
    /// Deleted, and kept for the forks that share its messages.
    package var isHidden = false
    /// Coarse place in the order of activity, see `ActivityOrder`.
    package var activityAt: Int64 = 0

    // Derived from the last row.

    package var lastSeq: Int64 = 0
    /// When the last message was stored, in a fork above its `baseSeq`; 0 when there is none.
    package var lastMessageAt: Int64 = 0

    package init() {}

    package var rev: Int64 { lastSeq &+ changes }
    package var messageCount: Int64 { lastSeq &- deletedCount }
    /// The moment by which the thread is listed.
    package var activity: Int64 { lastMessageAt != 0 ? lastMessageAt : createdAt }
}
