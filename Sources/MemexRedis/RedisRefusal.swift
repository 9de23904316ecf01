internal import MemexModel

/// What a server says when it refuses: its code word alone, never its sentence, which may hold values.
enum RedisRefusal {
    /// The slot is another server's.
    case moved(RedisAddress)
    /// The key is on its way to another server, which is to be asked once.
    case ask(RedisAddress)
    /// The same may succeed a little later.
    case notYet(MemexError)
    case unknownScript
    /// The server is a replica.
    case replica
    case refused(MemexError)

    init(_ reply: RedisValue) {
        let words = reply.text.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: true)
        let code = words.first.map(String.init) ?? ""
        func address() -> RedisAddress? { words.count > 2 ? RedisAddress(String(words[2])) : nil }
        func error(_ status: MemexError.Code, _ advice: StaticString) -> MemexError {
            MemexError(
                status, "\(advice) (Redis says \(code.prefix(24)))",
                detailMembers:
                    "\"engine\":\"redis\",\"engine_code\":\(JSONText.quoted(String(code.prefix(24))))")
        }
        switch code {
        case "MOVED":
            self =
                address().map { .moved($0) }
                ?? .refused(error(.io, "the server sent a redirection without a place"))
        case "ASK":
            self =
                address().map { .ask($0) }
                ?? .refused(error(.io, "the server sent a redirection without a place"))
        case "NOSCRIPT": self = .unknownScript
        case "READONLY": self = .replica
        case "TRYAGAIN": self = .notYet(error(.busy, "the thread's slot is being moved; call again"))
        case "BUSY": self = .notYet(error(.busy, "the server runs a long script; call again"))
        case "CLUSTERDOWN":
            self = .notYet(
                error(.unavailable, "the cluster is not complete: a slot has no server; call again"))
        case "LOADING": self = .notYet(error(.unavailable, "the server is reading its data; call again"))
        case "MASTERDOWN": self = .notYet(error(.unavailable, "the server has lost its master; call again"))
        case "NOREPLICAS":
            self = .notYet(
                error(.unavailable, "the server has too few replicas to write (min-replicas-to-write)"))
        case "OOM":
            self = .refused(
                error(.full, "the server's memory is full (maxmemory); make room, nothing was stored"))
        case "MISCONF":
            self = .refused(
                error(.full, "the server cannot write its data to its disk and accepts nothing; see its log"))
        case "NOAUTH", "WRONGPASS":
            self = .refused(error(.denied, "the server does not accept the user or the password of the URL"))
        case "NOPERM":
            self = .refused(
                error(
                    .denied, "the user has no permission; the rules it needs are in docs/reference/redis.md"))
        case "WRONGTYPE":
            self = .refused(error(.corrupt, "a key of the store holds what another program has put there"))
        case "CROSSSLOT":
            self = .refused(error(.unsupported, "the server is a cluster; use redis+cluster://"))
        default: self = .refused(error(.io, "the server refused; its log may say why"))
        }
    }
}
