import Foundation
import Memex
import MemexModel
import MemexTestSupport
import Testing

/// Generated filters over generated threads, against an oracle that works on its own model of both.
@Suite struct ThreadFilterTests {
    /// A scalar as the test knows it. Numbers are kept as Decimal, which is exact for what is generated.
    enum Value: Equatable {
        case integer(Int64)
        case number(Double)
        case string(String)
        case bool(Bool)
        case null
        case list([Value])
        /// An object or array, which equals nothing.
        case other(String)

        var json: String {
            switch self {
            case .integer(let value): return "\(value)"
            case .number(let value): return "\(value)"
            case .string(let text): return quote(text)
            case .bool(let value): return "\(value)"
            case .null: return "null"
            case .list(let list): return "[" + list.map { $0.json }.joined(separator: ",") + "]"
            case .other(let text): return text
            }
        }
    }

    struct Record {
        var id: String
        var title: String?
        var createdAt: Int64
        var metadata: [String: Value]
        var messages: [Int64] = []
        var version: Int64 = 1
    }

    indirect enum Filter {
        case and([Filter])
        case or([Filter])
        case not(Filter)
        case field(String, isMetadata: Bool, [(String, Value)])

        var members: String {
            switch self {
            case .and(let parts): return "\"and\":[" + parts.map { $0.json }.joined(separator: ",") + "]"
            case .or(let parts): return "\"or\":[" + parts.map { $0.json }.joined(separator: ",") + "]"
            case .not(let part): return "\"not\":" + part.json
            case .field(let name, let isMetadata, let conditions):
                let inner =
                    quote(name) + ":{" + conditions.map { "\"\($0.0)\":\($0.1.json)" }.joined(separator: ",")
                    + "}"
                return isMetadata ? "\"metadata\":{" + inner + "}" : inner
            }
        }
        var json: String { "{" + members + "}" }
    }

    static func quote(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\u{0}"..."\u{1F}": out += "\\u" + String(format: "%04x", scalar.value)
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }

    private static let names = [
        "a", "A", "", "key", "'; DROP TABLE threads; --", "\"", "\\", "a.b", "$", "and", "or", "not", "id",
        "metadata", "ключ", "🚀", "a\u{1}b", "%", "\u{FFFF}", "a/b", "~0", "null",
    ]
    private static let texts = [
        "", "a", "aa", "ab", "b", "A", "a\u{0}", "ä", "a\u{308}", "🚀", "\u{FFFF}", "1", "true", "null", "%",
        "_",
        "' OR 1=1 --", "\"}", "\\", "\u{1}", "z",
    ]
    private static let integers: [Int64] = [
        0, 1, -1, 2, 10, 9_007_199_254_740_992, 9_007_199_254_740_993, -9_007_199_254_740_993, .max, .min,
    ]
    private static let numbers: [Double] = [
        0.5, -0.5, 1.5, 1e100, -1e100, 9_007_199_254_740_992, 1e18, 2.5e-10,
    ]

    private func scalar(_ generator: inout SeededGenerator) -> Value {
        switch generator.below(8) {
        case 0, 1: .integer(Self.integers[generator.below(Self.integers.count)])
        case 2: .number(Self.numbers[generator.below(Self.numbers.count)])
        case 3, 4, 5: .string(Self.texts[generator.below(Self.texts.count)])
        case 6: .bool(generator.below(2) == 0)
        default: .null
        }
    }

    private func filter(_ generator: inout SeededGenerator, depth: Int = 0) -> Filter {
        if depth < 4 {
            switch generator.below(8) {
            case 0: return .and((0...generator.below(3)).map { _ in filter(&generator, depth: depth + 1) })
            case 1: return .or((0...generator.below(3)).map { _ in filter(&generator, depth: depth + 1) })
            case 2: return .not(filter(&generator, depth: depth + 1))
            default: break
            }
        }
        let isMetadata = generator.below(2) == 0
        let fields = [
            "id", "title", "created_at_us", "updated_at_us", "last_message_at_us", "message_count", "version",
        ]
        let list = isMetadata ? Self.names : fields
        let name = list[generator.below(list.count)]
        var conditions: [(String, Value)] = []
        for _ in 0...generator.below(3) {
            let all = ["eq", "ne", "lt", "lte", "gt", "gte", "in", "prefix", "exists"]
            let operation = all[generator.below(all.count)]
            if conditions.contains(where: { $0.0 == operation }) { continue }
            var operand = scalar(&generator)
            if name.hasSuffix("_us"), !isMetadata, generator.below(2) == 0 {
                operand = .integer(1_000_000 * Int64(1 + generator.below(30)))
            }
            switch operation {
            case "in": operand = .list((0..<generator.below(4)).map { _ in scalar(&generator) })
            case "prefix": operand = .string(Self.texts[generator.below(Self.texts.count)])
            case "exists": operand = .bool(generator.below(2) == 0)
            case "lt", "lte", "gt", "gte":
                switch operand {
                case .bool, .null: operand = .integer(1)
                default: break
                }
            default: break
            }
            conditions.append((operation, operand))
        }
        return .field(name, isMetadata: isMetadata, conditions)
    }

