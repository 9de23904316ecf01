import MemexTestSupport
import Testing

@testable import MemexModel

@Suite("Body inspector")
struct InspectorTests {
    /// The error of a text, and where it says it is.
    private static func fault(_ bytes: [UInt8]) -> (message: String, offset: Int)? {
        withView(bytes) { view in
            guard case .failure(let error) = inspect(view), error.code == .invalid else {
                return nil
            }
            return (error.message, offset(error))
        }
    }

    @Test(
        "faults are told with their place",
        arguments: [
            ("", 0, "too early"), ("  ", 2, "too early"), ("{", 1, "too early"),
            ("{\"a\":", 5, "too early"),
            ("\u{FEFF}{}", 0, "byte order mark"), ("[]", 0, "object was expected"),
            (" \"x\"", 1, "object was expected"), ("null", 0, "object was expected"),
            ("nul", 0, "true, false or null"), ("{} x", 3, "after the end"),
            ("{}{}", 2, "after the end"),
            ("{\"a\":\"\u{1}\"}", 6, "control character"), ("{\"a\":\"\\x\"}", 6, "unknown escape"),
            ("{\"a\":\"\\u12G4\"}", 6, "unknown escape"), ("{\"a\":\"\\u12", 6, "unknown escape"),
            ("{\"a\":\"12\\ud800\"}", 8, "surrogate"), ("{\"a\":\"12\\udc00\"}", 8, "surrogate"),
            ("{\"a\":\"\\ud83d\\ud83d\"}", 6, "surrogate"), ("{\"\\udfff\":1}", 2, "surrogate"),
            ("{\"a\":\"\\ud83d\\ude00\\ud83d x\"}", 18, "surrogate"), ("{\"a\":01}", 6, "number"),
            ("{\"a\":-x}", 6, "number"), ("{\"a\":1.}", 7, "number"), ("{\"a\":1e}", 7, "number"),
            ("{\"a\":+1}", 5, "value was expected"), ("{\"a\":1,}", 7, "key in double quotes"),
            ("{a:1}", 1, "key in double quotes"), ("{\"a\" 1}", 5, "colon"),
            ("{\"a\":1 2}", 7, "closing brace"),
            ("{\"a\":[1 2]}", 8, "closing bracket"), ("{\"a\":[1}", 7, "closing bracket"),
            ("{\"b\":1,\"a\":2,\"a\":3}", 13, "already has"),
            ("{\"b\":{\"x\":[{\"k\":1, \"\\u006b\":2}]}}", 19, "already has"),
            ("{\"a\\u0000b\":1}", 1, "NUL"), ("{\"é\":\"你\",\"😀\":2,\"é\":3}", 21, "already has"),
        ])
    func faults(text: String, place: Int, part: String) throws {
        let found = try #require(Self.fault(Array(text.utf8)), "\(text)")
        #expect(found.offset == place, "\(text): \(found.message)")
        #expect(found.message.contains(part), "\(text): \(found.message)")
    }

    @Test("messages hold no content")
    func noContent() throws {
        let secret = "hunter2"
        for text in [
            "{\"\(secret)\":1,\"\(secret)\":2}", "{\"a\":\"\(secret)\\x\"}", "{\"a\":\(secret)}",
            "{\"\(secret)\" 1}",
            "\(secret)", "{\"a\":1}\(secret)", "{\"\(secret)\\u0000\":1}",
        ] {
            withView(text) { view in
                guard case .failure(let error) = inspect(view) else {
                    Issue.record("taken: \(text)")
                    return
                }
                #expect(!error.message.contains(secret))
                #expect(!error.details.contains(secret))
            }
        }
    }

    @Test("malformed UTF-8 is told with its place")
    func utf8() throws {
        let text =
            Array("{\"role\":\"user\",\"content\":\"ab".utf8) + [0xE4, 0xBD] + Array("\"}".utf8)
        let found = try #require(Self.fault(text))
        #expect(found.offset == 28)
        #expect(found.message.contains("UTF-8"))
    }

    @Test(
        "unusual but right bodies are taken",
        arguments: [
            #"{"a":1e400}"#, #"{"a":18446744073709551616}"#, #"{"a":-1e-400}"#, #"{"a":1E+5}"#,
            #"{"a":-0}"#,
            #"{"a":123456789012345678901234567890.5}"#,
            #"{"a":9223372036854775808,"b":"1e999 \" 2"}"#,
            #"{"r\u006fle":"a","content":"\ud83d\ude00"}"#, #"{"a":"\u0000"}"#, #"{"":0}"#,
            " \n\t\r{\"a\":[ ] , \"b\" : { } } \n",
        ])
    func unusual(text: String) throws {
        try withView(text) { view in _ = try inspect(view).get() }
    }

