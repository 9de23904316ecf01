internal import CMemexShim
internal import MemexModel

/// Transactions for reading: made when they are needed, kept at rest for the next, at most a few.
final class LMDBReaderPool: @unchecked Sendable {
    private struct Reader {
        let txn: OpaquePointer
        let cursor: OpaquePointer
    }

    private static let idleMaximum = 32
    private static let pause: Int64 = 500

    private let environment: LMDBEnvironment
    /// How long a reader waits for a place in LMDB's table.
    private let timeout: Int64
    private let lock = Lock()
    private var idle: [Reader] = []
    private var isClosed = false

    init(_ environment: LMDBEnvironment, timeout: Int64) {
        self.environment = environment
        self.timeout = timeout
    }

    /// Runs a read on the last committed state.
    func use<Result>(
        _ body: (_ txn: OpaquePointer, _ cursor: OpaquePointer) throws(MemexError) -> Result
    ) throws(MemexError) -> Result {
        let reader = try take()
        defer {
            give(reader)
            environment.release()
        }
        return try body(reader.txn, reader.cursor)
    }

    /// A reader that has begun, with the map held.
    private func take() throws(MemexError) -> Reader {
        var deadline: Deadline?
        while true {
            try environment.hold()
            var code: Int32 = 0
            if let reader = begin(&code) { return reader }
            environment.release()
            switch code {
            case LMDBFailure.named(MEMEX_LMDB_MAP_RESIZED): try environment.adoptSize()
            case LMDBFailure.named(MEMEX_LMDB_READERS_FULL):
                if environment.checkReaders() > 0 { continue }
                let end = deadline ?? Deadline(after: timeout)
                deadline = end
                if end.isPast { throw LMDBFailure.error(code, "reading") }
                memex_shim_sleep_us(Self.pause)
            default: throw LMDBFailure.error(code, "reading")
            }
        }
    }

    private func begin(_ code: inout Int32) -> Reader? {
        if let reader = lock.withLock({ idle.popLast() }) {
            code = memex_lmdb_renew(reader.txn)
            if code == 0 {
                code = memex_lmdb_cursor_renew(reader.txn, reader.cursor)
                if code == 0 { return reader }
            }
            discard(reader)
            return nil
        }
        var txn: OpaquePointer?
        code = memex_lmdb_begin(environment.handle, UInt32(MDB_RDONLY), &txn)
        guard code == 0, let txn else { return nil }
        var cursor: OpaquePointer?
        code = memex_lmdb_cursor_open(txn, environment.main, &cursor)
        guard code == 0, let cursor else {
            memex_lmdb_abort(txn)
            return nil
        }
        return Reader(txn: txn, cursor: cursor)
    }

    private func give(_ reader: Reader) {
        memex_lmdb_reset(reader.txn)
        let isKept = lock.withLock {
            if isClosed || idle.count >= Self.idleMaximum { return false }
            idle.append(reader)
            return true
        }
        if !isKept { discard(reader) }
    }

    private func discard(_ reader: Reader) {
        memex_lmdb_cursor_close(reader.cursor)
        memex_lmdb_abort(reader.txn)
    }

    /// Ends the idle readers; those in use end when they come back.
    func close() {
        let readers = lock.withLock {
            isClosed = true
            defer { idle = [] }
            return idle
        }
        for reader in readers { discard(reader) }
    }
}
