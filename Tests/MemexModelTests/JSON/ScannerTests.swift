import MemexTestSupport
import Testing

@testable import MemexModel

@Suite("Body scanner")
struct ScannerTests {
    @Test("facts of simple messages")
    func simple() throws {
        try withView(#"{"role":"user","content":"hi \"you\""}"#) { view in
            let facts = try #require(scan(view))
            #expect(facts.has(BodyFacts.simple))
            #expect(facts.has(BodyFacts.contentEscaped))
            #expect(!facts.has(BodyFacts.roleEscaped))
            #expect(!facts.has(BodyFacts.toolCalls))
            #expect(facts.role(in: view)?.text == "user")
            #expect(facts.content(in: view)?.text == #"hi \"you\""#)
        }
    }

    @Test("facts are those of the outermost object only")
    func outermost() throws {
        let text =
            #"{"x":{"role":"no","content":"no","tool_calls":1},"tool_calls":null,"y":[{"tool_call_id":"z"}]}"#
        try withView(text) { view in
            let facts = try #require(scan(view))
            #expect(facts == BodyFacts())
        }
        withView(#"[{"role":"a","content":"b"},"c"]"#) { view in
            #expect(scan(view) == BodyFacts())
        }
    }

    @Test(
        "flags",
        arguments: [
            (#"{"tool_calls":[]}"#, BodyFacts.toolCalls),
            (#"{"tool_calls":{}}"#, BodyFacts.toolCalls),
            (#"{"tool_calls":"x"}"#, BodyFacts.toolCalls),
            (#"{"tool_calls":1}"#, BodyFacts.toolCalls),
            (#"{"tool_calls":true}"#, BodyFacts.toolCalls),
            (#"{"tool_calls":false}"#, BodyFacts.toolCalls),
            (#"{"tool_calls":null}"#, 0),
            (#"{"tool_call_id":"x"}"#, BodyFacts.toolCallID),
            (#"{"tool_call_id":null}"#, 0),
            (#"{"tool_call_ix":"x"}"#, 0),
            (#"{"role":"","content":""}"#, BodyFacts.simple),
            (#"{"content":"","role":""}"#, BodyFacts.simple),
            (#"{"role":"","content":"","x":1}"#, 0),
            (#"{"role":"a\n"}"#, BodyFacts.roleEscaped),
            (#"{"content":null,"role":"x"}"#, 0),
        ])
    func flags(text: String, expected: UInt32) {
        withView(text) { view in
            #expect(scan(view)?.flags == expected)
            #expect((try? inspect(view).get())?.flags == expected)
        }
    }

    @Test("values that the scanner takes, and where they end")
    func values() {
        for (text, end) in [
            ("1", 1), ("-0", 2), ("12,", 2), ("0.5]", 3), ("true", 4), ("null ", 4), ("  []", 4),
            ("\"a\"x", 3), ("{}{}", 2), ("123456789012345678", 18), ("[ 1 , 2 ]", 9),
            ("1e5", 3), ("-1.5E-07,", 8), ("0.12345678901234567890123", 25),
            ("\"\\uD83D\\uDE00\"", 14),
            ("{ } ", 3),
        ] {
            withView(text) { view in
                var facts = BodyFacts()
                #expect(scanValue(view, from: 0, facts: &facts) == end, "\(text)")
            }
        }
    }

    @Test(
        "what the scanner declines",
        arguments: [
            "", " ", "{", "}", "[1,]", "{\"a\":1,}", "{,}", "[,]", "01", "-", "1.", ".5", "1e",
            "1e+",
            "1e100", "1.e5", "+1",
            "1234567890123456789", "nul", "True", "\"", "\"a", "\"\\", "\"\\u12",
            "\"\\uD83D\"", "\"\\uDE00\\uD83D\"", "\"\\uD83D\\uD83D\"", "\"\\uD83D\\n\"", "\"\\x\"",
            "\"\u{1}\"", "{\"a\" 1}", "{1:2}", "{\"a\\n\":1}",
            "{\"a\":1,\"a\":2}", "{\"\":1,\"\":2}", "[{\"x\":{\"a\":1,\"b\":2,\"a\":3}}]", "[1}",
            "{\"a\":1]",
            "[1 2]", "\u{FEFF}{}", "\"\\uZZZZ\"",
        ])
    func declined(text: String) {
        withView(text) { view in #expect(scan(view) == nil) }
    }

    @Test("malformed UTF-8 is declined")
    func utf8() {
        let bad: [[UInt8]] = [
            [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xC3], [0xE0, 0x80, 0x80], [0xE0, 0x9F, 0xBF],
            [0xE2, 0x82],
            [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xF0, 0x80, 0x80, 0x80],
            [0xF0, 0x8F, 0xBF, 0xBF],
            [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFF], [0xFE], [0xF0, 0x9F, 0x98],
        ]
        for bytes in bad {
            for lead in 0...9 {
                let filler = [UInt8](repeating: 0x61, count: lead)
                let text = [0x22] + filler + bytes + filler + [0x22]
                withView(text) { view in
                    #expect(scan(view) == nil)
                    #expect(UTF8.firstInvalid(view) == 1 + lead)
                    var syntax = JSONSyntax()
                    #expect(throws: JSONFault.self) { try syntax.check(view, from: 0) }
                }
            }
        }
        for good in [
            "\u{80}", "\u{7FF}", "\u{800}", "\u{FFFF}", "\u{D7FF}\u{E000}", "\u{10000}\u{10FFFF}",
        ] {
            withView("\"" + good + "\"") { view in
                #expect(scan(view) != nil)
                #expect(UTF8.firstInvalid(view) == nil)
            }
        }
    }

    @Test("keys: 128 fit, objects give their places back")
    func keys() {
        let few = (0..<127).map { "\"k\($0)\":1" }.joined(separator: ",")
        withView("{" + few + "}") { view in #expect(scan(view) != nil) }
        withView("{" + few + ",\"last\":1}") { view in
            #expect(scan(view) == nil)
            #expect((try? inspect(view).get()) != nil)
        }
        let many = (0..<1000).map { _ in #"{"a":1,"b":2,"c":{"a":3}}"# }.joined(separator: ",")
        withView("[" + many + "]") { view in #expect(scan(view) != nil) }
    }

    @Test("offsets count from where the scan began")
    func from() {
        withView(#"[1, {"role":"a","content":"b"}]"#) { view in
            var facts = BodyFacts()
            #expect(scanValue(view, from: 4, facts: &facts) == 30)
            let element = view.slice(4, 26)
            #expect(facts.role(in: element)?.text == "a")
            #expect(facts.content(in: element)?.text == "b")
            #expect(scanValue(view, from: 99, facts: &facts) == -1)
            #expect(scanValue(view, from: -1, facts: &facts) == -1)
        }
    }
}
