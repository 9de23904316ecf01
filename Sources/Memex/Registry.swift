package import MemexModel
package import MemexStorage

/// Makes the engine behind a URL of a registered backend.
package protocol BackendFactory: AnyObject, Sendable {
    func open(url: String) throws(MemexError) -> any StorageEngine
}

/// What the program added at run time: backends by URL scheme. Strategies have their own, in the context
/// module.
package enum BackendRegistry {
    private static let factories = ProcessWide<[String: any BackendFactory]>([:])

    private static let reserved = [
        "memory", "sqlite", "file", "lmdb", "postgresql", "postgres", "redis", "rediss", "redis+cluster",
        "mongodb",
    ]

    /// Lower-case letters, digits, + and -, beginning with a letter.
    package static func checkName(_ name: ByteView) throws(MemexError) {
        try Identifier.check(name, "the name")
        guard name.count <= 63, let first = name.first, (0x61...0x7A).contains(first),
            name.allSatisfy({
                (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2B || $0 == 0x2D
                    || $0 == 0x5F
            })
        else {
            throw MemexError(
                .invalid,
                "a name has 1 to 63 lower-case letters, digits, +, - and _, and begins with a letter")
        }
    }

    package static func register(_ name: ByteView, _ factory: any BackendFactory) throws(MemexError) {
        try checkName(name)
        let text = name.text
        let isTaken = factories.withLock { factories in
            if reserved.contains(text) || factories[text] != nil { return true }
            factories[text] = factory
            return false
        }
        if isTaken { throw MemexError(.exists, "a backend of that name is built in or registered") }
    }

    package static func unregister(_ name: ByteView) throws(MemexError) {
        let text = name.text
        let removed = factories.withLock { $0.removeValue(forKey: text) }
        if removed == nil { throw MemexError(.notFound, "no backend of that name is registered") }
    }

    package static func factory(_ scheme: String) -> (any BackendFactory)? {
        factories.withLock { $0[scheme] }
    }

    package static var names: [String] { factories.withLock { $0.keys.sorted() } }
}
