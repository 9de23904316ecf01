import MemexTestSupport
import Testing

@testable import MemexModel

@Suite("Escapes and raw access")
struct EscapeTests {
    private static func quoted(_ bytes: [UInt8]) -> (text: [UInt8], invalid: Int) {
        withView(bytes) { view in
            var out = ByteBuffer()
            out.append(byte: 0x40)
            let invalid = JSONEscape.appendQuoted(view, to: &out)
            return (Array(out.view.dropFirst()), invalid)
        }
    }

    @Test("quotes text")
    func quote() {
        let text = "a\"b\\c\u{0}\u{8}\u{9}\u{A}\u{C}\u{D}\u{1F}\u{7F}/é你😀"
        let expected = "\"a\\\"b\\\\c\\u0000\\b\\t\\n\\f\\r\\u001f\u{7F}/é你😀\""
        #expect(Self.quoted(Array(text.utf8)).text == Array(expected.utf8))
        #expect(Self.quoted([]).text == Array("\"\"".utf8))
    }

    @Test("invalid UTF-8 is told and nothing is written")
    func invalid() {
        for lead in 0...20 {
            let bytes =
                [UInt8](repeating: 0x61, count: lead) + [0x0A, 0xC3, 0xA9, 0xED, 0xA0, 0x80]
            let result = Self.quoted(bytes)
            #expect(result.invalid == lead + 3)
            #expect(result.text.isEmpty)
        }
    }

    @Test("what is quoted decodes to itself, and jansson agrees")
    func roundTrip() throws {
        var random = SeededGenerator(seed: 3)
        for _ in 0..<5_000 {
            var text = ""
            for _ in 0..<random.below(40) {
                switch random.below(6) {
                case 0: text.unicodeScalars.append(Unicode.Scalar(UInt8(random.below(0x20))))
                case 1: text += ["\"", "\\", "/", "\u{7F}"][random.below(4)]
                case 2: text += ["é", "你", "😀", "\u{FFFF}", "\u{10FFFF}"][random.below(5)]
                default: text += "abcdefgh".prefix(1 + random.below(8))
                }
            }
            let result = Self.quoted(Array(text.utf8))
            #expect(result.invalid == -1)
            try withView(result.text) { view in
                let raw = try #require(RawString.contents(view))
                let back = try decoded(raw)
                #expect(back == Array(text.utf8))
                #expect(scan(view) != nil)
                let document = try JSONDocument(parsing: view)
                #expect(document.root.string.map { Array($0) } == Array(text.utf8))
                #expect(withView(text) { RawString.equals(raw, $0) })
            }
        }
    }

    @Test("decodes every escape")
    func decode() throws {
        let raw = #"\"\\\/\b\f\n\r\t\u0000\u0041\u00e9\u4f60\ud83d\ude00\uFFFF"#
        let expected: [UInt8] =
            [0x22, 0x5C, 0x2F, 8, 12, 10, 13, 9, 0, 0x41] + Array("é你😀\u{FFFF}".utf8)
        try withView(raw) { view in
            let bytes = try decoded(view)
            #expect(bytes == expected)
        }
        for bad in [#"a\"#, #"a\x"#, #"a\u12"#, #"a\ud800"#, #"a\ud800\u0041"#, #"a\udc00"#] {
            withView(bad) { view in
                var out = ByteBuffer()
                #expect(throws: MemexError.self) { try JSONEscape.decode(view, to: &out) }
                #expect(out.count == 0)
            }
        }
    }

    @Test("raw members and elements")
    func raw() throws {
        let text =
            #" { "a" : 1 , "tool\u005fcalls":[ {"id":"c}]1"} , "x,\"]" , [] ],"s":"\\","e":{}} "#
        withView(text) { view in
            #expect(rawMember(object: view, "a")?.text == "1")
            #expect(rawMember(object: view, "s")?.text == #""\\""#)
            #expect(rawMember(object: view, "e")?.text == "{}")
            #expect(rawMember(object: view, "none") == nil)
            #expect(rawMember(object: view, "tool\\u005fcalls") == nil)
            let calls = rawMember(object: view, "tool_calls")
            var elements = RawElements(calls ?? view)
            #expect(elements.next()?.text == #"{"id":"c}]1"}"#)
            #expect(elements.next()?.text == #""x,\"]""#)
            #expect(elements.next()?.text == "[]")
            #expect(elements.next() == nil)
            #expect(!elements.isBroken)
            var members = RawMembers(view)
            var count = 0
            while members.next() != nil { count += 1 }
            #expect(count == 4)
            #expect(!members.isBroken)
        }
        for empty in ["{}", " { } ", "[]", " [ ]", "1", "", "\"x\""] {
            withView(empty) { view in
                var members = RawMembers(view)
                #expect(members.next() == nil)
                #expect(!members.isBroken)
                var elements = RawElements(view)
                #expect(elements.next() == nil)
                #expect(!elements.isBroken)
            }
        }
    }

    @Test("literals are read where they lie")
    func literal() {
        #expect(RawCursor.bytes("tool_calls").text == "tool_calls")
        #expect(RawCursor.bytes("").count == 0)
        #expect(RawCursor.bytes("a").text == "a")
    }

    @Test("raw strings compare as the text that they spell")
    func same() {
        for (left, right, expected) in [
            ("a", "a", true), ("a", #"\u0061"#, true), (#"\u0061"#, #"\u0061"#, true),
            ("é", #"\u00e9"#, true),
            (#"\u00E9"#, #"\u00e9"#, true), (#"\n"#, #"\u000a"#, true), ("n", #"\n"#, false),
            ("", "", true),
            ("ab", #"\u0061"#, false), (#"\u0061b"#, "a", false), (#"\/"#, "/", true),
            ("😀", #"\ud83d\ude00"#, true),
        ] {
            withView(left) { one in
                withView(right) { other in
                    #expect(RawString.same(one, other) == expected)
                    #expect(RawString.same(other, one) == expected)
                }
            }
        }
    }
}