    @Test("escaped keys are the keys that they spell")
    func escapedKeys() throws {
        let text =
            #" {"r\u006fle":"a\n","cont\u0065nt":"\ud83d\ude00","tool\u005fcalls":[1],"tool_call_i\u0064":"x"}"#
        try withView(text) { view in
            let facts = try inspect(view).get()
            #expect(facts.role(in: view)?.text == "a\\n")
            #expect(facts.content(in: view)?.text == #"\ud83d\ude00"#)
            let flags =
                BodyFacts.declined | BodyFacts.roleEscaped | BodyFacts.contentEscaped
                | BodyFacts.toolCalls
                | BodyFacts.toolCallID
            #expect(facts.flags == flags)
        }
    }

    @Test("a body has a largest size")
    func size() {
        var bytes = [UInt8](repeating: 0x20, count: Limits.bodyBytes + 1)
        bytes[0] = 0x7B
        bytes[1] = 0x7D
        withView(bytes) { view in
            guard case .failure(let error) = inspect(view) else {
                Issue.record("taken")
                return
            }
            #expect(error.code == .limit)
        }
        bytes.removeLast()
        withView(bytes) { view in #expect((try? inspect(view).get()) != nil) }
    }

    @Test(
        "what the scanner takes inside of a body does not reach jansson, what is left has a limit")
    func amplification() {
        func code(_ unit: String, _ count: Int) -> MemexError.Code? {
            withView("{\"h\":1e300,\"a\":[" + String(repeating: unit + ",", count: count) + "0]}") {
                view in
                guard case .failure(let error) = inspect(view) else { return nil }
                return error.code
            }
        }
        for unit in ["0", "[]", "1e300", #"{"a":0}"#, #"{"a":[1e400,{}]}"#] {
            #expect(code(unit, 1_100_000) == nil, "\(unit)")
        }
        #expect(code(#"{"\u0061":0}"#, 300_000) == nil)
        #expect(code(#"{"\u0061":0}"#, 1_100_000) == .limit)
    }

    private static func elements(_ text: String) throws -> [String] {
        try withView(text) { view in
            var found: [String] = []
            try BodyInspector.inspectElements(view) { (element, facts) throws(MemexError) in
                found.append(element.text + "|" + (facts.content(in: element)?.text ?? "-"))
            }
            return found
        }
    }

    @Test("elements are cut out verbatim")
    func elements() throws {
        #expect(try Self.elements(#" {"a": 1} "#) == [#"{"a": 1}|-"#])
        let text = "[ {\"content\":\"x\"} ,\n{ \"content\" : \"\\ud83d\\ude00\", \"n\":1e500 },{}]"
        let expected = [
            "{\"content\":\"x\"}|x",
            "{ \"content\" : \"\\ud83d\\ude00\", \"n\":1e500 }|\\ud83d\\ude00",
            "{}|-",
        ]
        #expect(try Self.elements(text) == expected)
    }

    @Test(
        "faulty elements are told with their place in the whole text",
        arguments: [
            ("[]", 1), (" [ ] ", 3), ("[{},1]", 4), ("[{},[]]", 4), ("[{}", 3), ("[{},]", 4),
            ("[{} {}]", 4),
            ("[{}]x", 4), ("[{\"a\":1},{\"k\":1e500,\"b\":1,\"b\":2}]", 26), ("1", 0), ("\"a\"", 0),
            ("", 0),
            ("[{\"a\":\"\\ud800\"}]", 7), ("{}x", 2), ("\u{FEFF}[{}]", 0), ("[", 1),
        ])
    func faultyElements(text: String, place: Int) {
        do {
            _ = try Self.elements(text)
            Issue.record("taken: \(text)")
        } catch {
            let error = error as? MemexError
            #expect(error?.code == .invalid)
            #expect(error.map { offset($0) } == place, "\(text): \(error?.message ?? "")")
        }
    }

    @Test("one call has a largest number of messages")
    func tooMany() {
        let text = "[" + String(repeating: "{},", count: Limits.appendMessages) + "{}]"
        do {
            _ = try Self.elements(text)
            Issue.record("taken")
        } catch { #expect((error as? MemexError)?.code == .limit) }
    }
}
