import MemexTestSupport
import Testing

@testable import MemexModel

@Suite("Option reader")
struct OptionReaderTests {
    private static func with<T>(
        _ text: String, _ body: (inout OptionReader) throws -> T
    ) throws -> T {
        try withView(text) { view in
            var reader = try OptionReader(view, what: "options")
            let result = try body(&reader)
            try reader.finish()
            return result
        }
    }

    private static func failure(_ text: String, _ body: (inout OptionReader) throws -> Void)
        -> MemexError?
    {
        do {
            try with(text, body)
            return nil
        } catch { return error as? MemexError }
    }

    @Test("reads each type")
    func types() throws {
        let text =
            #"{"url":"x\u0000","timeout_us":5,"ratio":1,"on":true,"filter":{"a":1},"list":[1],"metadata": { "n" : 1e400 } ,"any":null}"#
        try Self.with(text) { reader in
            let isEmpty = reader.isEmpty
            #expect(!isEmpty)
            let url = try reader.string("url")
            #expect(url.map { Array($0) } == [0x78, 0])
            let timeout = try reader.int64("timeout_us", in: 0...10)
            #expect(timeout == 5)
            let ratio = try reader.double("ratio")
            #expect(ratio == 1)
            let on = try reader.bool("on")
            #expect(on == true)
            let filter = try reader.object("filter")
            #expect(filter?.member("a")?.int64 == 1)
            let list = try reader.array("list")
            #expect(list?.count == 1)
            let metadata = try reader.rawObject("metadata")
            #expect(metadata?.text == #"{ "n" : 1e400 }"#)
            let any = reader.value("any")
            #expect(any?.isNull == true)
            let none = try reader.string("none")
            #expect(none == nil)
        }
    }

    @Test("no bytes are no options")
    func empty() throws {
        for text in ["", "{}", " { } "] {
            try Self.with(text) { reader in
                let isEmpty = reader.isEmpty
                #expect(isEmpty)
                let url = try reader.string("url")
                #expect(url == nil)
                let raw = reader.raw("x")
                #expect(raw == nil)
            }
        }
        let nothing = ByteView(start: nil, count: 0)
        var reader = try OptionReader(nothing, what: "options")
        try reader.finish()
    }

    @Test("wrong types and ranges are told with their path")
    func wrong() throws {
        let cases: [(String, String, (inout OptionReader) throws -> Void)] = [
            (#"{"a":1}"#, "/a: must be a string", { _ = try $0.string("a") }),
            (#"{"a":null}"#, "/a: must be a string", { _ = try $0.string("a") }),
            (#"{"a":"1"}"#, "/a: must be an integer", { _ = try $0.int64("a") }),
            (#"{"a":1.0}"#, "/a: must be an integer", { _ = try $0.int64("a") }),
            (#"{"a":18446744073709551616}"#, "/a: must be an integer", { _ = try $0.int64("a") }),
            (#"{"a":11}"#, "/a: must be between 1 and 10", { _ = try $0.int64("a", in: 1...10) }),
            (#"{"a":0}"#, "/a: must be at least 1", { _ = try $0.int64("a", in: 1 ... .max) }),
            (#"{"a":"x"}"#, "/a: must be a number", { _ = try $0.double("a") }),
            (#"{"a":1}"#, "/a: must be true or false", { _ = try $0.bool("a") }),
            (#"{"a":[]}"#, "/a: must be an object", { _ = try $0.object("a") }),
            (#"{"a":{}}"#, "/a: must be an array", { _ = try $0.array("a") }),
            ("[]", "/: options must be a JSON object", { _ in }),
            ("1", "/: options must be a JSON object", { _ in }),
        ]
        for (text, message, body) in cases {
            let error = try #require(Self.failure(text, body), "\(text)")
            #expect(error.code == .invalid)
            #expect(error.message == message)
        }
        #expect(Self.failure(#"{"a":1}"#) { _ = try $0.string("a") }?.details == #"{"path":"/a"}"#)
        #expect(Self.failure("{\"a\":1") { _ in }?.details == #"{"offset":6}"#)
    }

    @Test("unknown keys are told, with the known ones")
    func unknown() throws {
        let error = try #require(
            Self.failure(#"{"url":"x","tiemout_us":5}"#) {
                _ = try $0.string("url")
                _ = try $0.int64("timeout_us")
                _ = try $0.string("url")
            })
        #expect(error.message == "/tiemout_us: unknown key; known are: url, timeout_us, url")
        #expect(error.details == #"{"path":"/tiemout_us"}"#)

        let long = String(repeating: "k", count: 100)
        let cut = try #require(Self.failure("{\"\(long)\":5}") { _ in })
        #expect(cut.message.hasPrefix("/" + String(repeating: "k", count: 64) + "...: unknown key"))
        let strange = try #require(Self.failure(#"{"a/b~\n\"é":5}"#) { _ in })
        #expect(strange.message == "/a~1b~0?\"??: unknown key; no keys are known here")
        let many = "{" + (0..<70).map { "\"k\($0)\":1" }.joined(separator: ",") + "}"
        let first = try #require(
            Self.failure(many) {
                _ = $0.value("k0")
                _ = $0.value("k69")
            })
        #expect(first.message.hasPrefix("/k1: unknown key"))
    }

    @Test("nested readers know their path and their bytes")
    func nested() throws {
        let text =
            #"{"messages":[{"id":"a","metadata":{"x":-0}}, { "id":"b" }],"sub":{"deep":{"n":1}}}"#
        try Self.with(text) { reader in
            var seen: [String] = []
            let count = try reader.forEachObject("messages") { (index, entry) throws(MemexError) in
                let id = try entry.string("id")?.text ?? ""
                let metadata = try entry.rawObject("metadata")?.text ?? "-"
                seen.append("\(index) \(id) \(metadata)")
            }
            #expect(count == 2)
            #expect(seen == ["0 a {\"x\":-0}", "1 b -"])
            let none = try reader.forEachObject("none") { (_, _) in }
            #expect(none == nil)
            guard var sub = try reader.nested("sub") else { return }
            guard var deep = try sub.nested("deep") else { return }
            do throws(MemexError) {
                _ = try deep.string("n")
                Issue.record("taken")
            } catch { #expect(error.message == "/sub/deep/n: must be a string") }
            try deep.finish()
            try sub.finish()
        }
        let error = Self.failure(#"{"messages":[{"metadata":{}},{"idd":1}]}"#) { reader in
            _ = try reader.forEachObject("messages") { (_, entry) throws(MemexError) in
                _ = try entry.rawObject("metadata")
                _ = try entry.string("id")
            }
        }
        #expect(error?.message == "/messages/1/idd: unknown key; known are: metadata, id")
        let wrong = Self.failure(#"{"messages":[{},7]}"#) { reader in
            _ = try reader.forEachObject("messages") { (_, _) in }
        }
        #expect(wrong?.message == "/messages/1: must be a JSON object")
    }
}
