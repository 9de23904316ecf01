internal import MemexModel
internal import MemexStorage

/// What the heads of all threads say, and what their rows say.
struct CheckedThreads {
    private struct Head {
        var record = ThreadRecord()
        /// What it says that cannot be; those numbers count as 0.
        var impossible: [String] = []

        var isInFamily: Bool { record.baseKey != 0 || record.forkCount != 0 }
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
            "SELECT key, activity_at_us, created_at_us, deleted, floor, base_key, base_seq, forks, hidden, version, "
                + "updated_at_us, changes, base_rev, root_key, tenant, id, title, metadata FROM threads"
        ) { (row) throws(MemexError) -> Bool in
            heads[row.int(0)] = Self.head(row)
            return true
        }
        self.heads = heads
    }

    private static func head(_ row: SQLiteStatement) -> Head {
        var head = Head()
        func number(_ column: Int32, _ name: String, _ isPossible: (Int64) -> Bool) -> Int64 {
            let value = row.stored(column)
            if isPossible(value) { return value }
            head.impossible.append("says that its \(name) is \(value), which cannot be")
            return 0
        }
        var record = ThreadRecord()
        record.key = number(0, "key") { $0 > 0 && $0 <= RowKey.threadMaximum }
        record.activityAt = number(1, "activity_at_us", StoredNumber.isTime)
        record.createdAt = number(2, "created_at_us", StoredNumber.isTime)
        record.deletedCount = number(3, "deleted", StoredNumber.isSeq)
        record.floor = number(4, "floor", StoredNumber.isSeq)
        record.baseKey = number(5, "base_key", StoredNumber.isCount)
        record.baseSeq = number(6, "base_seq", StoredNumber.isSeq)
        record.forkCount = number(7, "forks", StoredNumber.isCount)
        record.isHidden = number(8, "hidden") { $0 == 0 || $0 == 1 } != 0
        // One more must be possible.
        record.version = number(9, "version") { StoredNumber.isCount($0) && $0 < StoredNumber.countMaximum }
        record.updatedAt = number(10, "updated_at_us", StoredNumber.isTime)
        record.changes = number(11, "changes") { StoredNumber.isCount($0) && $0 < StoredNumber.countMaximum }
        record.baseRev = number(12, "base_rev", StoredNumber.isRev)
        record.rootKey = number(13, "root_key", StoredNumber.isCount)
        for (column, name) in [(14, "tenant"), (15, "id"), (16, "title")] as [(Int32, String)]
        where Unicode.UTF8.firstInvalid(row.bytes(column)) != nil {
            head.impossible.append("has a \(name) that is not UTF-8")
        }
        if !row.isNull(17), !ThreadRecord.isMetadata(row.bytes(17)) {
            head.impossible.append("has metadata that is no JSON object")
        }
        head.record = record
        return head
    }

    mutating func note(_ key: Int64, _ view: borrowing MessageView) {
        let head = heads[key]
        let baseSeq = head?.record.baseSeq ?? 0
        var mine = rows[key] ?? Rows()
        let floor = head?.record.floor ?? 0
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
        for head in heads.values where head.record.baseKey != 0 {
            forks[head.record.baseKey, default: 0] += 1
        }
        var tombstones: [Int64: Set<Int64>] = [:]
        // A fork has a higher number than the thread it was forked from.
        for key in heads.keys.sorted() {
            guard let head = heads[key] else { continue }
            if head.isInFamily { tombstones[key] = visibleTombstones(key, head.record, tombstones) }
            let found = isIncomplete ? [] : problems(key, head.record, forks[key] ?? 0, tombstones[key])
            for problem in head.impossible + found {
                if !report("thread number \(key) \(problem)") { return }
            }
        }
    }

    private func lastSeq(_ key: Int64) -> Int64 { max(heads[key]?.record.floor ?? 0, rows[key]?.last ?? 0) }

    private func problems(
        _ key: Int64, _ head: ThreadRecord, _ forkCount: Int64, _ tombstones: Set<Int64>?
    ) -> [String] {
        var found: [String] = []
        let mine = rows[key] ?? Rows()
        let lastSeq = lastSeq(key)
        // A hidden thread keeps the rows between its base and its floor for its forks; others begin at their base.
        if !head.isHidden, head.floor != head.baseSeq {
            found.append("says that its floor is \(head.floor), and its base is at \(head.baseSeq)")
        }
        if mine.own != lastSeq &- head.floor || mine.kept != head.floor &- head.baseSeq {
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
    private func visibleTombstones(
        _ key: Int64, _ head: ThreadRecord, _ known: [Int64: Set<Int64>]
    ) -> Set<Int64> {
        let notable = rows[key]?.notable ?? [:]
        var seqs = (known[head.baseKey] ?? []).filter { $0 <= head.baseSeq && notable[$0] == nil }
        for (seq, isDeleted) in notable where isDeleted { seqs.insert(seq) }
        return seqs
    }
}
