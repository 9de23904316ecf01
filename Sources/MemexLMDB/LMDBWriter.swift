internal import CMemexShim
#if canImport(Glibc)
    internal import Glibc
#endif
internal import MemexModel
internal import MemexStorage

/// The writing transaction, and reads and writes inside of it. Used by one thread at a time: the leader of the
/// commit queue.
final class LMDBWriter: OrderedStore, @unchecked Sendable {
    let traits = OrderedStoreTraits()
    private let environment: LMDBEnvironment
    private let lock: ProcessLock
    private var txn: OpaquePointer?
    private var cursor: OpaquePointer?
    /// The transaction's number if nobody else writes before it.
    private var nextNumber = -1
    private var number = 0
    private var poison: MemexError?
    private(set) var isBroken = false
    private(set) var isMapFull = false
    /// Less is left on a disk that took only a part of a write.
    private static let nearlyFull: Int64 = 16 << 20

    init(_ environment: LMDBEnvironment, lock: ProcessLock) {
        self.environment = environment
        self.lock = lock
    }

    // MARK: Groups

    /// False when somebody else has written since the last group.
    func begin(until deadline: Deadline) throws(MemexError) -> Bool {
        if let poison { throw poison }
        // LMDB's own lock has no deadline. All of ours who hold this one first never wait for that one.
        try lock.lock(until: deadline)
        do throws(MemexError) { try beginTransaction() } catch {
            lock.unlock()
            throw error
        }
        isBroken = false
        isMapFull = false
        return number == nextNumber
    }

    private func beginTransaction() throws(MemexError) {
        while true {
            try environment.hold()
            var begun: OpaquePointer?
            let code = memex_lmdb_begin(environment.handle, 0, &begun)
            if code == 0, let begun {
                txn = begun
                number = memex_lmdb_txn_id(begun)
                return
            }
            environment.release()
            guard code == LMDBFailure.named(MEMEX_LMDB_MAP_RESIZED) else {
                throw LMDBFailure.error(code, "beginning a transaction")
            }
            try environment.adoptSize()
        }
    }

    func end() throws(MemexError) {
        guard let txn else { throw MemexError(.internal, "no transaction is open") }
        closeCursor()
        self.txn = nil
        var code = memex_lmdb_commit(txn)
        if code == EIO, isShortWrite() { code = ENOSPC }
        environment.release()
        lock.unlock()
        guard code != 0 else {
            nextNumber = number &+ 1
            return
        }
        nextNumber = -1
        if code == LMDBFailure.named(MEMEX_LMDB_MAP_FULL) { isMapFull = true }
        throw judge(LMDBFailure.error(code, "committing"))
    }

    func abandon() {
        guard let txn else { return }
        closeCursor()
        self.txn = nil
        memex_lmdb_abort(txn)
        environment.release()
        lock.unlock()
    }

    /// LMDB calls it an I/O error when a full disk took a part of its pages. It is that when the disk is full and
    /// the transaction, by its number, did not come about. The writers' lock is held.
    private func isShortWrite() -> Bool {
        let free = memex_shim_free_bytes(environment.path)
        guard free >= 0, free < Self.nearlyFull else { return false }
        var next: OpaquePointer?
        guard memex_lmdb_begin(environment.handle, 0, &next) == 0, let next else { return false }
        defer { memex_lmdb_abort(next) }
        return memex_lmdb_txn_id(next) == number
    }

    /// A failed sync may have dropped the pages it was to write: nothing that follows can be trusted.
    private func judge(_ failure: MemexError) -> MemexError {
        guard failure.code == .io || failure.code == .poisoned else { return failure }
        poison = MemexError(
            .poisoned, "an earlier write to stable storage failed; close the store and open it again",
            detailMembers: failure.detailMembers)
        return MemexError(
            .outcomeUnknown,
            "the disk refused while committing; open the store again and repeat the call with its "
                + "idempotency key", detailMembers: failure.detailMembers)
    }

    private func closeCursor() {
        if let cursor { memex_lmdb_cursor_close(cursor) }
        cursor = nil
    }

