internal import MemexModel

/// A batch on its way into a store: what it would write, what it read, and reads that see both.
///
/// Every change but an append raises the generation in its thread's head, and every commit requires the
/// heads that it was based on; with the first free seq still free, all rows of the thread are what they
/// were. Only keys that appends bring along need conditions of their own.
final class WriteTransaction {
    let store: any OrderedStore
    let now: Int64
    var puts = MemoryTree()
    var deletes = MemoryTree()
    var absent = MemoryTree()
    var equal = MemoryTree()
    private(set) var threads: [TransactionThread] = []
    private var indexes: [Int64: Int] = [:]
    private var created: [Int: Int] = [:]
    private var operation = 0
    /// The last number given, by the place that it was given in.
    private var lastKeys: [Int: Int64] = [:]
    private let places: (any ThreadPlaces)?

    init(_ store: any OrderedStore, _ environment: Environment) throws(MemexError) {
        self.store = store
        places = store.places
        now = environment.now()
    }

    var threadKeys: [Int64] { threads.map { $0.key } }

    func apply(_ step: WriteOperation) throws(MemexError) -> WriteResult {
        defer { operation &+= 1 }
        switch step {
        case .append(let append): return try self.append(append)
        case .createThread(let record): return try createThread(record)
        case .updateThread(let update): return try updateThread(update)
        case .removeThread(let target): return try removeThread(target)
        case .removeMessages(let target, let above): return try removeMessages(target, above: above)
        case .putMessage(let put): return try putMessage(put)
        case .putDerived(let target, let record): return try putDerived(target, record)
        case .removeDerived(let target, let kind, let name):
            return try removeDerived(target, kind: kind, name: name)
        case .putBlob(let hash, let bytes): return try putBlob(hash, bytes)
        case .appendPiece(let target, let seq, let bytes): return try appendPiece(target, seq, bytes)
        case .removePieces(let target, let seq): return try removePieces(target, seq)
        }
    }

    // MARK: Threads

    func thread(_ target: ThreadTarget) throws(MemexError) -> TransactionThread {
        switch target {
        case .created(let operation):
            guard let place = created[operation] else {
                throw MemexError(.invalid, "operation \(operation) of the batch creates no thread")
            }
            return try present(threads[place])
        case .key(let key):
            if let index = indexes[key] { return try present(threads[index]) }
            var stored = ByteBuffer(capacity: 256)
            guard key > 0, try store.readHead(key, into: &stored) else { throw Self.gone }
            let last = try store.lastRow(key)
            let thread = try stored.lend { (bytes) throws(MemexError) -> TransactionThread in
                try TransactionThread(key, stored: bytes, last: last)
            }
            indexes[key] = threads.count
            threads.append(thread)
            return thread
        }
    }

    private func present(_ thread: TransactionThread) throws(MemexError) -> TransactionThread {
        if thread.isRemoved { throw Self.gone }
        return thread
    }

    func add(_ thread: TransactionThread) {
        created[operation] = threads.count
        indexes[thread.key] = threads.count
        threads.append(thread)
    }

    static let gone = MemexError(.notFound, "the thread does not exist, or was deleted")

    /// A number for a thread, greater than any before.
    func nextKey(for record: ThreadRecord, _ threadName: ByteView) throws(MemexError) -> Int64 {
        var place = 0
        var name = ByteBuffer(capacity: 4)
        name.append(byte: KeyLayout.nextKey)
        if let places {
            let root = record.rootKey != 0 ? record.rootKey : record.baseKey
            place = root != 0 ? places.place(ofThread: root) : places.place(ofName: threadName)
            name.append(byte: UInt8(truncatingIfNeeded: place >> 8))
            name.append(byte: UInt8(truncatingIfNeeded: place))
        }
        var last = lastKeys[place] ?? 0
        if lastKeys[place] == nil {
            var stored = ByteBuffer(capacity: 8)
            let found = try get(name) { (value) throws(MemexError) -> Void in
                stored.append(value)
                last = try NumberRow.read(value)
            }
            if found { try require(name, equal: stored) } else { try requireAbsent(name) }
        }
        guard last < StoredNumber.countMaximum else {
            throw MemexError(.limit, "the store has no numbers left for threads")
        }
        let next = places?.number(after: last, at: place) ?? last &+ 1
        lastKeys[place] = next
        var value = ByteBuffer(capacity: 8)
        value.append(littleEndian: next)
        try put(name, value)
        return next
    }

