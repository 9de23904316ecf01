internal import CMemexShim
internal import MemexModel
internal import MemexStorage

/// Why a round trip did not give what it was asked for.
enum PostgreSQLFault: Error {
    /// The server said no: nothing of the transaction is stored.
    case refused(ServerError)
    /// The connection ended; nothing had been sent, or nobody knows what became of it.
    case lost(wasSent: Bool)
    /// The deadline passed while the server said nothing; the connection is of no use any more.
    case silent
    /// `isCertain`: the server said that it stored nothing. `bySignal`: the caller is to handle a signal.
    case interrupted(isCertain: Bool, bySignal: Bool)
    /// Of this library: memory, or libpq does not do what it is asked.
    case failed(MemexError)
}

/// What a server says when it refuses: the code and two fields, never its sentence, which may hold values.
struct ServerError {
    var state = ""
    var detail = ""

    init(_ result: OpaquePointer) {
        state = Self.field(result, 0x43)  // PG_DIAG_SQLSTATE
        // A detail of ours is a number; other details may hold values of a row.
        if state.hasPrefix("MX") { detail = Self.field(result, 0x44) }  // PG_DIAG_MESSAGE_DETAIL
    }

    private static func field(_ result: OpaquePointer, _ code: Int32) -> String {
        memex_pq_field(result, code).map { String(cString: $0) } ?? ""
    }

    /// Somebody else's transaction was in the way, or a plan is gone: the same may succeed at once.
    var isTransient: Bool {
        switch state {
        // Serialization, deadlock, a row stored meanwhile under another isolation level, a cached plan, a
        // session that was ended before it did what it was asked.
        case "40001", "40P01", "23505", "0A000", "57P01", "57P03": true
        default: isUnknownStatement || isReadOnlyServer
        }
    }

    /// A pooler gave us another session than the one that prepared the statement.
    var isUnknownStatement: Bool { state == "26000" || state == "42P05" }

    /// The server became, or is, a standby.
    var isReadOnlyServer: Bool { state == "25006" }

    var isLockTimeout: Bool { state == "55P03" }
    var isCancelled: Bool { state == "57014" }

    /// The condition of the contract that did not hold, for `MX00n`.
    static func condition(_ number: Int64, _ detail: Int64, expected: Int64) -> MemexError {
        switch number {
        case 1: ContractError.gone
        case 2: ContractError.threadExists
        case 3: ContractError.messageExists
        case 4: ContractError.otherBytes
        case 5: ContractError.changed
        case 6: ContractError.lastSeq
        case 7: ContractError.version(expected, detail)
        case 8: ContractError.seq(expected, detail)
        case 9: MemexError(.limit, "seq \(detail) is not between 1 and \(Limits.seq)")
        default: MemexError(.internal, "the server answered with a condition that does not exist")
        }
    }

    /// As the caller sees it. `expected` is what a condition of the failed operation wanted.
    func error(_ doing: StaticString, expected: Int64 = 0) -> MemexError {
        if state.hasPrefix("MX"), let number = Int64(state.dropFirst(2)) {
            return Self.condition(number, Int64(detail) ?? 0, expected: expected)
        }
        let (code, advice) = explain()
        return MemexError(
            code, "\(doing): \(advice) (SQLSTATE \(state))",
            detailMembers: "\"engine\":\"postgresql\",\"engine_code\":\(JSONText.quoted(state))")
    }

    private func explain() -> (MemexError.Code, String) {
        switch state {
        case "55P03":
            return (
                .timeout, "another transaction holds the thread longer than timeout_us; nothing was stored"
            )
        case "57014":
            return (
                .timeout, "the server's statement_timeout passed, or somebody cancelled; nothing was stored"
            )
        case "40001", "40P01", "23505":
            return (
                .busy, "other transactions were in the way again and again; call again, nothing was stored"
            )
        case "25006":
            return (.unavailable, "the server is read-only, a standby perhaps; name the primary in the URL")
        case "42501":
            return (.denied, "the role has no permission; the grants are in docs/reference/postgresql.md")
        case "42P01", "42883", "3F000", "42703":
            return (
                .corrupt, "a table or function of the schema is missing; restore it, or open another schema"
            )
        case "53100":
            return (.full, "the server's disk is full; make room and try again, nothing was stored")
        case "53200": return (.noMemory, "the server is out of memory; nothing was stored")
        case "53300":
            return (.busy, "the server has no connection left; lower pool_size or raise max_connections")
        case "57P01", "57P02", "57P03":
            return (.unavailable, "the server is shutting down or starting; try again")
        case "54000", "22001": return (.limit, "a value is too large for the server")
        case "XX001", "XX002":
            return (.corrupt, "the server reports damaged data; restore the database from a backup")
        case "26000", "42P05":
            return (
                .unsupported,
                "prepared statements do not survive this pooler; put prepared=false into the URL"
            )
        default: break
        }
        switch state.prefix(2) {
        case "53": return (.full, "the server is out of resources; nothing was stored")
        case "58": return (.io, "the server's system refused a read or a write; nothing was stored")
        case "08": return (.unavailable, "the connection to the server broke")
        default: return (.io, "the server refused; its log says why")
        }
    }
}
