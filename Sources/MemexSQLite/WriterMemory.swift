internal import MemexModel

/// What an append must know of its thread; valid while nobody else has written.
struct ThreadState {
    var lastSeq: Int64
    /// Of the last row above a fork's base; 0 when there is none.
    var lastCreatedAt: Int64
    var changes: Int64
    var activityAt: Int64
    /// Of the thread.
    var createdAt: Int64
    var floor: Int64
    var isHidden = false

    var rev: Int64 { lastSeq + changes }
    var activity: Int64 { lastCreatedAt != 0 ? lastCreatedAt : createdAt }
}

/// States by the thread's key. The thread that was used last needs no look-up.
struct ThreadStates {
    private var recent: (key: Int64, state: ThreadState)?
    private var others: [Int64: ThreadState] = [:]
    /// As they were before somebody else wrote.
    private var outdated: [Int64: ThreadState] = [:]
    private static let maximum = 100_000

    var isFull: Bool { others.count > Self.maximum }

    subscript(key: Int64) -> ThreadState? {
        mutating get {
            if let recent, recent.key == key { return recent.state }
            guard let found = others[key] else { return nil }
            use(key, found)
            return found
        }
        set {
            if let newValue {
                use(key, newValue)
            } else {
                if recent?.key == key { recent = nil }
                others.removeValue(forKey: key)
            }
        }
    }

    private mutating func use(_ key: Int64, _ state: ThreadState) {
        if let recent, recent.key != key { others[recent.key] = recent.state }
        recent = (key, state)
    }

    /// Somebody else has written: what is known is to be read again, and to be compared with what it was.
    mutating func outdate() {
        if let recent { others[recent.key] = recent.state }
        recent = nil
        swap(&others, &outdated)
        others.removeAll(keepingCapacity: true)
    }

    func earlier(_ key: Int64) -> ThreadState? { outdated.isEmpty ? nil : outdated[key] }

    mutating func removeAll() {
        recent = nil
        others.removeAll(keepingCapacity: true)
        outdated.removeAll(keepingCapacity: true)
    }
}

/// What the writer remembers between groups. It lies behind a pointer: whoever leads the queue has it alone,
/// which the compiler would otherwise check at run time with every access.
struct WriterMemory {
    var states = ThreadStates()
    /// The last row of the table and its key, as long as they are known.
    var newest: (row: Int64, key: Int64)?
    /// SQLite's number of the state that `states` and `newest` are of.
    var dataVersion: UInt32 = 0
    /// Why nothing can be written any more.
    var poison: MemexError?
    /// Frames in the write-ahead log after the last commit; set by SQLite's hook.
    var frames: Int32 = 0
    var checkpoints: Int64 = 0
}
