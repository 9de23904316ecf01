internal import MemexModel
internal import MemexStorage

/// What the heads of all threads say, and what their rows say.
struct CheckedThreads {
    private struct Head {
        let activityAt: Int64
        let createdAt: Int64
        let deletedCount: Int64
        let floor: Int64
        let baseKey: Int64
        let baseSeq: Int64
        let forkCount: Int64
        let isHidden: Bool

        var isInFamily: Bool { baseKey != 0 || forkCount != 0 }
    }

    private struct Rows {
        /// Above the floor.
        var own: Int64 = 0
        /// Above the base and not above the floor: what a hidden thread keeps for its forks.
        var kept: Int64 = 0
        var last: Int64 = 0
        var lastCreatedAt: Int64 = 0
        var deletedCount: Int64 = 0
        /// Whether a row of a family's thread is a tombstone, for tombstones and overrides.
        var notable: [Int64: Bool] = [:]
    }

    private var heads: [Int64: Head] = [:]
    private var rows: [Int64: Rows] = [:]
    /// Not all rows were noted.
    var isIncomplete = false

    init(_ connection: SQLiteConnection, _ checker: SQLiteChecker) throws(MemexError) {
        var heads: [Int64: Head] = [:]
        try checker.forEach(
            "SELECT key, activity_at_us, created_at_us, deleted, floor, base_key, base_seq, forks, hidden FROM threads"
        ) { (row) throws(MemexError) -> Bool in
            heads[row.int(0)] = Head(
                activityAt: row.int(1), createdAt: row.int(2), deletedCount: row.int(3), floor: row.int(4),
                baseKey: row.int(5), baseSeq: row.int(6), forkCount: row.int(7), isHidden: row.int(8) != 0)
            return true
        }
        self.heads = heads
    }

    mutating func note(_ key: Int64, _ view: borrowing MessageView) {
        let head = heads[key]
        let baseSeq = head?.baseSeq ?? 0
        var mine = rows[key] ?? Rows()
        let floor = head?.floor ?? 0
        if view.seq > floor {
            mine.own += 1
        } else if view.seq > baseSeq {
            mine.kept += 1
        }
        if view.seq > mine.last { mine.last = view.seq }
        if view.seq == mine.last, view.seq > baseSeq { mine.lastCreatedAt = view.createdAt }
        if view.isDeleted { mine.deletedCount += 1 }
        let isInFamily = head?.isInFamily ?? false
        let isNotable = view.isDeleted ? true : view.seq <= baseSeq
        if isInFamily, isNotable { mine.notable[view.seq] = view.isDeleted }
        rows[key] = mine
    }

    /// Reports what is wrong, until the report says false.
    func check(_ report: (String) -> Bool) {
        for key in rows.keys.sorted() where heads[key] == nil {
            if !report("messages of thread number \(key) have no thread") { return }
        }
        var forks: [Int64: Int64] = [:]
        for head in heads.values where head.baseKey != 0 { forks[head.baseKey, default: 0] += 1 }
        var tombstones: [Int64: Set<Int64>] = [:]
        // A fork has a higher number than the thread it was forked from.
        for key in heads.keys.sorted() {
            guard let head = heads[key] else { continue }
            if head.isInFamily { tombstones[key] = visibleTombstones(key, head, tombstones) }
            for problem in problems(key, head, forks[key] ?? 0, tombstones[key]) where !isIncomplete {
                if !report("thread number \(key) \(problem)") { return }
            }
        }
    }

    private func lastSeq(_ key: Int64) -> Int64 { max(heads[key]?.floor ?? 0, rows[key]?.last ?? 0) }

    private func problems(
        _ key: Int64, _ head: Head, _ forkCount: Int64, _ tombstones: Set<Int64>?
    ) -> [String] {
        var found: [String] = []
        let mine = rows[key] ?? Rows()
        let lastSeq = lastSeq(key)
        if mine.own != lastSeq - head.floor || (head.isHidden && mine.kept != head.floor - head.baseSeq) {
            found.append("has a gap in its seqs")
        }
        if head.baseKey != 0 {
            if heads[head.baseKey] == nil {
                found.append("was forked from a thread that is missing")
            } else if self.lastSeq(head.baseKey) < head.baseSeq {
                found.append("shares messages that are missing")
            }
        }
        if head.forkCount != forkCount {
            found.append("says that it has \(head.forkCount) forks, and has \(forkCount)")
        }
        if head.isHidden { return found }
        let deletedCount = tombstones.map { Int64($0.count) } ?? mine.deletedCount
        if head.deletedCount != deletedCount {
            found.append(
                "says that \(head.deletedCount) of its messages are deleted, and \(deletedCount) are")
        }
        let activity = mine.lastCreatedAt != 0 ? mine.lastCreatedAt : head.createdAt
        if ActivityOrder.mustMove(activityAt: head.activityAt, to: activity) {
            found.append("was active at another time than its last message")
        }
        return found
    }

    /// Seqs that a thread of a family sees deleted.
    private func visibleTombstones(_ key: Int64, _ head: Head, _ known: [Int64: Set<Int64>]) -> Set<Int64> {
        let notable = rows[key]?.notable ?? [:]
        var seqs = (known[head.baseKey] ?? []).filter { $0 <= head.baseSeq && notable[$0] == nil }
        for (seq, isDeleted) in notable where isDeleted { seqs.insert(seq) }
        return seqs
    }
}
