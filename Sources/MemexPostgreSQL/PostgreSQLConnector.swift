internal import CMemexShim
internal import MemexModel
#if canImport(Glibc)
    internal import Glibc
#endif

/// Makes connections to the first server of the URL that will do.
final class PostgreSQLConnector: Sendable {
    let url: PostgreSQLURL
    private let text: PostgreSQLText
    private let interruptions: PostgreSQLInterruptions

    init(_ url: PostgreSQLURL, _ text: PostgreSQLText, _ interruptions: PostgreSQLInterruptions) {
        self.url = url
        self.text = text
        self.interruptions = interruptions
    }

    /// How an attempt ended.
    private enum Attempt {
        case connected(OpaquePointer)
        /// Another server, or the same a little later, may do better.
        case notYet(String)
        case refused(MemexError)
    }

    /// Tries the servers in their order; while one of them is starting, or all of a list are standbys, again
    /// until the deadline.
    func connect(until deadline: Deadline) throws(MemexError) -> PostgreSQLConnection {
        let began = interruptions.current
        var pause: Int64 = 5_000
        while true {
            var reason = ""
            var mayHelpToWait = false
            for pass in url.prefersStandby ? ["standby", "any"] : [nil] {
                for (index, endpoint) in url.endpoints.enumerated() {
                    // A server that hangs leaves time for those that follow.
                    let share = deadline.remaining / Int64(url.endpoints.count - index)
                    let limit = Deadline(after: min(deadline.at == .max ? .max : share, url.connectTimeout))
                    switch try attempt(endpoint, attributes: pass, until: limit, began, call: deadline) {
                    case .connected(let handle):
                        return PostgreSQLConnection(
                            handle, text, usesPrepared: url.usesPrepared, interruptions)
                    case .refused(let error): throw error
                    case .notYet(let why):
                        mayHelpToWait = mayHelpToWait || why != Self.unreachable
                        if reason.isEmpty || reason == Self.unreachable { reason = why }
                    }
                }
            }
            if deadline.isPast || !mayHelpToWait {
                throw MemexError(
                    .unavailable, "\(reason); nothing was stored",
                    detailMembers: "\"engine\":\"postgresql\"")
            }
            _ = memex_shim_sleep_us(min(pause, deadline.remaining))
            if pause < 100_000 { pause *= 2 }
            if interruptions.current != began { throw Self.interrupted }
        }
    }

    static let interrupted = MemexError(
        .cancelled, "interrupted while waiting for the server; nothing was stored")
    private static let unreachable =
        "no server of the URL answers; check host and port, and whether the server runs"

    private func attempt(
        _ endpoint: PostgreSQLURL.Endpoint, attributes: String?, until deadline: Deadline, _ began: Int,
        call: Deadline
    ) throws(MemexError) -> Attempt {
        guard let handle = start(endpoint, attributes) else { throw .noMemory }
        // From here on a forked child would share the socket; it is closed there once it is known.
        var isKept = false
        defer { if !isKept { memex_pq_finish(handle) } }
        if memex_pq_is_bad(handle) != 0 { return judge(handle) }
        var events = Int32(POLLOUT)
        while true {
            var descriptor = pollfd(
                fd: memex_pq_socket(handle), events: Int16(truncatingIfNeeded: events), revents: 0)
            let slice = Int32(truncatingIfNeeded: min(deadline.remaining / 1000 + 1, 20))
            let ready = poll(&descriptor, 1, slice)
            if ready <= 0 {
                if interruptions.current != began { throw Self.interrupted }
                if ready < 0, errno == EINTR, call.isInterruptible {
                    throw MemexError.paused(bySignal: true, remaining: call.remaining)
                }
                if deadline.isPast {
                    return .notYet("a server of the URL accepts connections and does not answer")
                }
                continue
            }
            switch memex_pq_connect_poll(handle) {
            case PGRES_POLLING_READING: events = POLLIN
            case PGRES_POLLING_WRITING: events = POLLOUT
            case PGRES_POLLING_OK:
                guard memex_pq_prepare_connection(handle) != 0 else {
                    throw MemexError(
                        .unavailable, "libpq does not enter pipeline mode; install libpq 14 or newer")
                }
                isKept = true
                return .connected(handle)
            default: return judge(handle)
            }
        }
    }