    // MARK: The oracle

    private func holds(_ filter: Filter, _ record: Record) -> Bool {
        switch filter {
        case .and(let parts): return parts.allSatisfy { holds($0, record) }
        case .or(let parts): return parts.contains { holds($0, record) }
        case .not(let part): return !holds(part, record)
        case .field(let name, let isMetadata, let conditions):
            let value = isMetadata ? record.metadata[name] : builtIn(name, record)
            return conditions.allSatisfy { holds(value, $0.0, $0.1) }
        }
    }

    private func builtIn(_ name: String, _ record: Record) -> Value? {
        switch name {
        case "id": return .string(record.id)
        case "title": return record.title.map { .string($0) }
        case "created_at_us": return .integer(record.createdAt)
        case "updated_at_us": return .integer(max(record.createdAt, record.messages.last ?? 0))
        case "last_message_at_us": return record.messages.last.map { .integer($0) }
        case "message_count": return .integer(Int64(record.messages.count))
        default: return .integer(record.version)
        }
    }

    private func holds(_ value: Value?, _ operation: String, _ operand: Value) -> Bool {
        if operation == "exists" { return (value != nil) == (operand == .bool(true)) }
        guard let value else { return operation == "ne" }
        switch operation {
        case "eq": return order(value, operand) == .orderedSame
        case "ne": return order(value, operand) != .orderedSame
        case "lt": return order(value, operand) == .orderedAscending
        case "gt": return order(value, operand) == .orderedDescending
        case "lte": return order(value, operand).map { $0 != .orderedDescending } ?? false
        case "gte": return order(value, operand).map { $0 != .orderedAscending } ?? false
        case "in":
            guard case .list(let list) = operand else { return false }
            return list.contains { order(value, $0) == .orderedSame }
        default:
            guard case .string(let text) = value, case .string(let prefix) = operand else { return false }
            return Array(text.utf8).starts(with: Array(prefix.utf8))
        }
    }

    private func order(_ left: Value, _ right: Value) -> ComparisonResult? {
        func decimal(_ value: Value) -> Decimal? {
            switch value {
            case .integer(let integer): return Decimal(string: "\(integer)")
            // Whole numbers in full: "\(9007199254740992.0)" is written with an exponent.
            case .number(let number):
                return Decimal(
                    string: number == number.rounded() ? String(format: "%.0f", number) : "\(number)")
            default: return nil
            }
        }
        if let a = decimal(left), let b = decimal(right) {
            return a < b ? .orderedAscending : a > b ? .orderedDescending : .orderedSame
        }
        switch (left, right) {
        case (.string(let a), .string(let b)):
            let (a, b) = (Array(a.utf8), Array(b.utf8))
            return a == b
                ? .orderedSame : a.lexicographicallyPrecedes(b) ? .orderedAscending : .orderedDescending
        case (.bool(let a), .bool(let b)):
            return a == b ? .orderedSame : a ? .orderedDescending : .orderedAscending
        case (.null, .null): return .orderedSame
        default: return nil
        }
    }

