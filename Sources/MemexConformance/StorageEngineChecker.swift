internal import MemexModel
package import MemexStorage

/// The rules of `StorageEngine`, checked on any engine by what a caller can see.
///
/// A topic wants tenants of its own: a new engine, or one behind a `ScopedEngine`.
package final class StorageEngineChecker: Sendable {
    package let expectations = Expectations()
    let seed: UInt64
    /// Messages that each of the concurrent writers appends.
    let appendsPerWriter: Int
    /// Nothing was ever stored in the engine.
    let isFresh: Bool

    package static let defaultSeed: UInt64 = 20_240_607

    package init(
        seed: UInt64 = StorageEngineChecker.defaultSeed, appendsPerWriter: Int = 500, isFresh: Bool = true
    ) {
        self.seed = seed
        self.appendsPerWriter = appendsPerWriter
        self.isFresh = isFresh
    }

    package var failures: [String] { expectations.failures }

    /// Checks one topic. `reopen` closes the engine and opens what it left behind; only `reopening` needs it.
    /// Returns the engine that is open in the end.
    @discardableResult
    package func run(
        _ topic: EngineTopic, on engine: any StorageEngine,
        reopen: ((any StorageEngine) throws -> any StorageEngine)? = nil
    ) -> any StorageEngine {
        var engine = engine
        do {
            if topic == .reopening {
                if let reopen {
                    let kept = try fill(engine)
                    engine = try reopen(engine)
                    try check(engine, kept)
                }
            } else {
                try check(topic, scoped(engine, topic))
            }
            try expectSound(engine)
        } catch is Missing {
            // It is among the failures.
        } catch {
            expectations.fail(error)
        }
        return engine
    }

    private func check(_ topic: EngineTopic, _ engine: any StorageEngine) throws {
        switch topic {
        case .threads: try checkThreads(engine)
        case .threadUpdates: try checkThreadUpdates(engine)
        case .hiding: try checkHiding(engine)
        case .forks: try checkForks(engine)
        case .hostileNames: try checkHostileNames(engine)
        case .appends: try checkAppends(engine)
        case .appendConditions: try checkAppendConditions(engine)
        case .times: try checkTimes(engine)
        case .bodies: try checkBodies(engine)
        case .lastSeq: try checkLastSeq(engine)
        case .idempotency: try checkIdempotency(engine)
        case .idempotencyLifetime: try checkIdempotencyLifetime(engine)
        case .batches: try checkBatches(engine)
        case .failingBatches: try checkFailingBatches(engine)
        case .puts: try checkPuts(engine)
        case .removals: try checkRemovals(engine)
        case .ranges: try checkRanges(engine)
        case .marks: try checkMarks(engine)
        case .derived: try checkDerived(engine)
        case .blobs: try checkBlobs(engine)
        case .pieces: try checkPieces(engine)
        case .threadScans: try checkThreadScans(engine)
        case .activityOrder: try checkActivityOrder(engine)
        case .writersOnOneThread: try checkWritersOnOneThread(engine)
        case .writersOnSeveralThreads: try checkWritersOnSeveralThreads(engine)
        case .readsDuringWrites: try checkReadsDuringWrites(engine)
        case .upkeep: try checkUpkeep(engine)
        case .reopening: break
        }
    }
}
