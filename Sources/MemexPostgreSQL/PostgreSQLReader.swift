internal import CMemexShim
internal import MemexModel
internal import MemexStorage

/// Reads. Each is one round trip; a long list comes in several, each with its own.
struct PostgreSQLReader: Sendable {
    let pool: PostgreSQLPool
    /// Of each round trip.
    let timeout: Int64
    private static let chunkMaximum: Int64 = 4_096
    /// More rows than these come one by one, so that not all of them are in memory at once.
    private static let rowsAtOnce: Int64 = 64

    /// A fault of a call that changes nothing.
    static func error(_ fault: PostgreSQLFault, _ doing: StaticString) -> MemexError {
        let members = "\"engine\":\"postgresql\""
        switch fault {
        case .failed(let error): return error
        case .refused(let refusal): return refusal.error(doing)
        case .interrupted:
            return MemexError(.cancelled, "\(doing): interrupted while waiting for the server")
        case .lost:
            return MemexError(
                .unavailable, "\(doing): the connection to the server broke; call again",
                detailMembers: members)
        case .silent:
            return MemexError(
                .timeout, "\(doing): the server did not answer within timeout_us", detailMembers: members)
        }
    }

    /// Runs one statement. What the server lost or replanned is asked again: nothing is changed by reading.
    func run(
        _ statement: PostgreSQLStatement, _ doing: StaticString, streams: Bool = false,
        _ parameters: (inout PostgreSQLParameters) -> Void,
        _ visit: (PostgreSQLRow) throws(MemexError) -> Bool
    ) throws(MemexError) {
        let deadline = Deadline(after: timeout)
        var attempts = 0
        while true {
            attempts += 1
            let connection = try pool.take(until: deadline)
            defer { pool.give(connection) }
            var failure: MemexError?
            var seen = false
            do throws(PostgreSQLFault) {
                parameters(&connection.parameters)
                try connection.queue(statement)
                try connection.run(
                    until: deadline, streams: streams, cancel: { [pool] in pool.cancel(connection.backend) }
                ) { _, row in
                    seen = true
                    do throws(MemexError) { return try visit(row) } catch {
                        failure = error
                        return false
                    }
                }
            } catch {
                if let failure { throw failure }
                let mayRepeat: Bool
                switch error {
                case .lost: mayRepeat = true
                case .refused(let refusal): mayRepeat = refusal.isTransient
                default: mayRepeat = false
                }
                guard mayRepeat, !seen, attempts < 3 else { throw Self.error(error, doing) }
                continue
            }
            if let failure { throw failure }
            return
        }
    }

    // MARK: Messages

    func messages(
        _ key: Int64, _ range: MessageRange, _ visit: (borrowing MessageView) throws(MemexError) -> Bool
    ) throws(MemexError) {
        var from = max(range.from, 1)
        var to = min(range.to, Limits.seq)
        guard from <= to, range.limit > 0 else { return }
        var left = range.limit
        var chunk = left <= 10_000 ? left : 64
        var view = MessageView()
        while left > 0, from <= to {
            let count = min(left, chunk)
            var seen: Int64 = 0
            var last: Int64 = 0
            var isWanted = true
            try run(
                range.descending ? .messagesDown : .messagesUp, "reading messages",
                streams: count > Self.rowsAtOnce,
                { parameters in
                    parameters.add(key)
                    parameters.add(from)
                    parameters.add(to)
                    parameters.add(count)
                }
            ) { (row) throws(MemexError) -> Bool in
                try Self.read(row, into: &view)
                seen += 1
                last = view.seq
                isWanted = try visit(view)
                return isWanted
            }
            if !isWanted || seen < count { return }
            left -= seen
            if range.descending { to = last - 1 } else { from = last + 1 }
            if chunk < Self.chunkMaximum { chunk *= 4 }
        }
    }

