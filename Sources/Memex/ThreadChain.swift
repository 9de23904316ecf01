internal import MemexModel
internal import MemexStorage

/// The threads whose rows make up one: its own, and those it was forked from, newest first.
///
/// Level 0 holds the seqs above its base's; each further level those up to where the fork before it left.
/// A row of a level at or below its own base is an override: a shared message as this level still sees it
/// after it was changed where it came from, or changed here.
struct ThreadChain {
    struct Level {
        let key: Int64
        let ids: MessageID
        /// Own messages are above it.
        let floor: Int64
    }

    private(set) var levels: [Level]
    static let levelsMaximum = 1_000

    init(
        _ engine: any StorageEngine, key: Int64, _ ids: MessageID, baseKey: Int64, baseSeq: Int64
    ) throws(MemexError) {
        levels = [Level(key: key, ids: ids, floor: baseKey == 0 ? 0 : baseSeq)]
        var next = baseKey
        var cap = baseSeq
        while next != 0, cap > 0 {
            guard levels.count <= Self.levelsMaximum else {
                throw MemexError(.corrupt, "the thread's chain of forks has no end; run the check command")
            }
            guard let record = try engine.thread(key: next) else {
                throw MemexError(
                    .corrupt, "a thread that this one was forked from is missing; run the check command")
            }
            let floor = record.baseKey == 0 ? 0 : record.baseSeq
            levels.append(Level(key: next, ids: MessageID(threadID: record.id), floor: floor))
            next = record.baseKey
            cap = min(cap, floor)
        }
    }

    /// A message and what makes its id.
    typealias Visit = (borrowing MessageView, MessageID) throws(MemexError) -> Bool

    /// Messages of a range in order, tombstones too. The visit must not call the engine.
    func read(_ engine: any StorageEngine, _ range: MessageRange, _ visit: Visit) throws(MemexError) {
        if levels.count == 1 {
            try engine.messages(levels[0].key, range) { (view) throws(MemexError) in
                try visit(view, levels[0].ids)
            }
            return
        }
        let overrides = try self.overrides(engine, range)
        var left = range.limit
        var going = true
        var order = Array(levels.indices)
        if !range.descending { order.reverse() }
        for index in order where going && left > 0 {
            let (low, high) = bounds(index)
            var part = range
            part.from = max(range.from, low)
            part.to = min(range.to, high)
            part.limit = left
            if part.from > part.to { continue }
            let ids = levels[index].ids
            let before = left
            try engine.messages(levels[index].key, part) { (view) throws(MemexError) in
                left -= 1
                if let override = overrides[view.seq] {
                    going = try override.message.withView { (view) throws(MemexError) in
                        try visit(view, override.ids)
                    }
                } else {
                    going = try visit(view, ids)
                }
                return going
            }
            // What forks share is there, unless it goes with the last of them while it is read.
            if index > 0, going, left > 0, before - left <= part.to - part.from,
                try engine.thread(key: levels[index].key) != nil
            {
                throw MemexError(
                    .corrupt,
                    "messages that the thread shares with another are missing; run the check command")
            }
        }
    }

    /// Seqs of marked messages, ascending.
    func marked(_ engine: any StorageEngine, from: Int64, to: Int64) throws(MemexError) -> [Int64] {
        var seqs: [Int64] = []
        for index in levels.indices.reversed() {
            let (low, high) = bounds(index)
            if max(from, low) > min(to, high) { continue }
            try engine.markedSeqs(levels[index].key, from: max(from, low), to: min(to, high)) {
                seqs.append($0)
                return true
            }
        }
        if levels.count > 1 {
            // What an override says of a shared message goes before what its origin says.
            let overridden = try overrides(engine, MessageRange(from: from, to: to))
            if !overridden.isEmpty {
                seqs.removeAll { overridden[$0] != nil }
                seqs += overridden.filter { $0.value.message.head.has(RecordHead.Flag.marked) }.keys
                seqs.sort()
            }
        }
        return seqs
    }

    /// The message at a seq, copied; nil when there is none.
    func message(_ engine: any StorageEngine, seq: Int64) throws(MemexError) -> (StoredMessage, MessageID)? {
        var found: (StoredMessage, MessageID)?
        try read(engine, MessageRange(from: seq, to: seq, limit: 1)) { (view, ids) throws(MemexError) in
            found = (try StoredMessage(view), ids)
            return false
        }
        return found
    }

    /// The level whose own rows hold a seq.
    func owner(of seq: Int64) -> Int {
        levels.indices.first {
            let (low, high) = bounds($0); return seq >= low && seq <= high
        } ?? 0
    }

    private func bounds(_ index: Int) -> (Int64, Int64) {
        var cap = Limits.seq
        for level in levels[..<index] { cap = min(cap, level.floor) }
        return (levels[index].floor + 1, cap)
    }

    /// Overrides in a range, the newest level's first.
    private func overrides(
        _ engine: any StorageEngine, _ range: MessageRange
    ) throws(MemexError) -> [Int64: (message: StoredMessage, ids: MessageID)] {
        var found: [Int64: (message: StoredMessage, ids: MessageID)] = [:]
        var cap = range.to
        for level in levels {
            cap = min(cap, level.floor)
            if cap < range.from { break }
            try engine.messages(level.key, MessageRange(from: range.from, to: cap)) {
                (view) throws(MemexError) in
                if found[view.seq] == nil { found[view.seq] = (try StoredMessage(view), level.ids) }
                return true
            }
        }
        return found
    }
}