    @Test(arguments: TestTarget.allCases)
    func filtersAgreeWithAnOracle(_ target: TestTarget) throws {
        let store = try TestStore(target)
        var generator = SeededGenerator(seed: 11)
        var records: [Record] = []
        for index in 0..<60 {
            var record = Record(
                id: "\(Self.texts[index % Self.texts.count].filter { $0 >= " " })\(index)", title: nil,
                createdAt: 1_000_000 * Int64(1 + generator.below(30)), metadata: [:])
            if generator.below(2) == 0 { record.title = Self.texts[generator.below(Self.texts.count)] }
            for _ in 0..<generator.below(8) {
                let value: Value =
                    generator.below(10) == 0
                    ? .other(["[]", "{}", "[1]", "{\"a\":1}"][generator.below(4)]) : scalar(&generator)
                record.metadata[Self.names[generator.below(Self.names.count)]] = value
            }
            var initial = "{\"id\":\(Self.quote(record.id)),\"created_at_us\":\(record.createdAt)"
            if let title = record.title { initial += ",\"title\":\(Self.quote(title))" }
            if !record.metadata.isEmpty {
                let members = record.metadata.map { Self.quote($0.key) + ":" + $0.value.json }
                initial += ",\"metadata\":{" + members.joined(separator: ",") + "}"
            }
            let thread = try store.session.create(initial + "}")
            for _ in 0..<generator.below(4) {
                let time = 1_000_000 * Int64(1 + generator.below(30))
                try thread.say("x", "{\"created_at_us\":\(time)}")
                record.messages.append(time)
            }
            records.append(record)
        }
        var matches = 0
        for _ in 0..<3_000 {
            let filter = filter(&generator)
            let wanted = records.filter { holds(filter, $0) }.map { Array($0.id.utf8) }
            let query = "{\"order\":\"created\",\"descending\":false,\"filter\":\(filter.json)}"
            let found = try store.session.ids(query).map { Array($0.utf8) }
            #expect(found == wanted, "\(query)")
            matches += wanted.isEmpty || wanted.count == records.count ? 0 : 1
        }
        #expect(matches > 500, "enough filters decide something: \(matches)")
    }

    @Test func wrongFiltersAreRefusedWithTheirPath() throws {
        let store = try TestStore(.memory)
        try store.session.create()
        let deep = String(repeating: "{\"not\":", count: 33) + "{}" + String(repeating: "}", count: 33)
        let wrong = [
            ("[]", "/filter"), ("{\"name\":{\"eq\":1}}", "/filter/name"), ("{\"id\":\"a\"}", "/filter/id"),
            ("{\"id\":{}}", "/filter/id"), ("{\"id\":{\"like\":\"a\"}}", "/filter/id/like"),
            ("{\"id\":{\"eq\":[1]}}", "/filter/id/eq"), ("{\"id\":{\"eq\":{}}}", "/filter/id/eq"),
            ("{\"id\":{\"in\":1}}", "/filter/id/in"), ("{\"id\":{\"in\":[[1]]}}", "/filter/id/in/0"),
            ("{\"id\":{\"prefix\":1}}", "/filter/id/prefix"),
            ("{\"id\":{\"exists\":1}}", "/filter/id/exists"),
            ("{\"id\":{\"lt\":null}}", "/filter/id/lt"), ("{\"id\":{\"gte\":true}}", "/filter/id/gte"),
            ("{\"and\":[]}", "/filter/and"), ("{\"or\":{}}", "/filter/or"), ("{\"not\":[]}", "/filter/not"),
            ("{\"and\":[{},{\"x\":1}]}", "/filter/and/1/x"),
            ("{\"metadata\":{\"a\":1}}", "/filter/metadata/a"),
            ("{\"metadata\":{\"a/b\":{\"x\":1}}}", "/filter/metadata/a~1b/x"),
            ("{\"metadata\":1}", "/filter/metadata"),
        ]
        for (filter, path) in wrong {
            do {
                _ = try store.session.list("{\"filter\":\(filter)}")
                Issue.record("\(filter) is accepted")
            } catch let error as MemexError {
                #expect(error.code == .invalid, "\(filter)")
                #expect(error.details.contains("\"path\":\"\(path)\""), "\(filter): \(error.details)")
            }
        }
        for key in ["and", "or"] {
            do { _ = try store.session.list("{\"filter\":{\"\(key)\":[]}}") } catch let error as MemexError {
                #expect(error.message == "/filter/\(key): needs at least one filter")
            }
        }
        expectError(.invalid, "33 levels") { _ = try store.session.list("{\"filter\":\(deep)}") }
        #expect(try store.session.ids("{\"filter\":{}}").count == 1)
    }
}