    private func open() throws(MemexError) -> OpaquePointer {
        guard let txn else { throw MemexError(.internal, "no transaction is open") }
        return txn
    }

    // MARK: Inside

    func get(_ key: ByteView, _ visit: (ByteView) throws(MemexError) -> Void) throws(MemexError) -> Bool {
        try LMDBRead.get(try open(), environment.main, key, visit)
    }

    func scan(
        from: ByteView, to: ByteView, descending: Bool, limit: Int64,
        _ visit: (ByteView, ByteView) throws(MemexError) -> Bool
    ) throws(MemexError) {
        let txn = try open()
        if cursor == nil {
            var opened: OpaquePointer?
            let code = memex_lmdb_cursor_open(txn, environment.main, &opened)
            guard code == 0 else { throw LMDBFailure.error(code, "reading") }
            cursor = opened
        }
        guard let cursor else { return }
        try LMDBRead.scan(cursor, from: from, to: to, descending: descending, limit: limit, visit)
    }

    func commit(_ writes: UnsafeBufferPointer<KeyValueWrite>) throws(MemexError) -> Bool {
        let txn = try open()
        for write in writes where write.kind != .put && write.kind != .delete {
            guard try holds(write) else { return false }
        }
        // A cursor that is open costs every write.
        closeCursor()
        for write in writes where write.kind == .put || write.kind == .delete {
            let code = try apply(write, txn)
            guard code != 0 else { continue }
            isBroken = true
            if code == LMDBFailure.named(MEMEX_LMDB_MAP_FULL) { isMapFull = true }
            throw LMDBFailure.error(code, "writing")
        }
        return true
    }

    private func holds(_ write: KeyValueWrite) throws(MemexError) -> Bool {
        var isEqual = false
        let isPresent = try get(write.key) { (value) throws(MemexError) -> Void in
            isEqual = value.equals(write.value)
        }
        switch write.kind {
        case .requireAbsent: return !isPresent
        case .requirePresent: return isPresent
        case .requireEqual: return isEqual
        case .put, .delete: return true
        }
    }

    @inline(__always)
    private func apply(_ write: KeyValueWrite, _ txn: OpaquePointer) throws(MemexError) -> Int32 {
        if LongKey.isLong(write.key) { return try applyLong(write, txn) }
        var name = LMDBRead.value(write.key)
        if write.kind == .put {
            var value = LMDBRead.value(write.value)
            return memex_lmdb_put(txn, environment.main, &name, &value)
        }
        let code = memex_lmdb_delete(txn, environment.main, &name)
        return code == LMDBFailure.named(MEMEX_LMDB_NOTFOUND) ? 0 : code
    }

    private func applyLong(_ write: KeyValueWrite, _ txn: OpaquePointer) throws(MemexError) -> Int32 {
        var name = ByteBuffer(capacity: LongKey.nameSize)
        LongKey.name(write.key, into: &name)
        var changed = ByteBuffer(capacity: 64 &+ write.key.count &+ write.value.count)
        let rest = LongKey.rest(write.key)
        let value: ByteView? = write.kind == .put ? write.value : nil
        let found: Bool
        do throws(MemexError) {
            found = try name.lend { (name) throws(MemexError) -> Bool in
                try LMDBRead.getPlain(txn, environment.main, name) { (bucket) throws(MemexError) -> Void in
                    try LongKey.change(bucket, rest, to: value, into: &changed)
                }
            }
            if !found {
                try LongKey.change(ByteView(start: nil, count: 0), rest, to: value, into: &changed)
            }
            if changed.failed { throw .noMemory }
        } catch {
            isBroken = true
            throw error
        }
        var key = LMDBRead.value(name.view)
        if changed.count > 0 {
            var bytes = LMDBRead.value(changed.view)
            return memex_lmdb_put(txn, environment.main, &key, &bytes)
        }
        return found ? memex_lmdb_delete(txn, environment.main, &key) : 0
    }

    func close() throws(MemexError) {}
}
