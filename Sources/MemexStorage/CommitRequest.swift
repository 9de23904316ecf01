#if canImport(Glibc)
    internal import Glibc
#endif
package import MemexModel

/// A batch on its way through a `CommitQueue`. It lives in the frame of the call that submits it, which
/// returns when nobody else holds its address any more.
package struct CommitRequest {
    package typealias Pointer = UnsafeMutablePointer<CommitRequest>

    enum State { case queued, running, leader, finished, abandoned }

    /// The whole batch when it is one append: nothing is allocated for that.
    package let append: AppendOperation?
    /// The batch when it is not; empty for work that is done alone.
    package let operations: [WriteOperation]
    /// Of the append.
    package var result = WriteResult()
    /// Of the operations.
    package var results: [WriteResult] = []
    package var failure: MemexError?
    /// The next request of the same group.
    package internal(set) var next: Pointer?

    /// State, neighbour and semaphore are read and written under the queue's mutex.
    var state = State.queued
    var semaphore = sem_t()
    package let deadline: Deadline

    init(append: AppendOperation? = nil, operations: [WriteOperation] = [], until deadline: Deadline) {
        self.append = append
        self.operations = operations
        self.deadline = deadline
    }

    var isExclusive: Bool { append == nil && operations.isEmpty }

    /// The latest deadline of a group: nobody's wait is cut short by a neighbour's.
    package static func deadline(ofGroup first: Pointer) -> Deadline {
        var latest = first.pointee.deadline
        var at = first.pointee.next
        while let request = at {
            if request.pointee.deadline.at > latest.at { latest = request.pointee.deadline }
            at = request.pointee.next
        }
        // The first request's thread waits for the group; its signals are the ones that count.
        return Deadline(at: latest.at, pauseAt: first.pointee.deadline.pauseAt)
    }
}
