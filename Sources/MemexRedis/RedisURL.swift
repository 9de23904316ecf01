package import MemexModel

/// `redis://[user[:password]@]host[:port][/database]` and `redis+cluster://…host:port,host:port`, with
/// parameters behind a question mark. What it says in errors never repeats the URL: a password may be
/// anywhere in it.
package struct RedisURL: Sendable {
    package private(set) var isCluster = false
    package private(set) var isEncrypted = false
    var addresses: [RedisAddress] = []
    package private(set) var user: String?
    package private(set) var password: String?
    package private(set) var database = 0
    /// Begins the name of every key, so that stores share a database.
    package private(set) var prefix = "memex"
    /// Connections to one server.
    package private(set) var poolSize = 8
    package private(set) var poolWait: Int64 = .max
    /// Replicas that confirm a commit before it is acknowledged; nil for the default of the durability.
    package private(set) var replicas: Int?
    package private(set) var connectTimeout: Int64 = .max
    /// Of a cluster's store, when it is created: over how many hash tags its threads are spread.
    package private(set) var shards = 256

    package static let defaultPort = 6379

    package init(_ url: String) throws(MemexError) {
        guard let colon = url.utf8.firstIndex(of: 0x3A) else { throw Self.invalid("has no scheme") }
        switch url[..<colon] {
        case "redis": break
        case "rediss": isEncrypted = true
        case "redis+cluster": isCluster = true
        default: throw Self.invalid("is none of redis://, rediss:// and redis+cluster://")
        }
        var rest = url[url.utf8.index(after: colon)...]
        guard rest.hasPrefix("//") else {
            throw Self.invalid("wants two slashes: redis://user:password@host:6379/0")
        }
        rest = rest.dropFirst(2)
        guard !rest.utf8.contains(0x23) else { throw Self.invalid("has a #; write %23 in a password") }
        if let mark = rest.utf8.firstIndex(of: 0x3F) {
            try takeParameters(rest[rest.utf8.index(after: mark)...])
            rest = rest[..<mark]
        }
        if let slash = rest.utf8.firstIndex(of: 0x2F) {
            try takeDatabase(rest[rest.utf8.index(after: slash)...])
            rest = rest[..<slash]
        }
        if let at = rest.utf8.lastIndex(of: 0x40) {
            try takeUser(rest[..<at])
            rest = rest[rest.utf8.index(after: at)...]
        }
        try takeAddresses(rest)
    }

    private mutating func takeDatabase(_ text: Substring) throws(MemexError) {
        if text.isEmpty { return }
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text), number < 1 << 20
        else {
            throw Self.invalid("has a database that is no number; give redis://host:6379/0")
        }
        guard !isCluster || number == 0 else { throw Self.invalid("has a database; a cluster has 0 alone") }
        database = number
    }

    private mutating func takeUser(_ text: Substring) throws(MemexError) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let name = try Self.decoded(parts[0])
        if !name.isEmpty { user = name }
        if parts.count == 2 { password = try Self.decoded(parts[1]) }
        guard user == nil || password != nil else {
            throw Self.invalid("has a user without a password; write user:password@, or :password@ alone")
        }
    }

    private mutating func takeAddresses(_ text: Substring) throws(MemexError) {
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let hasPort = part.hasPrefix("[") ? !part.hasSuffix("]") : part.utf8.contains(0x3A)
            let host = hasPort ? String(part) : "\(part):\(Self.defaultPort)"
            guard let address = RedisAddress(host), !address.host.isEmpty else {
                throw Self.invalid("wants host:port; an IPv6 address stands in brackets")
            }
            addresses.append(address)
        }
        guard isCluster || addresses.count == 1 else {
            throw Self.invalid("has several hosts; a cluster is named by redis+cluster://host:port,host:port")
        }
    }

    private mutating func takeParameters(_ text: Substring) throws(MemexError) {
        for pair in text.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count == 2 ? parts[1] : ""
            switch parts[0] {
            case "prefix": prefix = try Self.name(value)
            case "pool_size": poolSize = Int(try Self.number(value, "pool_size", 1...1_000))
            case "pool_wait_us": poolWait = try Self.number(value, "pool_wait_us", 0...86_400_000_000)
            case "connect_timeout_us":
                connectTimeout = try Self.number(value, "connect_timeout_us", 1...86_400_000_000)
            case "replicas": replicas = Int(try Self.number(value, "replicas", 0...64))
            case "shards":
                guard isCluster else { throw Self.invalid("has shards, which belong to redis+cluster://") }
                shards = Int(try Self.number(value, "shards", 1...4_096))
            default:
                throw Self.invalid(
                    "has a parameter that is not known; known are prefix, pool_size, pool_wait_us, "
                        + "connect_timeout_us, replicas, and shards of a cluster")
            }
        }
    }

    private static func number(
        _ text: Substring, _ name: StaticString, _ range: ClosedRange<Int64>
    ) throws(MemexError) -> Int64 {
        guard let value = Int64(text), range.contains(value) else {
            throw invalid(
                "has \(name), which wants a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    /// It stands in the names of keys, in front of a hash tag.
    private static func name(_ text: Substring) throws(MemexError) -> String {
        let isName = text.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0) || (0x30...0x39).contains($0)
                || $0 == 0x5F || $0 == 0x2D || $0 == 0x2E
        }
        guard isName, !text.isEmpty, text.utf8.count <= 63 else {
            throw invalid("has prefix, which wants 1 to 63 letters, digits, points, dashes and underscores")
        }
        return String(text)
    }

    private static func decoded(_ text: Substring) throws(MemexError) -> String {
        var bytes: [UInt8] = []
        var at = text.utf8.makeIterator()
        while let byte = at.next() {
            if byte != 0x25 {
                bytes.append(byte)
                continue
            }
            guard let high = at.next().flatMap(hex), let low = at.next().flatMap(hex) else {
                throw invalid("has a % that two hexadecimal digits do not follow")
            }
            bytes.append(high << 4 | low)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func hex(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x37
        case 0x61...0x66: byte - 0x57
        default: nil
        }
    }

    private static func invalid(_ text: String) -> MemexError { MemexError.invalid(path: "/url", text) }
}
