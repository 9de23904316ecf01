internal import MemexModel
internal import MemexStorage

extension ThreadFilter {
    func matches(_ record: ThreadRecord) throws(MemexError) -> Bool {
        switch self {
        case .all(let parts):
            for part in parts where try !part.matches(record) { return false }
            return true
        case .any(let parts):
            for part in parts where try part.matches(record) { return true }
            return false
        case .not(let part): return try !part.matches(record)
        case .field(let field, let operation, let operand):
            return Self.holds(try Self.value(of: field, record), operation, operand)
        }
    }

    /// What a thread has there; nil when nothing, and `unordered` for arrays and objects.
    private enum Found {
        case nothing
        case unordered
        case value(Value)
    }

    private static func value(of field: Field, _ record: ThreadRecord) throws(MemexError) -> Found {
        switch field {
        case .id: return .value(.string(Array(record.id.utf8)))
        case .title: return record.title.map { .value(.string(Array($0.utf8))) } ?? .nothing
        case .createdAt: return .value(.integer(record.createdAt))
        case .updatedAt: return .value(.integer(max(record.updatedAt, record.lastMessageAt)))
        case .lastMessageAt:
            return record.lastMessageAt == 0 ? .nothing : .value(.integer(record.lastMessageAt))
        case .messageCount: return .value(.integer(record.messageCount))
        case .version: return .value(.integer(record.version))
        case .metadata(let key): return try metadata(record, key)
        }
    }

    private static func metadata(_ record: ThreadRecord, _ key: [UInt8]) throws(MemexError) -> Found {
        guard let metadata = record.metadata else { return .nothing }
        let result: Result<Found, MemexError> = metadata.withUnsafeBufferPointer { metadata in
            key.withUnsafeBufferPointer { key in
                do throws(MemexError) {
                    guard ThreadRecord.isMetadata(metadata) else {
                        throw ThreadRecord.impossibleText("metadata", of: record.key)
                    }
                    guard let raw = rawMember(object: metadata, key) else { return .success(.nothing) }
                    let document = try JSONDocument(parsing: raw, limit: Limits.metadataBytes)
                    return .success(scalar(document.root).map { .value($0) } ?? .unordered)
                } catch { return .failure(error) }
            }
        }
        return try result.get()
    }

    private static func holds(_ found: Found, _ operation: Operator, _ operand: Value) -> Bool {
        if operation == .exists, case .bool(let wanted) = operand {
            if case .nothing = found { return !wanted }
            return wanted
        }
        guard case .value(let value) = found else { return operation == .ne }
        switch operation {
        case .eq: return compare(value, operand) == 0
        case .ne: return compare(value, operand) != 0
        case .lt: return compare(value, operand).map { $0 < 0 } ?? false
        case .lte: return compare(value, operand).map { $0 <= 0 } ?? false
        case .gt: return compare(value, operand).map { $0 > 0 } ?? false
        case .gte: return compare(value, operand).map { $0 >= 0 } ?? false
        case .in:
            guard case .list(let list) = operand else { return false }
            return list.contains { compare(value, $0) == 0 }
        case .prefix:
            guard case .string(let text) = value, case .string(let prefix) = operand else { return false }
            return text.starts(with: prefix)
        case .exists: return false
        }
    }

    /// Order of two values of one type; nil across types. Numbers compare as numbers, exactly.
    private static func compare(_ left: Value, _ right: Value) -> Int? {
        switch (left, right) {
        case (.integer(let a), .integer(let b)): return a < b ? -1 : a > b ? 1 : 0
        case (.number(let a), .number(let b)): return a < b ? -1 : a > b ? 1 : a == b ? 0 : nil
        case (.integer(let a), .number(let b)): return compare(a, b)
        case (.number(let a), .integer(let b)): return compare(b, a).map { -$0 }
        case (.string(let a), .string(let b)):
            return a.withUnsafeBufferPointer { a in b.withUnsafeBufferPointer { a.compare($0) } }
        case (.bool(let a), .bool(let b)): return a == b ? 0 : a ? 1 : -1
        case (.null, .null): return 0
        default: return nil
        }
    }

    private static func compare(_ integer: Int64, _ number: Double) -> Int? {
        if number.isNaN { return nil }
        if number >= 0x1p63 { return -1 }
        if number < -0x1p63 { return 1 }
        let whole = Int64(exactly: number.rounded(.down)) ?? 0
        if integer != whole { return integer < whole ? -1 : 1 }
        return number > number.rounded(.down) ? -1 : 0
    }
}
