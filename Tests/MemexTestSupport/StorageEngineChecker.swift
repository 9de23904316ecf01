import MemexModel
package import MemexStorage
import Testing

/// The rules of `StorageEngine`, checked on any engine by what a caller can see.
///
/// `make` gives a new, empty engine each time. `reopen` closes one and opens what it left behind; nil for
/// engines that keep nothing.
package struct StorageEngineChecker {
    package let make: () throws -> any StorageEngine
    package let reopen: ((any StorageEngine) throws -> any StorageEngine)?
    package var seed: UInt64 = 20_240_607
    /// Messages that each of the concurrent writers appends.
    package var appendsPerWriter = 500

    package init(
        _ make: @escaping () throws -> any StorageEngine,
        reopen: ((any StorageEngine) throws -> any StorageEngine)? = nil
    ) {
        self.make = make
        self.reopen = reopen
    }

    /// Every topic, each with an engine of its own.
    package static let topics:
        [(name: String, run: @Sendable (StorageEngineChecker, any StorageEngine) throws -> Void)] =
            [
                ("threads", { try $0.checkThreads($1) }),
                ("thread updates", { try $0.checkThreadUpdates($1) }),
                ("hiding and removing threads", { try $0.checkHiding($1) }),
                ("forks", { try $0.checkForks($1) }),
                ("hostile names", { try $0.checkHostileNames($1) }),
                ("appends", { try $0.checkAppends($1) }),
                ("append conditions", { try $0.checkAppendConditions($1) }),
                ("times", { try $0.checkTimes($1) }),
                ("bodies", { try $0.checkBodies($1) }),
                ("the last seq", { try $0.checkLastSeq($1) }),
                ("idempotency", { try $0.checkIdempotency($1) }),
                ("lifetime of idempotency keys", { try $0.checkIdempotencyLifetime($1) }),
                ("batches", { try $0.checkBatches($1) }),
                ("failing batches", { try $0.checkFailingBatches($1) }),
                ("putting messages", { try $0.checkPuts($1) }),
                ("removing messages", { try $0.checkRemovals($1) }),
                ("ranges", { try $0.checkRanges($1) }),
                ("marked messages", { try $0.checkMarks($1) }),
                ("derived records", { try $0.checkDerived($1) }),
                ("blobs", { try $0.checkBlobs($1) }),
                ("pieces", { try $0.checkPieces($1) }),
                ("thread scans", { try $0.checkThreadScans($1) }),
                ("order of activity", { try $0.checkActivityOrder($1) }),
                ("writers on one thread", { try $0.checkWritersOnOneThread($1) }),
                ("writers on several threads", { try $0.checkWritersOnSeveralThreads($1) }),
                ("reads during writes", { try $0.checkReadsDuringWrites($1) }),
                ("upkeep", { try $0.checkUpkeep($1) }),
            ]

    package func run(_ topic: String) throws {
        for entry in Self.topics where entry.name == topic {
            let engine = try make()
            defer { try? engine.close() }
            try entry.run(self, engine)
            try engine.expectSound(topic)
        }
    }

    package func runAll() throws {
        for entry in Self.topics { try run(entry.name) }
        try checkReopen()
    }
}

/// Checks every rule of the contract.
package func checkStorageEngine(
    _ make: @escaping () throws -> any StorageEngine,
    reopen: ((any StorageEngine) throws -> any StorageEngine)? = nil
) throws {
    try StorageEngineChecker(make, reopen: reopen).runAll()
}
