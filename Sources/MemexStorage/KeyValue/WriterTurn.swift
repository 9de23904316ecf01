#if canImport(Glibc)
    internal import Glibc
#endif
internal import MemexModel

/// Gives writers their turn. The turn is a flag, not a lock: whoever has it may be in a callback for ever,
/// and the others still end their waits.
///
/// A free turn is anyone's, because a change of threads for every commit costs more than the commit. But
/// the first of those who wait loses it to others once at most; then it is handed over.
final class WriterTurn: @unchecked Sendable {
    private enum State {
        case waiting
        case granted
        case cancelled
    }

    /// One writer that waits, in its own frame.
    private struct Waiter {
        var condition = pthread_cond_t()
        var state = State.waiting
        var isCalled = false
        var hasLost = false
        var next: UnsafeMutablePointer<Waiter>?
    }

    private struct Core {
        var mutex = pthread_mutex_t()
        var isTaken = false
        var first: UnsafeMutablePointer<Waiter>?
        var last: UnsafeMutablePointer<Waiter>?
    }

    private let core: UnsafeMutablePointer<Core>

    init() {
        core = .allocate(capacity: 1)
        core.initialize(to: Core())
        pthread_mutex_init(&core.pointee.mutex, nil)
    }

    deinit {
        pthread_mutex_destroy(&core.pointee.mutex)
        core.deallocate()
    }

    @inline(__always)
    func take(until deadline: Deadline) throws(MemexError) {
        pthread_mutex_lock(&core.pointee.mutex)
        defer { pthread_mutex_unlock(&core.pointee.mutex) }
        if !core.pointee.isTaken {
            core.pointee.isTaken = true
            return
        }
        try wait(until: deadline)
    }

    @inline(never)
    private func wait(until deadline: Deadline) throws(MemexError) {
        guard let space = calloc(1, MemoryLayout<Waiter>.stride) else { throw .noMemory }
        defer { free(space) }
        let waiter = space.bindMemory(to: Waiter.self, capacity: 1)
        waiter.initialize(to: Waiter())
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(&waiter.pointee.condition, &attributes)
        pthread_condattr_destroy(&attributes)
        defer { pthread_cond_destroy(&waiter.pointee.condition) }
        if let last = core.pointee.last { last.pointee.next = waiter } else { core.pointee.first = waiter }
        core.pointee.last = waiter
        while waiter.pointee.state == .waiting {
            if waiter.pointee.isCalled {
                if !core.pointee.isTaken {
                    core.pointee.isTaken = true
                    remove(waiter)
                    return
                }
                waiter.pointee.isCalled = false
                waiter.pointee.hasLost = true
            }
            if deadline.at == .max {
                pthread_cond_wait(&waiter.pointee.condition, &core.pointee.mutex)
                continue
            }
            var moment = timespec(
                tv_sec: Int(deadline.at / 1_000_000), tv_nsec: Int(deadline.at % 1_000_000) &* 1000)
            if deadline.isPast
                || pthread_cond_timedwait(&waiter.pointee.condition, &core.pointee.mutex, &moment) != 0
            {
                if waiter.pointee.state == .waiting, !waiter.pointee.isCalled, deadline.isPast {
                    remove(waiter)
                    throw MemexError(
                        .timeout, "another write is under way; nothing was written, call again")
                }
            }
        }
        if waiter.pointee.state == .cancelled {
            throw MemexError(.cancelled, "the wait for another write was interrupted; nothing was written")
        }
    }

    private func remove(_ waiter: UnsafeMutablePointer<Waiter>) {
        var previous: UnsafeMutablePointer<Waiter>?
        var current = core.pointee.first
        while let here = current, here != waiter {
            previous = here
            current = here.pointee.next
        }
        guard current != nil else { return }
        if let previous {
            previous.pointee.next = waiter.pointee.next
        } else {
            core.pointee.first = waiter.pointee.next
        }
        if core.pointee.last == waiter { core.pointee.last = previous }
    }

    @inline(__always)
    func give() {
        pthread_mutex_lock(&core.pointee.mutex)
        if let waiter = core.pointee.first, waiter.pointee.hasLost {
            remove(waiter)
            waiter.pointee.state = .granted
            pthread_cond_signal(&waiter.pointee.condition)
        } else {
            core.pointee.isTaken = false
            if let waiter = core.pointee.first, !waiter.pointee.isCalled {
                waiter.pointee.isCalled = true
                pthread_cond_signal(&waiter.pointee.condition)
            }
        }
        pthread_mutex_unlock(&core.pointee.mutex)
    }

    /// Ends the waits of now with CANCELLED.
    func interrupt() {
        pthread_mutex_lock(&core.pointee.mutex)
        while let waiter = core.pointee.first {
            core.pointee.first = waiter.pointee.next
            waiter.pointee.state = .cancelled
            pthread_cond_signal(&waiter.pointee.condition)
        }
        core.pointee.last = nil
        pthread_mutex_unlock(&core.pointee.mutex)
    }
}
