internal import CMemexShim
internal import MemexModel
internal import MemexStorage

/// Rows that are missing. The head of a thread does not say how many it has, so a gap shows by what lies behind it:
/// a later row of the same run, or a later run.
extension RunLocator {
    static func lost(_ key: Int64) -> MemexError {
        MemexError(
            .corrupt,
            "message \(RowKey.seq(key)) of a thread is not in the database any more, though later ones are: rows were "
                + "removed by another program; run the check command and restore from a backup",
            detailMembers: "\"seq\":\(RowKey.seq(key))")
    }

    private static let lostRuns = MemexError(
        .corrupt,
        "the index of messages lacks what the last message needs: rows were removed by another program; run the "
            + "check command and restore from a backup")

    /// Up to which seq a thread need not have rows of its own; nil when there is no such thread.
    func sparseTop(_ thread: Int64) throws(MemexError) -> Int64? {
        head.bind(1, thread)
        defer { head.reset() }
        let code = head.step()
        if code == SQLITE_DONE { return nil }
        guard code == SQLITE_ROW else { throw connection.error(code, "reading a thread") }
        // Hidden threads keep what their forks share.
        let top = head.int(2) != 0 ? head.stored(1) : head.stored(0)
        guard StoredNumber.isSeq(top) else {
            throw StoredNumber.impossible("floor", top, of: "thread number \(thread)")
        }
        return top
    }

    /// Throws when rows for these keys must be there. They were looked for and not found.
    /// - Parameters:
    ///   - run: the run before them, if there is one.
    ///   - hasLater: whether a run above them is known.
    func confirmGap(
        _ thread: Int64, after run: Run?, from: Int64, to: Int64, hasLater: Bool = false
    ) throws(MemexError) {
        guard from <= to, let sparse = try sparseTop(thread), RowKey.seq(to) > sparse else { return }
        let first = max(from, RowKey.make(thread, sparse &+ 1))
        let hasMore = hasLater ? true : try hasRun(above: first &- 1, of: thread)
        if hasMore { throw Self.lost(first) }
        guard let run else { return try confirmNewest() }
        rowFrom.bind(1, run.row(of: from))
        defer { rowFrom.reset() }
        let code = rowFrom.step()
        if code == SQLITE_DONE { return }
        guard code == SQLITE_ROW else { throw connection.error(code, "finding a message") }
        let key = rowFrom.int(1)
        if key > first, key <= RowKey.bounds(thread).1, run.row(of: key) == rowFrom.int(0) {
            throw Self.lost(first)
        }
    }

    private func hasRun(above key: Int64, of thread: Int64) throws(MemexError) -> Bool {
        runAbove.bind(1, key)
        runAbove.bind(2, RowKey.bounds(thread).1)
        defer { runAbove.reset() }
        let code = runAbove.step()
        guard code == SQLITE_ROW || code == SQLITE_DONE else {
            throw connection.error(code, "finding a message")
        }
        return code == SQLITE_ROW
    }

    /// Throws unless the last row of the table can be found: what every append relies on.
    func confirmNewest() throws(MemexError) {
        let newest = try lastRow()
        if newest.row == 0 { return }
        guard StoredNumber.isCount(newest.row), RowKey.isPossible(newest.key) else {
            throw StoredNumber.impossible("row", newest.row, of: "the last message")
        }
        if try row(newest.key >> 32, RowKey.seq(newest.key)) != newest.row {
            throw Self.lostRuns
        }
    }

    /// Throws unless the message before a run is there, too.
    func confirmBeginning(of run: Run, sparseTop: Int64) throws(MemexError) {
        let seq = RowKey.seq(run.key) &- 1
        guard seq > sparseTop else { return }
        if try row(run.key >> 32, seq) == nil { throw Self.lost(run.key &- 1) }
    }
}
