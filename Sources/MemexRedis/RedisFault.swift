internal import MemexModel

/// Why a round trip did not give what it was asked for.
enum RedisFault: Error {
    /// The connection ended; nothing had been sent, or nobody knows what became of it.
    case lost(wasSent: Bool)
    /// The deadline passed while the server said nothing; the connection is of no use any more.
    case silent(wasSent: Bool)
    case interrupted(wasSent: Bool)
    /// Of this library: memory, or hiredis does not do what it is asked.
    case failed(MemexError)

    /// Whether a write may have been done.
    var mayHaveWritten: Bool {
        switch self {
        case .lost(let wasSent), .silent(let wasSent), .interrupted(let wasSent): wasSent
        case .failed: false
        }
    }

    private static let members = "\"engine\":\"redis\""

    /// As the caller of a read sees it.
    var ofRead: MemexError {
        switch self {
        case .failed(let error): error
        case .lost:
            MemexError(
                .unavailable, "the connection to the Redis server broke; call again",
                detailMembers: Self.members)
        case .silent:
            MemexError(
                .timeout, "the Redis server did not answer within timeout_us", detailMembers: Self.members)
        case .interrupted: MemexError(.cancelled, "interrupted while waiting for the Redis server")
        }
    }

    /// As the caller of a write sees it.
    var ofWrite: MemexError {
        if mayHaveWritten {
            return MemexError(
                .outcomeUnknown,
                "\(reason); repeat the call with its idempotency key: it is stored once",
                detailMembers: Self.members)
        }
        switch self {
        case .failed(let error): return error
        case .lost:
            return MemexError(
                .unavailable, "the connection to the Redis server broke; nothing was stored, call again",
                detailMembers: Self.members)
        case .silent:
            return MemexError(
                .timeout, "the Redis server did not answer within timeout_us; nothing was stored",
                detailMembers: Self.members)
        case .interrupted:
            return MemexError(
                .cancelled, "interrupted while waiting for the Redis server; nothing was stored")
        }
    }

    private var reason: String {
        switch self {
        case .lost: "the connection to the Redis server broke before it answered"
        case .silent: "the Redis server did not answer within timeout_us"
        case .interrupted: "interrupted, and the Redis server did not say whether it stored anything"
        case .failed(let error): error.message
        }
    }
}