    /// A row of `messageColumns`. The view borrows from the row.
    static func read(_ row: PostgreSQLRow, into view: inout MessageView) throws(MemexError) {
        view.seq = row.int(0)
        view.createdAt = row.int(2)
        view.role = row.isNull(3) ? row.bytes(4) : row.bytes(3)
        let changes = UInt32(truncatingIfNeeded: row.int(1) - view.seq)
        var head = RecordHead()
        head.format = UInt8(truncatingIfNeeded: row.int(5))
        head.tokens = UInt32(truncatingIfNeeded: row.int(6))
        head.flags = UInt16(truncatingIfNeeded: row.int(7))
        head.contentOffset = Int32(truncatingIfNeeded: row.int(8))
        head.contentLength = Int32(truncatingIfNeeded: row.int(9))
        let codec = row.int(10)
        head.compression = UInt8(truncatingIfNeeded: codec >> 40)
        head.cipher = UInt8(truncatingIfNeeded: codec >> 32)
        head.codecKey = UInt32(truncatingIfNeeded: codec)
        head.changes = changes
        head.counter = RecordSeal.counter(stored: row.int(11))
        head.checksum = RecordSeal.checksum(stored: row.int(11), seq: view.seq, changes: changes)
        view.head = head
        view.id = row.bytes(12)
        view.idempotencyKey = row.bytes(13)
        view.extra = row.bytes(14)
        view.body = row.bytes(15)
        // Not part of the checksum, and what readers cut the body by.
        guard head.contentLength >= 0, head.contentOffset >= -1 else {
            throw MemexError(.corrupt, "message \(view.seq) is damaged; restore it from a backup")
        }
    }

    func markedSeqs(_ key: Int64, from: Int64, to: Int64, _ visit: (Int64) -> Bool) throws(MemexError) {
        guard from <= to, to >= 1, from <= Limits.seq else { return }
        try run(
            .marked, "reading marked messages",
            { parameters in
                parameters.add(key)
                parameters.add(max(from, 1))
                parameters.add(min(to, Limits.seq))
            }
        ) { (row) throws(MemexError) -> Bool in visit(row.int(0)) }
    }

    func seq(_ key: Int64, id: ByteView) throws(MemexError) -> Int64? {
        var found: Int64?
        // No text of PostgreSQL has a NUL, so no id does.
        if id.contains(0) { return nil }
        try run(
            .byID, "looking up a message",
            { parameters in
                parameters.add(key)
                parameters.add(id)
            }
        ) { (row) throws(MemexError) -> Bool in
            found = row.int(0)
            return false
        }
        return found
    }

    func pieces(_ key: Int64, seq: Int64, _ visit: (ByteView) throws(MemexError) -> Bool) throws(MemexError) {
        try run(
            .pieces, "reading stream pieces",
            { parameters in
                parameters.add(key)
                parameters.add(seq)
            }
        ) { (row) throws(MemexError) -> Bool in try visit(row.bytes(0)) }
    }

    // MARK: Threads

    func thread(tenant: String, id: String) throws(MemexError) -> ThreadRecord? {
        if tenant.utf8.contains(0) || id.utf8.contains(0) { return nil }
        return try threads(.threadByID) { parameters in
            parameters.add(tenant)
            parameters.add(id)
        }.first
    }

    func thread(key: Int64) throws(MemexError) -> ThreadRecord? {
        try threads(.threadByKey) { $0.add(key) }.first
    }

    func forks(of key: Int64) throws(MemexError) -> [ThreadRecord] {
        try threads(.forks) { $0.add(key) }
    }

    private func threads(
        _ statement: PostgreSQLStatement, _ parameters: (inout PostgreSQLParameters) -> Void
    ) throws(MemexError) -> [ThreadRecord] {
        var found: [ThreadRecord] = []
        try run(statement, "reading threads", parameters) { (row) throws(MemexError) -> Bool in
            found.append(Self.record(row))
            return true
        }
        return found
    }

