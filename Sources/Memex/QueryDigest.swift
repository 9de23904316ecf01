internal import MemexModel

/// What a token says of its query, so that another query refuses it: 64 bits of a SHA-256 over the parts
/// that decide what is listed, and in which order.
struct QueryDigest {
    private var hash = SHA256()

    mutating func add(_ number: Int64) {
        var stored = number.littleEndian
        withUnsafeBytes(of: &stored) { hash.update($0.bindMemory(to: UInt8.self)) }
    }

    /// With its length first, so that neighbours do not run together.
    mutating func add(_ bytes: [UInt8]) {
        add(Int64(bytes.count))
        bytes.withUnsafeBufferPointer { hash.update($0) }
    }

    mutating func add(_ text: String) { add(Array(text.utf8)) }

    mutating func add(_ flag: Bool) { add(flag ? 1 : 0) }

    /// As it stands in a token.
    mutating func text() -> String { String(hash.finish().0, radix: 36) }
}

extension ThreadFilter {
    /// The same for filters that mean the same in the same words, however they were spaced.
    func add(to digest: inout QueryDigest) {
        switch self {
        case .all(let parts), .any(let parts):
            if case .all = self { digest.add(1) } else { digest.add(2) }
            digest.add(Int64(parts.count))
            for part in parts { part.add(to: &digest) }
        case .not(let part):
            digest.add(3)
            part.add(to: &digest)
        case .field(let field, let operation, let value):
            digest.add(4)
            digest.add(operation.rawValue)
            field.add(to: &digest)
            value.add(to: &digest)
        }
    }
}

extension ThreadFilter.Field {
    func add(to digest: inout QueryDigest) {
        switch self {
        case .id: digest.add(1)
        case .title: digest.add(2)
        case .createdAt: digest.add(3)
        case .updatedAt: digest.add(4)
        case .lastMessageAt: digest.add(5)
        case .messageCount: digest.add(6)
        case .version: digest.add(7)
        case .metadata(let key):
            digest.add(8)
            digest.add(key)
        }
    }
}

extension ThreadFilter.Value {
    func add(to digest: inout QueryDigest) {
        switch self {
        case .number(let number):
            digest.add(1)
            digest.add(Int64(bitPattern: number.bitPattern))
        case .integer(let number):
            digest.add(2)
            digest.add(number)
        case .string(let bytes):
            digest.add(3)
            digest.add(bytes)
        case .bool(let flag):
            digest.add(4)
            digest.add(flag)
        case .null: digest.add(5)
        case .list(let values):
            digest.add(6)
            digest.add(Int64(values.count))
            for value in values { value.add(to: &digest) }
        }
    }
}
