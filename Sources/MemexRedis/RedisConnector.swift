internal import CMemexShim
internal import MemexModel
#if canImport(Glibc)
    internal import Glibc
#endif

/// Makes connections: a socket, then user, password and database.
final class RedisConnector: Sendable {
    let url: RedisURL
    private let interruptions: RedisInterruptions

    init(_ url: RedisURL, _ interruptions: RedisInterruptions) {
        self.url = url
        self.interruptions = interruptions
    }

    static let interrupted = MemexError(
        .cancelled, "interrupted while waiting for the Redis server; nothing was stored")
    static let unreachable = MemexError(
        .unavailable,
        "no Redis server of the URL answers; check host and port, and whether the server runs; nothing was stored",
        detailMembers: "\"engine\":\"redis\"")
    private static let silent = MemexError(
        .timeout, "the Redis server accepts connections and does not answer; nothing was stored",
        detailMembers: "\"engine\":\"redis\"")

    func connect(_ address: RedisAddress, until deadline: Deadline) throws(MemexError) -> RedisConnection {
        let began = interruptions.current
        let limit = min(deadline.at, Deadline(after: url.connectTimeout).at)
        let descriptor = try open(address, until: Deadline(at: limit), began, call: deadline)
        let connection = try RedisConnection(descriptor, address, interruptions)
        do throws(MemexError) {
            try greet(connection, until: Deadline(at: limit))
            return connection
        } catch {
            connection.close()
            throw error
        }
    }

    private func greet(_ connection: RedisConnection, until deadline: Deadline) throws(MemexError) {
        guard url.password != nil || url.database != 0 else { return }
        do throws(RedisFault) {
            if let password = url.password {
                var command = RedisCommand("AUTH")
                if let user = url.user { command.append(user) }
                command.append(password)
                try connection.queue(command)
            }
            if url.database != 0 {
                var command = RedisCommand("SELECT")
                command.append(number: Int64(url.database))
                try connection.queue(command)
            }
            let replies = try connection.run(until: deadline)
            if url.password != nil, let first = replies.first, first.value.isError {
                throw .failed(Self.denied(first.value))
            }
            if url.database != 0, let last = replies.last, last.value.isError {
                throw .failed(Self.noDatabase(last.value, url.database))
            }
        } catch {
            if case .failed(let failure) = error { throw failure }
            if case .interrupted = error { throw Self.interrupted }
            if case .silent = error { throw Self.silent }
            throw Self.unreachable
        }
    }

    private static func denied(_ reply: RedisValue) -> MemexError {
        switch RedisRefusal(reply) {
        case .notYet(let error): error
        default:
            MemexError(
                .denied,
                "the Redis server does not accept the user or the password of the URL; nothing was stored",
                detailMembers: "\"engine\":\"redis\"")
        }
    }

    private static func noDatabase(_ reply: RedisValue, _ number: Int) -> MemexError {
        if case .notYet(let error) = RedisRefusal(reply) { return error }
        if case .refused(let error) = RedisRefusal(reply), error.code == .denied { return error }
        return MemexError(
            .notFound,
            "the Redis server has no database \(number); raise its setting databases, or choose another (a cluster "
                + "has 0 alone)", detailMembers: "\"engine\":\"redis\"")
    }

    // MARK: Sockets

    private func open(
        _ address: RedisAddress, until deadline: Deadline, _ began: Int, call: Deadline
    ) throws(MemexError) -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_ADDRCONFIG
        var list: UnsafeMutablePointer<addrinfo>?
        // A name is looked up by the system, which has time-outs of its own; an address needs no look-up.
        guard getaddrinfo(address.host, String(address.port), &hints, &list) == 0, let list else {
            throw Self.unreachable
        }
        defer { freeaddrinfo(list) }
        var next: UnsafeMutablePointer<addrinfo>? = list
        while let entry = next {
            next = entry.pointee.ai_next
            let descriptor = socket(
                entry.pointee.ai_family,
                Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
            if descriptor < 0 { continue }
            var isKept = false
            defer { if !isKept { Glibc.close(descriptor) } }
            if Glibc.connect(descriptor, entry.pointee.ai_addr, entry.pointee.ai_addrlen) != 0 {
                guard errno == EINPROGRESS, try isConnected(descriptor, until: deadline, began, call: call)
                else {
                    continue
                }
            }
            var on: Int32 = 1
            setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, 4)
            // A connection that a firewall forgot is noticed while it is idle.
            setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, 4)
            isKept = true
            return descriptor
        }
        throw Self.unreachable
    }

    private func isConnected(
        _ descriptor: Int32, until deadline: Deadline, _ began: Int, call: Deadline
    ) throws(MemexError) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        while true {
            let slice = min(deadline.remaining / 1000 &+ 1, 20)
            let ready = poll(&entry, 1, Int32(truncatingIfNeeded: slice))
            if ready > 0 {
                var code: Int32 = 0
                var length = socklen_t(4)
                return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) == 0 && code == 0
            }
            if interruptions.current != began { throw Self.interrupted }
            if ready < 0, errno == EINTR, call.isInterruptible {
                throw MemexError.paused(bySignal: true, remaining: call.remaining)
            }
            if deadline.isPast { throw Self.silent }
        }
    }
}
