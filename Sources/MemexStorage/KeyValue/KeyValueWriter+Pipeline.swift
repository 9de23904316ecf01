internal import MemexModel

/// Groups of appends that are sent together, on stores that can do it.
extension KeyValueWriter {
    /// A list of writes that outlives the making of the next.
    private final class Planned {
        let request: CommitRequest.Pointer
        let key: Int64
        var list = WriteList()
        var result = WriteResult()

        init(_ request: CommitRequest.Pointer, _ key: Int64) {
            self.request = request
            self.key = key
        }
    }

    /// Nobody's wait is cut short by more than this.
    private static let deadlineSpread: Int64 = 1_000_000

    /// Commits a group: fills results or failure of every request.
    func run(_ first: CommitRequest.Pointer, _ pipeline: any PipelinedStore) {
        guard first.pointee.next != nil else { return runAlone(first) }
        var requests: [CommitRequest.Pointer] = []
        var at: CommitRequest.Pointer? = first
        while let request = at {
            requests.append(request)
            at = request.pointee.next
        }
        // Who has least time goes first.
        requests.sort { $0.pointee.deadline.at < $1.pointee.deadline.at }
        let deadline = requests[0].pointee.deadline
        var rest: [CommitRequest.Pointer] = []
        var planned: [Planned] = []
        var threads: Set<Int64> = []
        for request in requests {
            let spread = request.pointee.deadline.at.subtractingReportingOverflow(deadline.at)
            guard !spread.overflow, spread.partialValue <= Self.deadlineSpread,
                let plan = plan(request, until: deadline, &threads)
            else {
                if request.pointee.failure == nil { rest.append(request) }
                continue
            }
            planned.append(plan)
        }
        rest = send(planned, pipeline, until: deadline) + rest
        for request in rest { runAlone(request) }
    }

    private func runAlone(_ request: CommitRequest.Pointer) {
        do throws(MemexError) {
            if let append = request.pointee.append {
                request.pointee.result = try self.append(append, until: request.pointee.deadline)
            } else {
                request.pointee.results = try commit(
                    request.pointee.operations, until: request.pointee.deadline)
            }
        } catch { request.pointee.failure = error }
    }

    /// Nil when it is to go alone, or has failed.
    private func plan(
        _ request: CommitRequest.Pointer, until deadline: Deadline, _ threads: inout Set<Int64>
    ) -> Planned? {
        guard let operation = request.pointee.append, case .key(let key) = operation.thread,
            operation.drafts.count > 0, hasOneIDAtMost(operation)
        else { return nil }
        var known = core.pointee.cache.find(key)
        if known == nil {
            // One whose place in the cache another took meanwhile has commits that are not judged yet.
            if threads.contains(key) { return nil }
            do throws(MemexError) { known = try loadIntoCache(key, until: deadline) } catch {
                request.pointee.failure = error
                return nil
            }
        }
        guard let thread = known, Self.isAllowed(operation, thread) else { return nil }
        let plan = Planned(request, key)
        let last = Self.plan(
            operation, thread, environment.now(), isExclusive: false,
            isChained: !threads.insert(key).inserted, &plan.list, &plan.result)
        // As if it were done; whoever fails drops the thread.
        thread.pointee.lastSeq = plan.result.lastSeq
        if Self.mustMove(thread, to: last) { thread.pointee.noteMove(to: last) }
        return plan
    }

    /// Those whose conditions did not hold.
    private func send(
        _ planned: [Planned], _ pipeline: any PipelinedStore, until deadline: Deadline
    ) -> [CommitRequest.Pointer] {
        var commits: [UnsafeBufferPointer<KeyValueWrite>] = []
        var sent: [Planned] = []
        for plan in planned {
            do throws(MemexError) {
                commits.append(try plan.list.finished())
                sent.append(plan)
            } catch {
                core.pointee.cache.drop(plan.key)
                plan.request.pointee.failure = error
            }
        }
        if commits.isEmpty { return [] }
        var lost: [CommitRequest.Pointer] = []
        let verdicts = pipeline.commit(all: commits, until: deadline)
        for (plan, verdict) in zip(sent, verdicts) {
            switch verdict {
            case .success(true):
                plan.request.pointee.result = plan.result
                core.pointee.commits &+= 1
            case .success(false):
                core.pointee.cache.drop(plan.key)
                core.pointee.retries &+= 1
                lost.append(plan.request)
            case .failure(let error):
                core.pointee.cache.drop(plan.key)
                plan.request.pointee.failure = error
            }
        }
        withExtendedLifetime(planned) {}
        return lost
    }
}
