internal import MemexModel

/// Group commit, on stores that can do it.
extension KeyValueWriter {
    /// Commits a group: fills results or failure of every request.
    func run(_ first: CommitRequest.Pointer, _ groups: any GroupStore) {
        let deadline = CommitRequest.deadline(ofGroup: first)
        while true {
            do throws(MemexError) {
                // What is known of threads holds as long as nobody else writes.
                if try !groups.beginGroup(until: deadline) { core.pointee.cache.dropAll() }
            } catch {
                Self.fail(first, error)
                return
            }
            do throws(MemexError) {
                if try applyAll(first, groups, until: deadline) {
                    try groups.endGroup()
                } else {
                    groups.abandonGroup()
                }
                return
            } catch {
                core.pointee.cache.dropAll()
                do throws(MemexError) {
                    if try groups.makesRoom(after: error) { continue }
                    Self.fail(first, error)
                } catch { Self.fail(first, error) }
                return
            }
        }
    }

    /// Whether there is something to end. Throws when the group as a whole has failed; if it was still open
    /// then, it is abandoned.
    private func applyAll(
        _ first: CommitRequest.Pointer, _ groups: any GroupStore, until deadline: Deadline
    ) throws(MemexError) -> Bool {
        var succeeded = 0
        var at: CommitRequest.Pointer? = first
        while let request = at {
            at = request.pointee.next
            request.pointee.failure = nil
            do throws(MemexError) {
                if let append = request.pointee.append {
                    request.pointee.result = try self.append(append, until: deadline)
                } else {
                    request.pointee.results = try commit(request.pointee.operations, until: deadline)
                }
                succeeded += 1
            } catch {
                if groups.isGroupBroken {
                    groups.abandonGroup()
                    throw error
                }
                request.pointee.failure = error
            }
        }
        return succeeded > 0
    }

    private static func fail(_ first: CommitRequest.Pointer, _ error: MemexError) {
        var at: CommitRequest.Pointer? = first
        while let request = at {
            if request.pointee.failure == nil { request.pointee.failure = error }
            at = request.pointee.next
        }
    }
}
