package import MemexModel

/// An ordered store that keeps other writers out itself, so that several commits can share one transaction
/// and its sync. One thread at a time has a group open.
package protocol GroupStore: OrderedStore {
    /// Reads and commits inside the open group, by the thread that began it. A commit here is written when
    /// the group ends, and its conditions are judged by what the group has done so far.
    var group: any OrderedStore { get }
    /// Whether a commit inside the group was left half done: nothing but `abandonGroup` is possible.
    var isGroupBroken: Bool { get }

    /// Waits for other writers and begins. False when somebody else may have written since the last group.
    func beginGroup(until deadline: Deadline) throws(MemexError) -> Bool
    /// Writes the group durably. When it throws, nothing of it was written (`outcomeUnknown` excepted), and
    /// the group is over.
    func endGroup() throws(MemexError)
    func abandonGroup()
    /// After a group failed: true when what it lacked was made, and it is to be run again.
    func makesRoom(after failure: MemexError) throws(MemexError) -> Bool

    /// Ends waits with CANCELLED.
    func interrupt()
    /// One engine serves all who opened the store: true for the last of them to leave, who closes it.
    func leave() -> Bool
    /// Bounded slices of deferred work.
    func maintain(until deadline: Deadline) throws(MemexError)
    /// What the store finds wrong with itself; one sentence a problem.
    func problems(until deadline: Deadline) throws(MemexError) -> [String]
}

extension GroupStore {
    /// A group of one commit.
    package func commitAlone(
        _ writes: UnsafeBufferPointer<KeyValueWrite>, until deadline: Deadline
    ) throws(MemexError) -> Bool {
        while true {
            _ = try beginGroup(until: deadline)
            do throws(MemexError) {
                guard try group.commit(writes) else {
                    abandonGroup()
                    return false
                }
            } catch {
                abandonGroup()
                guard try makesRoom(after: error) else { throw error }
                continue
            }
            do throws(MemexError) {
                try endGroup()
                return true
            } catch { guard try makesRoom(after: error) else { throw error } }
        }
    }
}
