internal import MemexModel

/// Where a server listens.
struct RedisAddress: Hashable, Sendable {
    var host: String
    var port: Int

    init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// `host:port`, the host perhaps in brackets or with colons of its own. Nil when it is no such thing.
    init?(_ text: String) {
        guard let colon = text.utf8.lastIndex(of: 0x3A) else { return nil }
        guard let port = Int(text[text.utf8.index(after: colon)...]), (1...65_535).contains(port) else {
            return nil
        }
        var host = text[..<colon]
        if host.hasPrefix("[") {
            guard host.hasSuffix("]") else { return nil }
            host = host.dropFirst().dropLast()
        }
        self.host = String(host)
        self.port = port
    }
}
