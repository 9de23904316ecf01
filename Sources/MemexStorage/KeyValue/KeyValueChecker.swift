internal import MemexModel

/// Reads every row and looks for damage, and for rows that do not belong together. Writes that go on
/// meanwhile may show as problems that are none.
final class KeyValueChecker {
    private let engine: KeyValueEngine
    private let deadline: Deadline
    private(set) var problems: [String] = []
    private static let problemsMax = 1000

    init(_ engine: KeyValueEngine, _ deadline: Deadline) {
        self.engine = engine
        self.deadline = deadline
    }

    func run() throws(MemexError) {
        var keys: [Int64] = []
        try scan(KeyLayout.head) { (name, value) throws(MemexError) -> Void in
            let key = try MemoryStore.number(name, at: 1)
            _ = try ThreadRow.read(key, value)
            keys.append(key)
        }
        for key in keys {
            try pastDeadline()
            do throws(MemexError) { try checkThread(key) } catch { try note(error) }
        }
        let known = Set(keys)
        for prefix in KeyLayout.ownedPrefixes + [KeyLayout.document] {
            try scan(prefix) { (name, _) throws(MemexError) -> Void in
                let key = try MemoryStore.number(name, at: 1)
                if !known.contains(key) {
                    self.add("a row belongs to thread number \(key), which does not exist")
                }
            }
        }
        for prefix in [KeyLayout.activity, KeyLayout.creation] {
            try scan(prefix) { (name, _) throws(MemexError) -> Void in
                let key = try MemoryStore.number(name, at: name.count &- 8)
                if !known.contains(key) { self.add("thread number \(key) is listed and does not exist") }
            }
        }
    }

    private func checkThread(_ key: Int64) throws(MemexError) {
        guard let record = try engine.thread(key: key) else { return }
        if !record.isHidden {
            if try engine.thread(tenant: record.tenant, id: record.id)?.key != key {
                add("thread number \(key) is not found by its id")
            }
            var tenant = record.tenant
            var name = ByteBuffer(capacity: 64)
            tenant.withUTF8 { name.activityKey(tenant: $0, at: record.activityAt, key) }
            if try !isPresent(name) { add("thread number \(key) is missing in the order of activity") }
            name.removeAll()
            name.key(KeyLayout.creation, tenant: record.tenant)
            name.append(ordered: key)
            if try !isPresent(name) { add("thread number \(key) is missing in the order of creation") }
        }
        if let metadata = record.metadata, !metadata.withUnsafeBufferPointer(ThreadRecord.isMetadata) {
            add("thread number \(key) has metadata that is no JSON object")
        }
        if ActivityOrder.mustMove(activityAt: record.activityAt, to: record.activity) {
            add("thread number \(key) stands at a wrong place in the order of activity")
        }
        var ids: [(Int64, [UInt8])] = []
        var keys: [[UInt8]] = []
        var marks: [Int64] = []
        var own: Int64 = 0
        try engine.messages(key, MessageRange()) { (view) throws(MemexError) -> Bool in
            do throws(MemexError) { try view.verify() } catch { self.add(error.message) }
            if view.seq > record.baseSeq { own &+= 1 }
            if view.id.count > 0 { ids.append((view.seq, Array(view.id))) }
            if view.idempotencyKey.count > 0 { keys.append(Array(view.idempotencyKey)) }
            if view.head.has(RecordHead.Flag.marked) { marks.append(view.seq) }
            return true
        }
        // Rows below a floor are kept for forks; what a thread was forked with lies below its base.
        if own != record.lastSeq &- record.baseSeq { add("thread number \(key) has a gap in its seqs") }
        for (seq, id) in ids where try find(key, id) != seq {
            add("message \(seq) of thread number \(key) is not found by its id")
        }
        for bytes in keys {
            var name = ByteBuffer(capacity: 64)
            bytes.withUnsafeBufferPointer { name.key(KeyLayout.receipt, key, $0) }
            if try !isPresent(name) { add("thread number \(key) has lost the receipt of an idempotency key") }
        }
        var found: [Int64] = []
        try engine.markedSeqs(key, from: 1, to: Limits.seq) {
            found.append($0)
            return true
        }
        if found != marks { add("thread number \(key) has a wrong index of marked messages") }
    }

    private func find(_ key: Int64, _ id: [UInt8]) throws(MemexError) -> Int64? {
        var copy = ByteBuffer(capacity: id.count)
        id.withUnsafeBufferPointer { copy.append($0) }
        return try copy.lend { (id) throws(MemexError) -> Int64? in try engine.seq(key, id: id) }
    }

    private func isPresent(_ name: borrowing ByteBuffer) throws(MemexError) -> Bool {
        try name.lend { (name) throws(MemexError) -> Bool in
            try engine.store.get(name) { (_) throws(MemexError) -> Void in }
        }
    }

    private func scan(
        _ prefix: UInt8, _ visit: (ByteView, ByteView) throws(MemexError) -> Void
    ) throws(MemexError) {
        var name = ByteBuffer(capacity: 8)
        name.append(byte: prefix)
        do throws(MemexError) {
            try engine.store.scanPrefix(name) { (name, value) throws(MemexError) -> Bool in
                try self.pastDeadline()
                do throws(MemexError) { try visit(name, value) } catch { try self.note(error) }
                return true
            }
        } catch {
            // A store may know itself that a row is damaged.
            try note(error)
        }
    }

    private func pastDeadline() throws(MemexError) {
        if deadline.isPast { throw MemexError(.timeout, "the check took longer than allowed") }
    }

    /// Damage is a finding; anything else ends the check.
    private func note(_ error: MemexError) throws(MemexError) {
        guard error.code == .corrupt || error.code == .newerFormat else { throw error }
        add(error.message)
    }

    private func add(_ problem: String) {
        if problems.count < Self.problemsMax { problems.append(problem) }
    }
}
