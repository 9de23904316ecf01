internal import CMemexShim
#if canImport(Glibc)
    internal import Glibc
#endif
package import MemexModel

/// Group commit without a thread of its own: of the writers that come at once, the first commits for all.
///
/// The first request becomes the leader and runs the group; those that come meanwhile queue. A leader
/// hands the lead to the head of the queue. When the last groups had k writers, a new leader gives the
/// others a few yields to queue again, so that they share a sync; a single writer never waits.
package final class CommitQueue: @unchecked Sendable {
    private struct Core {
        var mutex = pthread_mutex_t()
        var head: CommitRequest.Pointer?
        var tail: CommitRequest.Pointer?
        var queued = 0
        var leading = false
        var isClosed = false
        /// Writers seen lately: how many a leader waits for.
        var target = 1
        /// Raised by `interrupt`.
        var groups: Int64 = 0
        var requests: Int64 = 0
    }

    private let core: UnsafeMutablePointer<Core>
    /// Runs a group: fills `results` or `failure` of every request of the chain.
    private let run: (CommitRequest.Pointer) -> Void
    /// Runs after a group's writers were woken, still alone.
    private let settle: () -> Void
    private let yields = 20

    package init(run: @escaping (CommitRequest.Pointer) -> Void, settle: @escaping () -> Void) {
        core = .allocate(capacity: 1)
        core.initialize(to: Core())
        pthread_mutex_init(&core.pointee.mutex, nil)
        self.run = run
        self.settle = settle
    }

    deinit {
        pthread_mutex_destroy(&core.pointee.mutex)
        core.deinitialize(count: 1)
        core.deallocate()
    }

    /// Groups run and requests in them.
    package var counts: (groups: Int64, requests: Int64) {
        pthread_mutex_lock(&core.pointee.mutex)
        defer { pthread_mutex_unlock(&core.pointee.mutex) }
        return (core.pointee.groups, core.pointee.requests)
    }

    /// Commits a batch, alone or with others. Waiting for a turn ends at the deadline.
    package func submit(_ operations: [WriteOperation], until deadline: Deadline) throws(MemexError)
        -> [WriteResult]
    {
        var request = CommitRequest(operations: operations, until: deadline)
        try withUnsafeMutablePointer(to: &request) { (request) throws(MemexError) in try submit(request) }
        return request.results
    }

    /// Commits a batch of one append.
    package func submit(_ append: AppendOperation, until deadline: Deadline) throws(MemexError) -> WriteResult
    {
        var request = CommitRequest(append: append, until: deadline)
        try withUnsafeMutablePointer(to: &request) { (request) throws(MemexError) in try submit(request) }
        return request.result
    }

    private func submit(_ request: CommitRequest.Pointer) throws(MemexError) {
        pthread_mutex_lock(&core.pointee.mutex)
        if core.pointee.isClosed {
            pthread_mutex_unlock(&core.pointee.mutex)
            throw MemexError(.closed, "the store is closed")
        }
        if !core.pointee.leading {
            core.pointee.leading = true
            if core.pointee.target > 1 {
                pthread_mutex_unlock(&core.pointee.mutex)
                lead(request)
            } else {
                runGroup(of: request)
            }
        } else if try waitForTurn(request) {
            lead(request)
        }
        if let failure = request.pointee.failure { throw failure }
    }

    /// Runs work alone, as a group of its own. Waiting for a turn ends at the deadline.
    package func alone(until deadline: Deadline, _ work: () throws(MemexError) -> Void) throws(MemexError) {
        pthread_mutex_lock(&core.pointee.mutex)
        if core.pointee.leading {
            var request = CommitRequest(until: deadline)
            _ = try withUnsafeMutablePointer(to: &request) { (request) throws(MemexError) in
                try waitForTurn(request)
            }
        } else {
            core.pointee.leading = true
            pthread_mutex_unlock(&core.pointee.mutex)
        }
        var failure: MemexError?
        do throws(MemexError) { try work() } catch { failure = error }
        handOver(target: nil)
        if let failure { throw failure }
    }

    /// Wakes all that wait for a turn with CANCELLED.
    package func interrupt() {
        abandonAll(
            MemexError(.cancelled, "interrupted while waiting for a turn to write; nothing was stored"))
    }

    /// Refuses further requests and wakes those that wait with CLOSED.
    package func close() {
        pthread_mutex_lock(&core.pointee.mutex)
        core.pointee.isClosed = true
        pthread_mutex_unlock(&core.pointee.mutex)
        abandonAll(MemexError(.closed, "the store was closed while this call waited; nothing was stored"))
    }

    // MARK: Leading

    private func lead(_ own: CommitRequest.Pointer) {
        let target = core.pointee.target
        if target > 1 {
            var spins = 0
            while spins < yields {
                pthread_mutex_lock(&core.pointee.mutex)
                let enough = core.pointee.queued + 1 >= target
                pthread_mutex_unlock(&core.pointee.mutex)
                if enough { break }
                sched_yield()
                spins += 1
            }
        }
        pthread_mutex_lock(&core.pointee.mutex)
        runGroup(of: own)
    }

    /// Runs the leader's own request, then the queue up to the first that wants to be alone. Entered with the mutex
    /// held, left with it released.
    @inline(__always)
    private func runGroup(of own: CommitRequest.Pointer) {
        own.pointee.state = .running
        own.pointee.next = nil
        var last = own
        var count = 1
        while let request = core.pointee.head, !request.pointee.isExclusive {
            unlinkHead(request)
            request.pointee.state = .running
            last.pointee.next = request
            last = request
            count += 1
        }
        core.pointee.groups += 1
        core.pointee.requests += Int64(count)
        pthread_mutex_unlock(&core.pointee.mutex)

        run(own)

        var finished = own.pointee.next
        while let request = finished {
            finished = request.pointee.next
            pthread_mutex_lock(&core.pointee.mutex)
            request.pointee.state = .finished
            pthread_mutex_unlock(&core.pointee.mutex)
            sem_post(&request.pointee.semaphore)
        }
        settle()
        handOver(target: count)
    }

    private func handOver(target count: Int?) {
        pthread_mutex_lock(&core.pointee.mutex)
        if let count { core.pointee.target = count + core.pointee.queued }
        let heir = core.pointee.head
        if let heir {
            unlinkHead(heir)
            heir.pointee.state = .leader
        } else {
            core.pointee.leading = false
        }
        pthread_mutex_unlock(&core.pointee.mutex)
        // Who sees another state than queued waits for this post: the frame is still there.
        if let heir { sem_post(&heir.pointee.semaphore) }
    }

    // MARK: Waiting

    /// True when the caller now leads, false when its request was run. Entered with the mutex held, left
    /// with it released.
    private func waitForTurn(_ request: CommitRequest.Pointer) throws(MemexError) -> Bool {
        sem_init(&request.pointee.semaphore, 0, 0)
        defer { sem_destroy(&request.pointee.semaphore) }
        if let tail = core.pointee.tail { tail.pointee.next = request } else { core.pointee.head = request }
        core.pointee.tail = request
        core.pointee.queued += 1
        pthread_mutex_unlock(&core.pointee.mutex)

        let deadline = request.pointee.deadline
        let stop = min(deadline.at, deadline.pauseAt)
        let code = memex_shim_semaphore_wait(
            &request.pointee.semaphore, stop, deadline.isInterruptible ? 1 : 0)
        if code != 0 {
            pthread_mutex_lock(&core.pointee.mutex)
            let isQueued = request.pointee.state == .queued
            if isQueued { removeFromQueue(request) }
            pthread_mutex_unlock(&core.pointee.mutex)
            if isQueued {
                guard deadline.isPast else {
                    throw MemexError.paused(bySignal: code == EINTR, remaining: deadline.remaining)
                }
                throw MemexError(
                    .timeout, "waited for a turn to write until the time-out; nothing was stored")
            }
            // It runs already, or leads: what was begun is finished.
            _ = memex_shim_semaphore_wait(&request.pointee.semaphore, .max, 0)
        }
        pthread_mutex_lock(&core.pointee.mutex)
        let state = request.pointee.state
        pthread_mutex_unlock(&core.pointee.mutex)
        if state == .abandoned, let failure = request.pointee.failure { throw failure }
        return state == .leader
    }

    private func unlinkHead(_ head: CommitRequest.Pointer) {
        core.pointee.head = head.pointee.next
        if head.pointee.next == nil { core.pointee.tail = nil }
        head.pointee.next = nil
        core.pointee.queued -= 1
    }

    private func removeFromQueue(_ request: CommitRequest.Pointer) {
        var previous: CommitRequest.Pointer?
        var at = core.pointee.head
        while let current = at, current != request {
            previous = current
            at = current.pointee.next
        }
        guard at != nil else { return }
        guard let previous else { return unlinkHead(request) }
        previous.pointee.next = request.pointee.next
        if request.pointee.next == nil { core.pointee.tail = previous }
        request.pointee.next = nil
        core.pointee.queued -= 1
    }

    private func abandonAll(_ error: MemexError) {
        pthread_mutex_lock(&core.pointee.mutex)
        while let request = core.pointee.head {
            unlinkHead(request)
            request.pointee.state = .abandoned
            request.pointee.failure = error
            // Its frame ends only after it has had the mutex.
            sem_post(&request.pointee.semaphore)
        }
        pthread_mutex_unlock(&core.pointee.mutex)
    }
}
