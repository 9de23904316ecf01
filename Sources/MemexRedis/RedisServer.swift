internal import MemexModel

/// What the servers say of themselves when a store is opened.
struct RedisServer: Sendable {
    var version = ""
    /// Nil where the user may not ask.
    var appendOnly: String?
    var appendSync: String?
    var evictionPolicy: String?

    var major: Int { Int(version.prefix { $0 != "." }) ?? 0 }

    /// WAITAOF came with 7.2.
    var canConfirmDisk: Bool {
        let parts = version.split(separator: ".").compactMap { Int($0) }
        guard parts.count >= 2 else { return false }
        return (parts[0], parts[1]) >= (7, 2) && appendOnly == "yes"
    }

    /// An acknowledged commit is on the disk of the server.
    func isDurable(asksForDisk: Bool) -> Bool {
        appendOnly == "yes" && (appendSync == "always" || asksForDisk)
    }

    /// The server may remove keys of its own accord.
    var evicts: Bool { evictionPolicy?.hasPrefix("allkeys-") ?? false }

    var statistics: String {
        func quoted(_ text: String?) -> String { text.map { JSONText.quoted($0) } ?? "null" }
        return "\"server_version\":\(quoted(version)),\"appendonly\":\(quoted(appendOnly)),"
            + "\"appendfsync\":\(quoted(appendSync)),\"maxmemory_policy\":\(quoted(evictionPolicy))"
    }

    static func ask(_ servers: RedisServers, _ address: RedisAddress, until deadline: Deadline)
        throws(MemexError) -> RedisServer
    {
        let connection = try servers.pool(of: address).take(until: deadline)
        defer { servers.pool(of: address).give(connection) }
        var server = RedisServer()
        do throws(RedisFault) {
            var info = RedisCommand("INFO")
            info.append("server")
            try connection.queue(info)
            for name in ["appendonly", "appendfsync", "maxmemory-policy"] {
                var command = RedisCommand("CONFIG")
                command.append("GET")
                command.append(name)
                try connection.queue(command)
            }
            let replies = try connection.run(until: deadline)
            if let first = replies.first, first.value.isError {
                switch RedisRefusal(first.value) {
                case .notYet(let error): throw .failed(error)
                case .refused(let error) where error.code != .denied || first.value.text.hasPrefix("NOAUTH"):
                    throw .failed(error)
                default: break
                }
            }
            for line in replies.first?.value.text.split(whereSeparator: \.isNewline) ?? []
            where line.hasPrefix("redis_version:") {
                server.version = String(line.dropFirst("redis_version:".count))
            }
            func setting(_ index: Int) -> String? {
                index < replies.count ? replies[index].value[1]?.text : nil
            }
            server.appendOnly = setting(1)
            server.appendSync = setting(2)
            server.evictionPolicy = setting(3)
            withExtendedLifetime(replies) {}
        } catch { throw error.ofRead }
        return server
    }
}
