import MemexTestSupport
import Testing

@testable import MemexABI

/// Several threads on one table; under the thread sanitizer this is where it looks.
@Suite struct HandleTableRaceTests {
    /// Says whether it was used after it went.
    final class Watched: Sendable {
        let ended: Locked<Bool>
        init(_ ended: Locked<Bool>) { self.ended = ended }
        deinit { ended.withLock { $0 = true } }
    }

    /// Callers come and go while another thread frees: nobody holds what is gone, and it goes once, when
    /// the last has left.
    @Test func freedWhileOthersUseIt() throws {
        for round in 0..<400 {
            let ended = Locked(false), used = Locked(0), inside = Locked(0)
            nonisolated(unsafe) let handle = try #require(HandleTable.make(Watched(ended), .cursor))
            let wrong = Locked(0)
            try runConcurrently(4) { worker in
                if worker == 3 {
                    while used.value < 1 + round % 50 { MemexTestSupport.pause() }
                    #expect(HandleTable.free(handle, .cursor))
                    return
                }
                while case .found(let object, let index) = HandleTable.enter(handle, .cursor) {
                    inside.withLock { $0 += 1 }
                    let watched = Unmanaged<Watched>.fromOpaque(object)
                    let isGone = watched._withUnsafeGuaranteedRef { $0.ended.withLock { $0 } }
                    if isGone || ended.withLock({ $0 }) { wrong.withLock { $0 += 1 } }
                    used.withLock { $0 += 1 }
                    inside.withLock { $0 -= 1 }
                    HandleTable.leave(index)
                }
            }
            #expect(wrong.value == 0 && inside.value == 0)
            #expect(ended.withLock { $0 }, "it goes with the last user")
        }
    }

    /// Of many that free a handle one succeeds.
    @Test func freedByMany() throws {
        let count = 20_000, workers = 4
        let gone = Locked(0), freed = Locked(0), ready = Locked(0)
        nonisolated(unsafe) let handles = try (0..<count).map { _ in
            try #require(HandleTable.make(Tracked(gone: gone), .message))
        }
        try runConcurrently(workers) { _ in
            ready.withLock { $0 += 1 }
            while ready.value < workers {}
            var mine = 0
            for handle in handles where HandleTable.free(handle, .message) { mine += 1 }
            freed.withLock { [mine] in $0 += mine }
        }
        #expect(freed.value == count && gone.value == count)
    }

    /// Makers and freers share the list of free slots: live handles differ, each finds its own object.
    @Test func madeByMany() throws {
        let gone = Locked(0), live = Locked<Set<OpaquePointer>>([])
        let rounds = 60, each = 50, workers = 4
        try runConcurrently(workers) { worker in
            for round in 0..<rounds {
                var mine: [OpaquePointer] = []
                for item in 0..<each {
                    let number = (worker * rounds + round) * each + item
                    mine.append(try #require(HandleTable.make(Tracked(number, gone: gone), .thread)))
                }
                live.withLock { for handle in mine { #expect($0.insert(handle).inserted) } }
                for (item, handle) in mine.enumerated() {
                    guard case .found(let object, let index) = HandleTable.enter(handle, .thread) else {
                        Issue.record("a live handle was not found")
                        continue
                    }
                    let tracked = Unmanaged<Tracked>.fromOpaque(object).takeUnretainedValue()
                    #expect(tracked.number == (worker * rounds + round) * each + item)
                    HandleTable.leave(index)
                }
                live.withLock { for handle in mine { $0.remove(handle) } }
                for handle in mine { #expect(HandleTable.free(handle, .thread)) }
            }
        }
        #expect(gone.value == workers * rounds * each)
    }
}
