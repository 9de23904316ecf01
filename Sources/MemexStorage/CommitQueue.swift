internal import CMemexShim
#if canImport(Glibc)
    internal import Glibc
#endif
package import MemexModel

/// A batch on its way through a `CommitQueue`.
package final class CommitRequest {
    package let operations: [WriteOperation]
    package var results: [WriteResult] = []
    package var failure: MemexError?
    /// The next request of the same group.
    package fileprivate(set) var next: CommitRequest?

    fileprivate enum State { case queued, running, leader, finished, abandoned }
    fileprivate var state = State.queued
    fileprivate var semaphore: UnsafeMutablePointer<sem_t>?

    fileprivate let deadline: Deadline

    package init(_ operations: [WriteOperation], until deadline: Deadline) {
        self.operations = operations
        self.deadline = deadline
    }

    /// The latest deadline of a group: nobody's wait is cut short by a neighbour's.
    package var groupDeadline: Deadline {
        var latest = deadline
        var at = next
        while let request = at {
            if request.deadline.at > latest.at { latest = request.deadline }
            at = request.next
        }
        // The first request's thread waits for the group; its signals are the ones that count.
        return Deadline(at: latest.at, pauseAt: deadline.pauseAt)
    }
}

/// Group commit without a thread of its own: of the writers that come at once, the first commits for all.
///
/// The first request becomes the leader and runs the group; those that come meanwhile queue. A leader
/// hands the lead to the head of the queue. When the last groups had k writers, a new leader gives the
/// others a few yields to queue again, so that they share a sync; a single writer never waits.
package final class CommitQueue: @unchecked Sendable {
    private struct Core {
        var mutex = pthread_mutex_t()
        var head: Unmanaged<CommitRequest>?
        var tail: Unmanaged<CommitRequest>?
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
    private let run: (CommitRequest) -> Void
    /// Runs after a group's writers were woken, still alone.
    private let settle: () -> Void
    private let yields = 20

    package init(run: @escaping (CommitRequest) -> Void, settle: @escaping () -> Void) {
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
        let request = CommitRequest(operations, until: deadline)
        pthread_mutex_lock(&core.pointee.mutex)
        if core.pointee.isClosed {
            pthread_mutex_unlock(&core.pointee.mutex)
            throw MemexError(.closed, "the store is closed")
        }
        if !core.pointee.leading {
            core.pointee.leading = true
            pthread_mutex_unlock(&core.pointee.mutex)
            lead(request)
        } else {
            try wait(request, until: deadline)
        }
        if let failure = request.failure { throw failure }
        return request.results
    }

    /// Runs work alone, as a group of its own. Waiting for a turn ends at the deadline.
    package func alone(until deadline: Deadline, _ work: () throws(MemexError) -> Void) throws(MemexError) {
        let request = CommitRequest([], until: deadline)
        pthread_mutex_lock(&core.pointee.mutex)
        if core.pointee.leading {
            try waitForLead(request, until: deadline)
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

    private func lead(_ own: CommitRequest) {
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
        // The group: our own request, then the queue up to the first that wants to be alone.
        pthread_mutex_lock(&core.pointee.mutex)
        own.state = .running
        own.next = nil
        var last = own
        var count = 1
        while let head = core.pointee.head, !head.takeUnretainedValue().operations.isEmpty {
            let request = unlink(head)
            request.state = .running
            last.next = request
            last = request
            count += 1
        }
        core.pointee.groups += 1
        core.pointee.requests += Int64(count)
        pthread_mutex_unlock(&core.pointee.mutex)

        run(own)

        var finished = own.next
        own.next = nil
        while let request = finished {
            finished = request.next
            request.next = nil
            pthread_mutex_lock(&core.pointee.mutex)
            request.state = .finished
            let semaphore = request.semaphore
            pthread_mutex_unlock(&core.pointee.mutex)
            if let semaphore { sem_post(semaphore) }
        }
        settle()
        handOver(target: count)
    }

    private func handOver(target count: Int?) {
        pthread_mutex_lock(&core.pointee.mutex)
        if let count { core.pointee.target = count + core.pointee.queued }
        var woken: UnsafeMutablePointer<sem_t>?
        if let head = core.pointee.head {
            let request = unlink(head)
            request.state = .leader
            woken = request.semaphore
        } else {
            core.pointee.leading = false
        }
        pthread_mutex_unlock(&core.pointee.mutex)
        if let woken { sem_post(woken) }
    }

    // MARK: Waiting. Each is entered with the mutex held and leaves it released.

    private func wait(_ request: CommitRequest, until deadline: Deadline) throws(MemexError) {
        if try waitForTurn(request, until: deadline) { lead(request) }
    }

    private func waitForLead(_ request: CommitRequest, until deadline: Deadline) throws(MemexError) {
        _ = try waitForTurn(request, until: deadline)
    }

    /// True when the caller now leads, false when its request was run.
    private func waitForTurn(_ request: CommitRequest, until deadline: Deadline) throws(MemexError) -> Bool {
        let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
        sem_init(semaphore, 0, 0)
        defer {
            sem_destroy(semaphore)
            semaphore.deallocate()
        }
        request.semaphore = semaphore
        let entry = Unmanaged.passRetained(request)
        if let tail = core.pointee.tail {
            tail.takeUnretainedValue().next = request
        } else {
            core.pointee.head = entry
        }
        core.pointee.tail = entry
        core.pointee.queued += 1
        pthread_mutex_unlock(&core.pointee.mutex)

        let stop = min(deadline.at, deadline.pauseAt)
        let code = memex_shim_semaphore_wait(semaphore, stop, deadline.isInterruptible ? 1 : 0)
        if code != 0 {
            pthread_mutex_lock(&core.pointee.mutex)
            let isQueued = request.state == .queued
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
            _ = memex_shim_semaphore_wait(semaphore, .max, 0)
        }
        pthread_mutex_lock(&core.pointee.mutex)
        request.semaphore = nil
        let state = request.state
        pthread_mutex_unlock(&core.pointee.mutex)
        if state == .abandoned, let failure = request.failure { throw failure }
        return state == .leader
    }

    private func unlink(_ head: Unmanaged<CommitRequest>) -> CommitRequest {
        let request = head.takeRetainedValue()
        core.pointee.head = request.next.map { Unmanaged.passUnretained($0) }
        if request.next == nil { core.pointee.tail = nil }
        request.next = nil
        core.pointee.queued -= 1
        return request
    }

    private func removeFromQueue(_ request: CommitRequest) {
        var previous: CommitRequest?
        var at = core.pointee.head?.takeUnretainedValue()
        while let current = at {
            if current === request {
                let entry = Unmanaged.passUnretained(current)
                if let previous {
                    previous.next = current.next
                    if current.next == nil { core.pointee.tail = Unmanaged.passUnretained(previous) }
                    core.pointee.queued -= 1
                    current.next = nil
                    entry.release()
                } else {
                    _ = unlink(entry)
                }
                return
            }
            previous = current
            at = current.next
        }
    }

    private func abandonAll(_ error: MemexError) {
        pthread_mutex_lock(&core.pointee.mutex)
        var woken: [UnsafeMutablePointer<sem_t>] = []
        while let head = core.pointee.head {
            let request = unlink(head)
            request.state = .abandoned
            request.failure = error
            // The waiter frees its semaphore once it has the mutex, so posting happens under it.
            if let semaphore = request.semaphore { woken.append(semaphore) }
        }
        for semaphore in woken { sem_post(semaphore) }
        pthread_mutex_unlock(&core.pointee.mutex)
    }
}
