import MemexTestSupport
import Testing

@testable import MemexModel

@Suite("Documents")
struct DocumentTests {
    private static func with<T>(_ text: String, _ body: (JSONNode) throws -> T) throws -> T {
        try withView(text) { view in
            let document = try JSONDocument(parsing: view)
            let result = try body(document.root)
            return result
        }
    }

    private static func equal(_ left: String, _ right: String) throws -> Bool {
        try with(left) { left in try with(right) { right in left.equals(right) } }
    }

    @Test("values of each kind")
    func kinds() throws {
        let text =
            #"{"s":"a\u0000b","i":-5,"r":2.5,"t":true,"f":false,"n":null,"a":[1,"x"],"o":{"":1},"é":9,"big":9223372036854775807}"#
        try Self.with(text) { root in
            #expect(root.kind == .object)
            #expect(root.count == 10)
            #expect(root.member("s")?.kind == .string)
            #expect(root.member("s")?.string.map { Array($0) } == [0x61, 0, 0x62])
            #expect(root.member("i")?.kind == .integer)
            #expect(root.member("i")?.int64 == -5)
            #expect(root.member("i")?.double == -5)
            #expect(root.member("r")?.kind == .real)
            #expect(root.member("r")?.int64 == nil)
            #expect(root.member("r")?.double == 2.5)
            #expect(root.member("t")?.bool == true)
            #expect(root.member("f")?.bool == false)
            #expect(root.member("f")?.kind == .bool)
            #expect(root.member("n")?.isNull == true)
            #expect(root.member("n")?.bool == nil)
            #expect(root.member("a")?.count == 2)
            #expect(root.member("a")?.element(1)?.string?.text == "x")
            #expect(root.member("a")?.element(2) == nil)
            #expect(root.member("a")?.element(-1) == nil)
            #expect(root.member("o")?.member("")?.int64 == 1)
            #expect(withView("é") { root.member($0)?.int64 } == 9)
            #expect(withView("") { root.member($0)?.int64 } == nil)
            #expect(root.member("big")?.int64 == Int64.max)
            #expect(root.member("none") == nil)
            #expect(root.element(0) == nil)
            #expect(root.member("i")?.member("x") == nil)
            var keys: [String] = []
            try root.forEachMember { (key, _) in keys.append(key.text) }
            #expect(keys == ["s", "i", "r", "t", "f", "n", "a", "o", "é", "big"])
        }
    }

    @Test(
        "equality by value",
        arguments: [
            ("1", "1.0", true), ("true", "1", false), ("true", "true", true),
            ("true", "false", false),
            ("0", "false", false), ("null", "false", false), ("\"1\"", "1", false),
            ("-0", "0", true),
            ("-0.0", "0", true), ("9007199254740993", "9007199254740992.0", false),
            ("1e2", "100", true),
            ("9223372036854775807", "9223372036854775807.0", false), ("\"é\"", "\"\\u00e9\"", true),
            ("\"a\\u0000\"", "\"a\"", false), ("[1,2]", "[1.0,2]", true), ("[1,2]", "[2,1]", false),
            ("[1]", "[1,1]", false), (#"{"a":1,"b":[{}]}"#, #"{"b":[{}],"a":1.0}"#, true),
            (#"{"a":1}"#, #"{"b":1}"#, false), (#"{"a":1}"#, #"{"a":1,"b":1}"#, false),
            ("[]", "{}", false),
            ("[[[1]]]", "[[[1]]]", true), ("18446744073709551616", "18446744073709551616.0", true),
        ])
    func equality(left: String, right: String, expected: Bool) throws {
        let result = try Self.equal(left, right)
        #expect(result == expected)
    }

    @Test("numbers that jansson has no room for become reals")
    func huge() throws {
        for (text, value) in [
            ("18446744073709551616", 18446744073709551616.0),
            ("-9223372036854775809", -9223372036854775809.0),
            ("1e400", 1e308), ("-1e400", -1e308), ("123456789e999999999999999999", 1e308),
            ("1e-999", 0),
            ("1.5e300", 1.5e300), ("0e999", 0), ("0.0001e310", 1e306),
            ("99999999999999999999e-10", 9999999999.9999999999),
        ] {
            try Self.with("[\(text)]") { root in
                let node = try #require(root.element(0))
                #expect(node.kind == .real, "\(text)")
                let found = try #require(node.double)
                #expect(abs(found - value) <= abs(value) * 1e-14, "\(text) \(found)")
            }
        }
        try Self.with("[" + String(repeating: "9", count: 500) + "]") { root in
            #expect(root.element(0)?.kind == .real)
        }
        try Self.with("[1" + String(repeating: "0", count: 500) + ".0,-9223372036854775808]") {
            root in
            #expect(root.element(0)?.double == 1e308)
            #expect(root.element(1)?.int64 == Int64.min)
        }
    }

    @Test("texts over the limit, and wrong ones")
    func refused() {
        withView("{\"a\":1}") { view in
            do throws(MemexError) {
                _ = try JSONDocument(parsing: view, limit: 6)
                Issue.record("taken")
            } catch { #expect(error.code == .limit) }
        }
        for text in ["", "{", "{\"a\":1,\"a\":1}", "\u{FEFF}1", "1 2"] {
            #expect(throws: MemexError.self, "\(text)") { try Self.with(text) { _ in } }
        }
    }
}
