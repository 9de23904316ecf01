internal import MemexModel
internal import MemexStorage

/// Looks for damage that the server cannot see: every record's checksum, every seq, every reference.
struct PostgreSQLChecker {
    let connection: PostgreSQLConnection
    private static let problemsMaximum = 100

    /// One sentence a problem, at most a hundred.
    func problems(until deadline: Deadline) throws(MemexError) -> [String] {
        var problems: [String] = []
        try checkRows(&problems, deadline)
        try checkSeqs(&problems, deadline)
        return problems
    }

    private func forEach(
        _ sql: String, _ deadline: Deadline, _ visit: (PostgreSQLRow) -> Bool
    ) throws(MemexError) {
        do throws(PostgreSQLFault) {
            try connection.queue(sql: connection.filled(sql))
            try connection.run(until: deadline, streams: true) { _, row in visit(row) }
        } catch { throw PostgreSQLReader.error(error, "checking the database") }
    }

    private func checkRows(_ problems: inout [String], _ deadline: Deadline) throws(MemexError) {
        var found: [String] = []
        var view = MessageView()
        try forEach(
            "SELECT \(PostgreSQLStatement.messageColumns), m.thread FROM {schema}.messages m", deadline
        ) { row in
            do throws(MemexError) {
                try PostgreSQLReader.read(row, into: &view)
                try view.verify()
            } catch { found.append("message \(row.int(0)) of thread number \(row.int(16)) is damaged") }
            return found.count < Self.problemsMaximum
        }
        problems += found
    }

    /// Seqs of a thread's own messages are dense, and belong to a thread.
    private func checkSeqs(_ problems: inout [String], _ deadline: Deadline) throws(MemexError) {
        var found: [String] = []
        try forEach(
            "SELECT m.thread, t.key, count(*), max(m.seq)::bigint, t.floor FROM {schema}.messages m "
                + "LEFT JOIN {schema}.threads t ON t.tenant = m.tenant AND t.key = m.thread "
                + "WHERE m.seq > coalesce(t.floor, 0) GROUP BY m.thread, t.key, t.floor", deadline
        ) { row in
            if row.isNull(1) {
                found.append("messages of thread number \(row.int(0)) have no thread")
            } else if row.int(2) != row.int(3) - row.int(4) {
                found.append("thread number \(row.int(0)) has a gap in its seqs")
            }
            return found.count < Self.problemsMaximum
        }
        problems += found
    }
}
