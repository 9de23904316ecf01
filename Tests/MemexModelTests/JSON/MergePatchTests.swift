import MemexTestSupport
import Testing

@testable import MemexModel

@Suite("Merge patches")
struct MergePatchTests {
    private static func merge(_ target: String, _ patch: String) throws -> String {
        try withView(target) { target in
            try withView(patch) { patch in
                var out = ByteBuffer()
                try MergePatch.apply(target: target, patch: patch, to: &out)
                return out.view.text
            }
        }
    }

    @Test(
        "RFC 7396, appendix A",
        arguments: [
            (#"{"a":"b"}"#, #"{"a":"c"}"#, #"{"a":"c"}"#),
            (#"{"a":"b"}"#, #"{"b":"c"}"#, #"{"a":"b","b":"c"}"#),
            (#"{"a":"b"}"#, #"{"a":null}"#, #"{}"#),
            (#"{"a":"b","b":"c"}"#, #"{"a":null}"#, #"{"b":"c"}"#),
            (#"{"a":["b"]}"#, #"{"a":"c"}"#, #"{"a":"c"}"#),
            (#"{"a":"c"}"#, #"{"a":["b"]}"#, #"{"a":["b"]}"#),
            (#"{"a":{"b":"c"}}"#, #"{"a":{"b":"d","c":null}}"#, #"{"a":{"b":"d"}}"#),
            (#"{"a":[{"b":"c"}]}"#, #"{"a":[1]}"#, #"{"a":[1]}"#),
            (#"["a","b"]"#, #"["c","d"]"#, #"["c","d"]"#),
            (#"{"a":"b"}"#, #"["c"]"#, #"["c"]"#),
            (#"{"a":"foo"}"#, #"null"#, #"null"#),
            (#"{"a":"foo"}"#, #""bar""#, #""bar""#),
            (#"{"e":null}"#, #"{"a":1}"#, #"{"e":null,"a":1}"#),
            (#"[1,2]"#, #"{"a":"b","c":null}"#, #"{"a":"b"}"#),
            (#"{}"#, #"{"a":{"bb":{"ccc":null}}}"#, #"{"a":{"bb":{}}}"#),
        ])
    func appendix(target: String, patch: String, expected: String) throws {
        let result = try Self.merge(target, patch)
        #expect(result == expected)
    }

    @Test(
        "what is not touched keeps its bytes",
        arguments: [
            (
                #" { "n" : 1e400 , "t":0.1,"z":-0,"big":18446744073709551616,"k":[ 1.50 , {"a" : null}] } "#,
                #"{"t":null,"x":1E+2}"#,
                #"{"n":1e400,"z":-0,"big":18446744073709551616,"k":[ 1.50 , {"a" : null}],"x":1E+2}"#
            ),
            (
                #"{"\u0061":1,"b":{"c":1e400}}"#, #"{"a":2,"b":{"d":-0}}"#,
                #"{"\u0061":2,"b":{"c":1e400,"d":-0}}"#
            ),
            (#"{"a":1}"#, #"{"\u0061":null,"é":"\u00e9"}"#, #"{"é":"\u00e9"}"#),
            (#"{"é":1,"😀":2}"#, #"{"\u00e9":3,"\ud83d\ude00":null}"#, #"{"é":3}"#),
            ("", #"{"a":{"b":null,"c":1}}"#, #"{"a":{"c":1}}"#),
            (#"{"a":{"b":1}}"#, #"{ "a" : { } }"#, #"{"a":{"b":1}}"#),
            (#"{"":1}"#, #"{"":{"":null}}"#, #"{"":{}}"#),
        ])
    func verbatim(target: String, patch: String, expected: String) throws {
        let result = try Self.merge(target, patch)
        #expect(result == expected)
    }

    @Test(
        "patches that are no strict JSON are refused",
        arguments: ["", "{", "{\"a\":1,\"a\":2}", "{}x", "\u{FEFF}{}"])
    func refused(patch: String) {
        #expect(throws: MemexError.self) { try Self.merge("{}", patch) }
        if !patch.isEmpty { #expect(throws: MemexError.self) { try Self.merge(patch, "{}") } }
    }

    @Test("large objects take no quadratic time")
    func large() throws {
        let count = 20_000
        let target = "{" + (0..<count).map { "\"k\($0)\":\($0)" }.joined(separator: ",") + "}"
        let patch =
            "{" + (0..<count).reversed().map { "\"k\($0)\":null" }.joined(separator: ",")
            + ",\"x\":1}"
        let clock = ContinuousClock()
        var result = ""
        let time = try clock.measure { result = try Self.merge(target, patch) }
        #expect(result == #"{"x":1}"#)
        #expect(time < .seconds(20))
    }

    @Test("random merges agree with a plain implementation")
    func random() throws {
        var random = SeededGenerator(seed: 7)
        for _ in 0..<3_000 {
            let target = Tree.random(&random, level: 0)
            let patch = Tree.random(&random, level: 0)
            let result = try Self.merge(target.text, patch.text)
            let expected = Tree.merge(target, patch).text
            try withView(result) { left in
                try withView(expected) { right in
                    let one = try JSONDocument(parsing: left)
                    let other = try JSONDocument(parsing: right)
                    #expect(
                        one.root.equals(other.root), "\(target.text) + \(patch.text) = \(result)")
                }
            }
        }
    }
}

/// A naive merge on trees, straight from the RFC's pseudo-code.
private indirect enum Tree {
    case null
    case number(Int)
    case array([Tree])
    case object([(String, Tree)])

    var text: String {
        switch self {
        case .null: return "null"
        case .number(let number): return "\(number)"
        case .array(let items): return "[" + items.map(\.text).joined(separator: ",") + "]"
        case .object(let members):
            return "{" + members.map { "\"\($0.0)\":\($0.1.text)" }.joined(separator: ",") + "}"
        }
    }

    static func random(_ random: inout SeededGenerator, level: Int) -> Tree {
        switch random.below(level > 3 ? 2 : level == 0 ? 10 : 6) {
        case 0: return .null
        case 1: return .number(random.below(100))
        case 2:
            return .array((0..<random.below(3)).map { _ in Tree.random(&random, level: level + 1) })
        default:
            let keys = (0..<(level == 0 ? 14 : 4)).filter { _ in random.below(2) == 0 }
            return .object(keys.map { ("k\($0)", Tree.random(&random, level: level + 1)) })
        }
    }

    static func merge(_ target: Tree, _ patch: Tree) -> Tree {
        guard case .object(let changes) = patch else { return patch }
        var members: [(String, Tree)] = []
        if case .object(let old) = target { members = old }
        for (key, change) in changes {
            let place = members.firstIndex { $0.0 == key }
            if case .null = change {
                if let place { members.remove(at: place) }
            } else if let place {
                members[place].1 = merge(members[place].1, change)
            } else {
                members.append((key, merge(.null, change)))
            }
        }
        return .object(members)
    }
}