    // MARK: Overlay

    static func set(
        _ tree: inout MemoryTree, _ name: ByteView, _ value: ByteView
    ) throws(MemexError) {
        guard name.count <= KeyLayout.maximumSize else {
            throw MemexError(.limit, "a key has \(name.count) bytes; the limit is \(KeyLayout.maximumSize)")
        }
        guard let block = MemoryBlock.make(name, value) else { throw .noMemory }
        switch tree.put(block) {
        case .added: break
        case .replaced(let old): old.release()
        case .noMemory:
            block.release()
            throw .noMemory
        }
    }

    func put(_ name: borrowing ByteBuffer, _ value: borrowing ByteBuffer) throws(MemexError) {
        if name.failed || value.failed { throw .noMemory }
        try put(name, value.view)
    }

    func put(_ name: borrowing ByteBuffer, _ value: ByteView) throws(MemexError) {
        if name.failed { throw .noMemory }
        deletes.remove(name.view)?.release()
        try Self.set(&puts, name.view, value)
    }

    func delete(_ name: borrowing ByteBuffer) throws(MemexError) {
        if name.failed { throw .noMemory }
        try delete(name.view)
    }

    func delete(_ name: ByteView) throws(MemexError) {
        let old = puts.remove(name)
        defer { old?.release() }  // `name` may stand in it
        try Self.set(&deletes, name, ByteView(start: nil, count: 0))
    }

    func requireAbsent(_ name: borrowing ByteBuffer) throws(MemexError) {
        if name.failed { throw .noMemory }
        // What this batch deletes is in the store.
        if deletes.find(name.view) != nil { return }
        try Self.set(&absent, name.view, ByteView(start: nil, count: 0))
    }

    func require(_ name: borrowing ByteBuffer, equal value: borrowing ByteBuffer) throws(MemexError) {
        if name.failed || value.failed { throw .noMemory }
        try Self.set(&equal, name.view, value.view)
    }

    func get(
        _ name: borrowing ByteBuffer, _ visit: (ByteView) throws(MemexError) -> Void
    ) throws(MemexError) -> Bool {
        if name.failed { throw .noMemory }
        if let block = puts.find(name.view) {
            try visit(block.value)
            return true
        }
        if deletes.find(name.view) != nil { return false }
        return try store.get(name.view, visit)
    }

    /// Whether this batch has written or deleted the key.
    func hasTouched(_ name: ByteView) -> Bool { puts.find(name) != nil || deletes.find(name) != nil }

    /// The first, or last, key in the range that this batch puts.
    func pending(
        _ from: borrowing ByteBuffer, _ to: borrowing ByteBuffer, last: Bool = false
    ) -> MemoryBlock? {
        guard var position = puts.position(last ? to.view : from.view),
            let block = last ? puts.backward(&position) : puts.forward(&position),
            block.key.compare(from.view) >= 0, block.key.compare(to.view) < 0
        else { return nil }
        return block
    }

    func deleteRange(
        _ from: borrowing ByteBuffer, _ to: borrowing ByteBuffer, isStoredToo: Bool = true
    ) throws(MemexError) {
        if from.failed || to.failed { throw .noMemory }
        while let block = pending(from, to) { try delete(block.key) }
        guard isStoredToo else { return }
        try store.scanRange(from, to, descending: false) { (name, _) throws(MemexError) -> Bool in
            try delete(name)
            return true
        }
    }
}