    func threads(_ scan: ThreadScan, _ visit: (ThreadRecord) throws(MemexError) -> Bool) throws(MemexError) {
        var from = scan.from ?? (scan.descending ? (Int64.max, Int64.max) : (0, 0))
        var chunk: Int64 = 32
        while true {
            // Whole chunks: the visitor may take its time, and needs no connection for that.
            let found = try threads(Self.statement(scan)) { parameters in
                parameters.add(scan.tenant)
                parameters.add(from.1)
                parameters.add(chunk)
                if scan.order == .coarseActivity { parameters.add(from.0) }
                if scan.rootKey != 0 { parameters.add(scan.rootKey) }
            }
            for record in found where try !visit(record) { return }
            guard Int64(found.count) == chunk, let last = found.last else { return }
            guard let next = Self.next(last, scan) else { return }
            from = next
            if chunk < 1_024 { chunk *= 2 }
        }
    }

    /// The place after a record, or nil when there is none.
    private static func next(_ record: ThreadRecord, _ scan: ThreadScan) -> (Int64, Int64)? {
        let (key, overflow) =
            scan.descending
            ? record.key.subtractingReportingOverflow(1) : record.key.addingReportingOverflow(1)
        return overflow ? nil : (record.activityAt, key)
    }

    private static func statement(_ scan: ThreadScan) -> PostgreSQLStatement {
        let isFamily = scan.rootKey != 0
        switch (scan.order, scan.descending) {
        case (.coarseActivity, false): return isFamily ? .activityFamilyUp : .activityUp
        case (.coarseActivity, true): return isFamily ? .activityFamilyDown : .activityDown
        case (.creation, false): return isFamily ? .creationFamilyUp : .creationUp
        case (.creation, true): return isFamily ? .creationFamilyDown : .creationDown
        }
    }

    private static func record(_ row: PostgreSQLRow) -> ThreadRecord {
        var record = ThreadRecord()
        record.key = row.int(0)
        record.tenant = row.text(1)
        record.id = row.text(2)
        record.title = row.textOrNil(3) ?? row.textOrNil(4)
        record.metadata = row.arrayOrNil(5)
        record.version = row.int(6)
        record.createdAt = row.int(7)
        record.updatedAt = row.int(8)
        record.activityAt = row.int(9)
        record.changes = row.int(10)
        record.deletedCount = row.int(11)
        record.floor = row.int(12)
        record.baseKey = row.int(13)
        record.baseSeq = row.int(14)
        record.baseRev = row.int(15)
        record.rootKey = row.int(16)
        record.forkCount = row.int(17)
        record.isHidden = row.int(18) != 0
        let last = row.int(19)
        record.lastSeq = max(record.floor, last)
        record.lastMessageAt = last > record.baseSeq ? row.int(20) : 0
        return record
    }

    // MARK: Derived records and blobs

    func derived(
        _ key: Int64, kind: String, name: String?, _ visit: (DerivedRecord) throws(MemexError) -> Bool
    ) throws(MemexError) {
        try run(
            name == nil ? .derivedAll : .derivedOne, "reading derived records",
            { parameters in
                parameters.add(key)
                parameters.add(kind)
                if let name { parameters.add(name) }
            }
        ) { (row) throws(MemexError) -> Bool in
            var record = DerivedRecord(kind: kind, name: row.text(0), body: Array(row.bytes(5)))
            record.fromSeq = row.int(1)
            record.toSeq = row.int(2)
            record.rev = row.int(3)
            record.createdAt = row.int(4)
            return try visit(record)
        }
    }

    func blob(_ hash: BlobHash) throws(MemexError) -> [UInt8]? {
        var found: [UInt8]?
        try run(
            .blob, "reading a blob",
            { parameters in hash.bytes.withUnsafeBufferPointer { parameters.add($0) } }
        ) {
            (row) throws(MemexError) -> Bool in
            found = Array(row.bytes(0))
            return false
        }
        return found
    }
}
