package import MemexModel

/// The URL of a store, taken apart.
package enum StoreURL: Equatable {
    /// Private to its open.
    case memory
    /// Shared in the process.
    case sharedMemory(name: String)
    case sqlite(path: String)
    case sqliteMemory
    case lmdb(path: String)
    case file(path: String)
    /// The engine takes the URL apart.
    case postgresql
    /// The engine takes the URL apart.
    case redis
    /// Of a registered backend.
    case custom(scheme: String)

    package init(_ url: ByteView) throws(MemexError) {
        let text = url.text
        guard let colon = text.utf8.firstIndex(of: 0x3A), colon != text.startIndex else {
            throw MemexError.invalid(
                path: "/url",
                "has no scheme; give memory:, sqlite:///chat.db, postgresql://host/database or the URL of a "
                    + "registered backend")
        }
        guard !url.contains(0) else { throw MemexError.invalid(path: "/url", "has a NUL") }
        let scheme = String(text[..<colon])
        let rest = String(text[text.utf8.index(after: colon)...])
        switch scheme {
        case "memory":
            guard !rest.hasPrefix("//") else {
                throw MemexError.invalid(
                    path: "/url", "has slashes; give memory: (private) or memory:NAME (shared in the process)"
                )
            }
            self = rest.isEmpty ? .memory : .sharedMemory(name: rest)
        case "sqlite":
            if rest == ":memory:" || rest == "///:memory:" {
                self = .sqliteMemory
            } else {
                self = .sqlite(
                    path: try Self.path(
                        rest, "sqlite:///relative.db, sqlite:////absolute.db or sqlite::memory:"))
            }
        case "lmdb":
            self = .lmdb(path: try Self.path(rest, "lmdb:///relative-folder or lmdb:////absolute/folder"))
        case "file":
            self = .file(path: try Self.path(rest, "file:///relative-folder or file:////absolute/folder"))
        case "postgresql", "postgres":
            guard rest.hasPrefix("//") else {
                throw MemexError.invalid(
                    path: "/url", "wants two slashes: postgresql://user:password@host:5432/database")
            }
            self = .postgresql
        case "redis", "rediss", "redis+cluster":
            guard rest.hasPrefix("//") else {
                throw MemexError.invalid(
                    path: "/url", "wants two slashes: redis://user:password@host:6379/0")
            }
            self = .redis
        default: self = .custom(scheme: scheme)
        }
    }

    /// The path behind three slashes.
    private static func path(_ rest: String, _ examples: StaticString) throws(MemexError) -> String {
        guard rest.hasPrefix("///"), rest.utf8.count > 3 else {
            throw MemexError.invalid(path: "/url", "wants three slashes and a path: \(examples)")
        }
        let path = try percentDecoded(String(rest.dropFirst(3)))
        guard !path.contains("?") && !path.contains("#") else {
            throw MemexError.invalid(
                path: "/url", "options go into the configuration, not the URL; write %3F and %23 in a path")
        }
        return path.replacingMarks()
    }

    /// Decodes %XX; `?` and `#` that were written so are kept apart from bare ones by private marks.
    private static func percentDecoded(_ text: String) throws(MemexError) -> String {
        guard text.utf8.contains(0x25) else { return text }
        var bytes: [UInt8] = []
        var at = text.utf8.makeIterator()
        while let byte = at.next() {
            if byte != 0x25 {
                bytes.append(byte)
                continue
            }
            guard let high = at.next().flatMap(hex), let low = at.next().flatMap(hex) else {
                throw MemexError.invalid(path: "/url", "has a % that two hexadecimal digits do not follow")
            }
            let value = high << 4 | low
            guard value != 0 else { throw MemexError.invalid(path: "/url", "has a NUL") }
            if value == 0x3F || value == 0x23 {
                bytes += value == 0x3F ? String.questionMark.utf8 : String.numberMark.utf8
            } else {
                bytes.append(value)
            }
        }
        let invalid = bytes.withUnsafeBufferPointer { UTF8.firstInvalid($0) }
        guard invalid == nil else {
            throw MemexError.invalid(path: "/url", "is not UTF-8 after decoding %XX")
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
}

extension String {
    fileprivate static let questionMark = "\u{F0000}"
    fileprivate static let numberMark = "\u{F0001}"

    fileprivate func replacingMarks() -> String {
        var result = ""
        for scalar in unicodeScalars {
            switch scalar {
            case "\u{F0000}": result += "?"
            case "\u{F0001}": result += "#"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
