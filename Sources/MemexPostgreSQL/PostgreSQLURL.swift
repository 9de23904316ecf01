internal import CMemexShim
package import MemexModel
#if canImport(Glibc)
    internal import Glibc
#endif

/// A connection URI of libpq, with a few parameters of ours that libpq never sees.
package struct PostgreSQLURL: Sendable {
    /// One server of the list.
    struct Endpoint: Sendable, Equatable {
        var host: String?
        var address: String?
        var port: String?
    }

    var schema = "memex"
    var poolSize = 8
    /// How long a call waits for a connection of the pool; the call's own deadline counts as well.
    var poolWait: Int64 = .max
    var usesPrepared = true
    /// Of the table of messages, when it is created.
    var partitions = 0
    /// Of one attempt to connect to one server.
    var connectTimeout: Int64 = .max
    /// libpq's keywords and values, without the server's.
    var parameters: [(keyword: String, value: String)] = []
    var endpoints: [Endpoint] = []
    /// `prefer-standby` asks all servers twice.
    var prefersStandby = false

    /// Never repeats what the URL holds: a password may be anywhere in it.
    package init(_ url: String, readOnly: Bool) throws(MemexError) {
        let rest = try takeOwnParameters(url)
        try parse(rest)
        try splitHosts()
        setDefaults(readOnly: readOnly)
    }

    // MARK: Our own parameters

    /// The URL without our parameters.
    private mutating func takeOwnParameters(_ url: String) throws(MemexError) -> String {
        guard let mark = url.utf8.firstIndex(of: 0x3F) else { return url }
        var kept: [Substring] = []
        for pair in url[url.utf8.index(after: mark)...].split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count == 2 ? String(parts[1]) : ""
            switch parts[0] {
            case "schema": schema = try Self.schemaName(value)
            case "pool_size": poolSize = Int(try Self.number(value, "pool_size", 1...1_000))
            case "pool_wait_us": poolWait = try Self.number(value, "pool_wait_us", 0...86_400_000_000)
            case "partitions": partitions = Int(try Self.number(value, "partitions", 0...1_024))
            case "prepared":
                guard value == "true" || value == "false" else {
                    throw MemexError.invalid(path: "/url", "has prepared, which is neither true nor false")
                }
                usesPrepared = value == "true"
            default: kept.append(pair)
            }
        }
        return url[..<mark] + (kept.isEmpty ? "" : "?" + kept.joined(separator: "&"))
    }

    private static func number(_ text: String, _ name: String, _ range: ClosedRange<Int64>) throws(MemexError)
        -> Int64
    {
        guard let value = Int64(text), range.contains(value) else {
            throw MemexError.invalid(
                path: "/url",
                "has \(name), which wants a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    /// It stands in statements and inside of strings, so there is nothing to quote in it.
    private static func schemaName(_ text: String) throws(MemexError) -> String {
        let isName = text.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0) || (0x30...0x39).contains($0)
                || $0 == 0x5F
        }
        guard isName, !text.isEmpty, text.utf8.count <= 63, !text.hasPrefix("pg_") else {
            throw MemexError.invalid(
                path: "/url",
                "has schema, which wants 1 to 63 letters, digits and underscores, not beginning with pg_")
        }
        return text
    }

    // MARK: libpq's

    private mutating func parse(_ url: String) throws(MemexError) {
        var message: UnsafeMutablePointer<CChar>?
        let options = url.withCString { memex_pq_parse($0, &message) }
        // libpq's own sentence quotes the URL.
        if let message { memex_pq_free(message) }
        guard let options else {
            throw MemexError.invalid(
                path: "/url",
                "is no connection URI of PostgreSQL, or has a parameter that libpq does not know; "
                    + "give postgresql://user:password@host:5432/database, special characters as %XX")
        }
        defer { memex_pq_free_options(options) }
        var at = options
        while let keyword = at.pointee.keyword {
            if let value = at.pointee.val {
                parameters.append((String(cString: keyword), String(cString: value)))
            }
            at += 1
        }
    }

    func value(_ keyword: String) -> String? { parameters.first { $0.keyword == keyword }?.value }

    private mutating func take(_ keyword: String) -> String? {
        guard let index = parameters.firstIndex(where: { $0.keyword == keyword }) else { return nil }
        return parameters.remove(at: index).value
    }

    /// libpq leaves time-outs between the servers of a list to a caller that does not wait, so they are tried
    /// one by one.
    private mutating func splitHosts() throws(MemexError) {
        func list(_ text: String?) -> [String?] {
            guard let text else { return [] }
            return text.split(separator: ",", omittingEmptySubsequences: false).map {
                $0.isEmpty ? nil : String($0)
            }
        }
        let hosts = list(take("host") ?? Self.environment("PGHOST"))
        let addresses = list(take("hostaddr") ?? Self.environment("PGHOSTADDR"))
        let ports = list(take("port") ?? Self.environment("PGPORT"))
        let count = max(hosts.count, addresses.count, 1)
        guard hosts.isEmpty || hosts.count == count, addresses.isEmpty || addresses.count == count,
            ports.count <= 1 || ports.count == count
        else {
            throw MemexError.invalid(path: "/url", "has as many ports as hosts, or one, or none")
        }
        for index in 0..<count {
            let port = ports.count == 1 ? ports[0] : index < ports.count ? ports[index] : nil
            endpoints.append(
                Endpoint(
                    host: index < hosts.count ? hosts[index] : nil,
                    address: index < addresses.count ? addresses[index] : nil, port: port))
        }
    }

    static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    private mutating func setDefaults(readOnly: Bool) {
        func isGiven(_ keyword: String, _ variable: String) -> Bool {
            value(keyword) != nil || Self.environment(variable) != nil
        }
        if let seconds = value("connect_timeout") ?? Self.environment("PGCONNECT_TIMEOUT"),
            let number = Int64(seconds), number > 0, number < 100_000
        {
            connectTimeout = number * 1_000_000
        }
        // A service file may say what we would overrule.
        let hasService = isGiven("service", "PGSERVICE")
        if !hasService, !isGiven("sslmode", "PGSSLMODE"), !endpoints.allSatisfy(\.isLocal) {
            let hasRoot = isGiven("sslrootcert", "PGSSLROOTCERT")
            parameters.append(("sslmode", hasRoot ? "verify-full" : "require"))
        }
        if let attributes = value("target_session_attrs") ?? Self.environment("PGTARGETSESSIONATTRS") {
            prefersStandby = attributes == "prefer-standby"
        } else if endpoints.count > 1, !readOnly {
            parameters.append(("target_session_attrs", "read-write"))
        }
        // A connection that a firewall forgot is noticed while it is idle.
        for (keyword, value) in [
            ("keepalives_idle", "30"), ("keepalives_interval", "10"), ("keepalives_count", "3"),
        ] where self.value(keyword) == nil {
            parameters.append((keyword, value))
        }
        if value("fallback_application_name") == nil {
            parameters.append(("fallback_application_name", "memex"))
        }
        _ = take("client_encoding")
        parameters.append(("client_encoding", "UTF8"))
        // Settings of the session, which a pooler would not pass on: with it each statement is planned anew.
        if usesPrepared {
            let given = take("options") ?? Self.environment("PGOPTIONS") ?? ""
            parameters.append(
                (
                    "options",
                    given + " -c default_transaction_isolation=read\\ committed -c enable_seqscan=off"
                        + " -c enable_bitmapscan=off -c jit=off"
                ))
        }
    }
}

extension PostgreSQLURL.Endpoint {
    /// On this machine: what is sent does not leave it.
    var isLocal: Bool {
        if let address { return Self.isLoopback(address) }
        guard let host else { return true }
        return host.hasPrefix("/") || host.hasPrefix("@") || host == "localhost" || Self.isLoopback(host)
    }

    private static func isLoopback(_ host: String) -> Bool {
        if host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}