    private func start(_ endpoint: PostgreSQLURL.Endpoint, _ attributes: String?) -> OpaquePointer? {
        var pairs = url.parameters
        if let attributes {
            pairs.removeAll { $0.keyword == "target_session_attrs" }
            pairs.append(("target_session_attrs", attributes))
        }
        if let host = endpoint.host { pairs.append(("host", host)) }
        if let address = endpoint.address { pairs.append(("hostaddr", address)) }
        if let port = endpoint.port { pairs.append(("port", port)) }
        var copies: [UnsafeMutablePointer<CChar>?] = []
        defer { for copy in copies { free(copy) } }
        func pointers(_ texts: [String]) -> [UnsafePointer<CChar>?] {
            texts.map {
                let copy = strdup($0)
                copies.append(copy)
                return UnsafePointer(copy)
            } + [nil]
        }
        let keywords = pointers(pairs.map(\.keyword))
        let values = pointers(pairs.map(\.value))
        return keywords.withUnsafeBufferPointer { keywords in
            values.withUnsafeBufferPointer { values in
                memex_pq_connect_start(keywords.baseAddress, values.baseAddress)
            }
        }
    }

    /// libpq gives no code for a failed connection. Its sentence names host, user and database, never a
    /// password; it is used to decide, and not repeated.
    private func judge(_ handle: OpaquePointer) -> Attempt {
        let text = memex_pq_error(handle).map { String(cString: $0) } ?? ""
        func says(_ part: String) -> Bool { Self.contains(text, part) }
        func refuse(_ code: MemexError.Code, _ message: String) -> Attempt {
            .refused(MemexError(code, message, detailMembers: "\"engine\":\"postgresql\""))
        }
        if says("session is read-only") || says("server is in hot standby mode")
            || says("server is not in hot standby")
            || says("session is not read-only")
        {
            return .notYet("no server of the URL is of the kind that target_session_attrs asks for")
        }
        if says("unsupported startup parameter") {
            return refuse(
                .unsupported,
                "a pooler does not pass on the settings of a session; put prepared=false into the URL")
        }
        if says("is starting up") || says("is shutting down") || says("not yet accepting")
            || says("in recovery mode")
        {
            return .notYet("the server is starting or shutting down")
        }
        if says("too many clients") || says("remaining connection slots") || says("too many connections") {
            return .notYet("the server has no connection left; lower pool_size or raise max_connections")
        }
        if memex_pq_needs_password(handle) != 0 || says("authentication failed")
            || says("no password supplied")
        {
            return refuse(
                .denied, "the server does not accept the user or the password of the URL; nothing was stored")
        }
        if says("no pg_hba.conf entry") {
            return refuse(
                .denied, "the server does not let this user into this database from here; see its pg_hba.conf"
            )
        }
        if says("does not exist") {
            return says("role \"")
                ? refuse(.denied, "the server does not know the user of the URL")
                : refuse(.notFound, "the database of the URL does not exist; create it with createdb")
        }
        if says("permission denied for database") {
            return refuse(.denied, "the user of the URL may not connect to this database")
        }
        if says("SSL") || says("certificate") || says("GSSAPI") {
            return refuse(
                .unavailable,
                "no encrypted connection can be made as sslmode asks; set up TLS on the server, or "
                    + "choose another sslmode in the URL")
        }
        if says("could not translate host name") {
            return .notYet(Self.unreachable)
        }
        return .notYet(Self.unreachable)
    }

    private static func contains(_ text: String, _ part: String) -> Bool {
        let bytes = Array(text.utf8)
        let wanted = Array(part.utf8)
        guard wanted.count <= bytes.count else { return false }
        for start in 0...(bytes.count - wanted.count)
        where bytes[start..<(start + wanted.count)].elementsEqual(wanted) {
            return true
        }
        return false
    }
}
