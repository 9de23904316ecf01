package import MemexModel

/// A part of the storage contract that is checked on its own.
package enum EngineTopic: CaseIterable, Sendable {
    case threads, threadUpdates, hiding, forks, hostileNames, appends, appendConditions, times, bodies
    case lastSeq, idempotency, idempotencyLifetime, batches, failingBatches, puts, removals, ranges, marks
    case derived, blobs, pieces, threadScans, activityOrder, writersOnOneThread, writersOnSeveralThreads
    case readsDuringWrites, upkeep, reopening

    package var name: StaticString {
        switch self {
        case .threads: "threads"
        case .threadUpdates: "thread updates"
        case .hiding: "hiding and removing threads"
        case .forks: "forks"
        case .hostileNames: "hostile names"
        case .appends: "appends"
        case .appendConditions: "append conditions"
        case .times: "times"
        case .bodies: "bodies"
        case .lastSeq: "the last seq"
        case .idempotency: "idempotency"
        case .idempotencyLifetime: "lifetime of idempotency keys"
        case .batches: "batches"
        case .failingBatches: "failing batches"
        case .puts: "putting messages"
        case .removals: "removing messages"
        case .ranges: "ranges"
        case .marks: "marked messages"
        case .derived: "derived records"
        case .blobs: "blobs"
        case .pieces: "pieces"
        case .threadScans: "thread scans"
        case .activityOrder: "order of activity"
        case .writersOnOneThread: "writers on one thread"
        case .writersOnSeveralThreads: "writers on several threads"
        case .readsDuringWrites: "reads during writes"
        case .upkeep: "upkeep"
        case .reopening: "reopening"
        }
    }

    package init?(name: ByteView) {
        for topic in Self.allCases where name.equals(topic.name) {
            self = topic
            return
        }
        return nil
    }

    /// Every topic keeps to tenants of its own, so that they share a store.
    var tenantPrefix: String { "check \(name)/" }

    /// Batches over several threads are the matter of the topic.
    var needsMultiThreadBatches: Bool {
        switch self {
        case .forks, .batches, .failingBatches, .pieces: true
        default: false
        }
    }
}

extension EngineTopic: CustomStringConvertible {
    package var description: String { "\(name)" }
}
