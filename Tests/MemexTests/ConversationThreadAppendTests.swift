import Foundation
import Memex
import MemexModel
import MemexStorage
import MemexTestSupport
import Testing

@Suite struct ConversationThreadAppendTests {
    private static let formats = [
        "opaque", "openai.chat", "openai.responses", "anthropic", "gemini", "mistral", "cohere", "bedrock",
        "ollama",
    ]

    @Test(arguments: TestTarget.allCases)
    func bodiesComeBackByteForByte(_ target: TestTarget) throws {
        let store = try TestStore(target)
        let thread = try store.session.create()
        let bodies = [
            user("plain"), " {\n\t\"role\" : \"user\" , \"content\" : null }",
            "{\"content\":\"x\",\"role\":\"tool\"}",
            "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"a\",\"n\":1.0e+2}]}",
            "{\"role\":\"us\\u0065r\",\"content\":\"\\u0000 \\ud83d\\ude80 🚀\"}",
            "{\"role\":\"user\",\"n\":123456789012345678901234567890,\"m\":1e400,\"k\":-0.0}",
            "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"\"}]}",
        ]
        for body in bodies { try thread.add(body) }
        try thread.add("[" + bodies.joined(separator: " ,\n") + "]")
        for (index, body) in (bodies + bodies).enumerated() {
            let trimmed = body.trimmingCharacters(in: .whitespacesAndNewlines)
            #expect(try thread.message(seq: Int64(index + 1)).text == trimmed)
        }
        #expect(try thread.message(seq: 5).role == "user", "roles are decoded")
        try store.reopen()
        let again = try store.session.open(thread.id)
        #expect(
            try again.cursor("{\"layout\":\"bodies\"}").page().map { String(decoding: $0, as: UTF8.self) }
                == "["
                + (bodies + bodies).map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }
                .joined(separator: ",") + "]")
    }

    @Test(arguments: TestTarget.allCases)
    func textIsAnyUTF8(_ target: TestTarget) throws {
        let store = try TestStore(target)
        let thread = try store.session.create()
        let texts = [
            "", "a", "\u{0}", "\"\\/\u{8}\u{1F}\u{7F}", "🚀\u{10FFFF}\u{FFFF}", "{\"role\":\"x\"}", "\u{2028}",
        ]
        for text in texts { try thread.say(text, role: "user", "{\"metadata\":{\"t\":1}}") }
        for (index, text) in texts.enumerated() {
            let fields = try parse(Array(thread.message(seq: Int64(index + 1)).text.utf8))
            #expect(fields["content"] as? String == text && fields["role"] as? String == "user")
        }
        let invalid: [UInt8] = [0x61, 0xFF]
        expectError(.invalid, "text that is no UTF-8") {
            try invalid.withUnsafeBufferPointer { bytes in
                try withText("user") { role in
                    _ = try withText("") { try thread.append(role: role, text: bytes, $0) }
                }
            }
        }
        expectError(.invalid, "an empty role") { try thread.say("x", role: "") }
        expectError(.limit, "a long role") { try thread.say("x", role: String(repeating: "r", count: 256)) }
        #expect(try thread.count() == Int64(texts.count))
    }

    @Test(arguments: TestTarget.allCases)
    func optionsOfAMessage(_ target: TestTarget) throws {
        let store = try TestStore(target)
        let thread = try store.session.create()
        try thread.add(
            user("a"),
            """
            {"id":"ключ 🚀","created_at_us":1234567890123456,"pinned":true,"state":"incomplete",
             "metadata": {"n":1.00, "big":123456789012345678901234567890}, "provenance":{"trust":"user"}}
            """)
        let json = try thread.message("ключ 🚀").rawJSON
        let fields = try parse(Array(json.utf8))
        #expect(
            fields["id"] as? String == "ключ 🚀" && fields["created_at_us"] as? Int == 1_234_567_890_123_456)
        #expect(fields["pinned"] as? Bool == true && fields["state"] as? String == "incomplete")
        #expect(fields["format"] as? String == "openai.chat" && fields["role"] as? String == "user")
        #expect(
            fields["seq"] as? Int == 1 && fields["rev"] as? Int == 1 && (fields["tokens"] as? Int ?? 0) > 0)
        #expect(json.contains("{\"n\":1.00, \"big\":123456789012345678901234567890}"), "digits as given")
        #expect(json.hasSuffix(",\"body\":" + user("a") + "}"))
        try thread.add("[\(user("b")),\(user("c"))]", "{\"metadata\":{\"x\":1},\"created_at_us\":5}")
        #expect(try thread.read("{\"last\":2}").allSatisfy { ($0["metadata"] as? [String: Int]) == ["x": 1] })
        try thread.add(
            "[\(user("d")),\(user("e"))]",
            "{\"messages\":[{\"id\":\"d\",\"pinned\":true},{\"metadata\":{\"y\":2}}]}")
        #expect(try thread.message("d").seq == 4)
        #expect(try thread.message(seq: 4).fields["pinned"] as? Bool == true)
        #expect(try thread.message(seq: 5).fields["metadata"] as? [String: Int] == ["y": 2])
        let generated = try thread.message(seq: 5).id
        #expect(try generated.count == 36 && thread.message(generated).seq == 5)
        for (index, format) in Self.formats.enumerated() {
            let body = format == "openai.chat" ? user("x") : "{\"any\":\(index)}"
            try thread.add(body, "{\"format\":\"\(format)\"}")
            #expect(try thread.read("{\"last\":1}").first?["format"] as? String == format)
        }
    }

    /// A time of the caller's is that message's alone.
    @Test(arguments: TestTarget.allCases)
    func theClockIsNowWhateverCameBefore(_ target: TestTarget) throws {
        let time = Locked<Int64>(1_700_000_000_000_000)
        let store = try TestStore(target, environment: Environment(now: { time.withLock { $0 } }))
        let thread = try store.session.create("{\"id\":\"a\"}")
        time.withLock { $0 += 1_000_000 }
        let between = try store.session.create("{\"id\":\"b\"}")
        try thread.say("1", "{\"created_at_us\":9000000000000000}")
        #expect(try store.session.ids() == ["a", "b"])
        for step in 0..<3 {
            // The clock goes on, is put back, goes on.
            time.withLock { $0 += [2_000_000, -500_000_000, 700_000_000][step] }
            let now = time.withLock { $0 }
            let receipt = step == 1 ? try thread.add("[\(user("x"))]") : try thread.say("x")
            #expect(receipt.createdAt == now)
            #expect(try thread.document()["last_message_at_us"] as? Int64 == now)
            #expect(try store.session.ids() == (step == 1 ? ["b", "a"] : ["a", "b"]), "step \(step)")
            let (transaction, view) = try store.session.begin()
            try view.open("a").say("y")
            #expect(try transaction.commit(view)[0]["created_at_us"] as? Int64 == now)
        }
        try between.say("z")
        #expect(try store.session.ids() == ["b", "a"])
        #expect(try thread.seqs() == [1, 2, 3, 4, 5, 6, 7], "order is by seq")
        try store.engine.expectSound("times that go back")
    }

    /// Errors of the text entry name what the JSON entry's name.
    @Test func errorsSayWhere() throws {
        let store = try TestStore(.memory)
        let thread = try store.session.create()
        func details(_ body: () throws -> Void) throws -> String {
            do { try body() } catch let error as MemexError { return "\(error.code) \(error.details)" }
            return "accepted"
        }
        let long = String(repeating: "r", count: 256)
        let roles = [
            ("", "invalid {\"path\":\"/role\"}"), ("a\u{7}", "invalid {\"path\":\"/role\",\"offset\":1}"),
            (long, "limit {\"path\":\"/role\",\"limit\":255}"),
        ]
        for (role, wanted) in roles {
            let body = "{\"role\":\"\(role == "a\u{7}" ? "a\\u0007" : role)\",\"content\":\"x\"}"
            #expect(try details { try thread.say("x", role: role) } == wanted)
            #expect(try details { try thread.add(body) } == wanted)
            let inList = try details { try thread.add("[\(user("x")),\(body)]") }
            #expect(inList == wanted.replacing("/role", with: "/1/role"))
        }
        let invalid: [UInt8] = [0x61, 0xFF]
        let content = try details {
            try invalid.withUnsafeBufferPointer { bytes in
                try withText("user") { role in
                    _ = try withText("") { try thread.append(role: role, text: bytes, $0) }
                }
            }
        }
        #expect(content == "invalid {\"path\":\"/content\",\"offset\":1}")
        let ids = [
            ("", "invalid {\"path\":\"PATH\"}"), ("a\\nb", "invalid {\"path\":\"PATH\",\"offset\":1}"),
            (long, "limit {\"path\":\"PATH\",\"limit\":255}"),
        ]
        for (id, wanted) in ids {
            let options = [
                ("{\"id\":\"\(id)\"}", "/id"), ("{\"idempotency_key\":\"\(id)\"}", "/idempotency_key"),
                ("{\"messages\":[{\"id\":\"\(id)\"}]}", "/messages/0/id"),
            ]
            for (text, path) in options {
                #expect(
                    try details { try thread.add(user("x"), text) } == wanted.replacing("PATH", with: path))
            }
            let create = try details { try store.session.create("{\"id\":\"\(id)\"}") }
            #expect(create == wanted.replacing("PATH", with: "/id"))
            for key in ["tenant", "principal"] where key == "principal" || !id.isEmpty {
                let narrow = try details { _ = try store.session.narrow("{\"\(key)\":\"\(id)\"}") }
                #expect(narrow == wanted.replacing("PATH", with: "/\(key)"))
            }
        }
        for (option, value) in [("state", "\"x\""), ("metadata", "[]")] {
            #expect(
                try details { try thread.add(user("x"), "{\"messages\":[{\"\(option)\":\(value)}]}") }
                    == "invalid {\"path\":\"/messages/0/\(option)\"}")
        }
    }

    /// The same details, whatever the engine.
    @Test(arguments: TestTarget.allCases)
    func expectSeqSaysTheNext(_ target: TestTarget) throws {
        let store = try TestStore(target)
        let thread = try store.session.create()
        try thread.say("x")
        for count in [1, 2] {
            let messages = "[" + Array(repeating: user("y"), count: count).joined(separator: ",") + "]"
            do {
                try thread.add(messages, "{\"expect_seq\":5}")
                Issue.record("seq 5 is accepted")
            } catch let error as MemexError {
                #expect(
                    error.code == .conflict
                        && error.details == "{\"path\":\"/expect_seq\",\"next_seq\":2}", "\(error)")
            }
        }
    }

    @Test func wrongAppendsStoreNothing() throws {
        let store = try TestStore(.memory)
        let thread = try store.session.create()
        let own = try thread.message(seq: thread.say("x").firstSeq).id
        let two = "[\(user("a")),\(user("b"))]"
        let wrong: [(String, String, MemexError.Code, String?)] = [
            ("", "", .invalid, nil), ("[]", "", .invalid, nil), ("7", "", .invalid, nil),
            ("[7]", "", .invalid, nil),
            ("{", "", .invalid, "\"offset\":"), (user("a") + "x", "", .invalid, "\"offset\":"),
            ("{\"content\":\"no role\"}", "", .invalid, "\"path\":\"/role\""),
            ("{\"role\":7}", "", .invalid, "\"path\":\"/role\""), ("{\"role\":\"\"}", "", .invalid, nil),
            ("{\"role\":\"a\",\"role\":\"b\"}", "", .invalid, nil),
            ("{\"role\":\"\\ud800\"}", "", .invalid, nil),
            (user("a"), "{\"id\":\"\"}", .invalid, nil), (user("a"), "{\"id\":\"a\\u0007\"}", .invalid, nil),
            (user("a"), "{\"id\":\"\(String(repeating: "x", count: 256))\"}", .limit, "\"limit\":255"),
            (user("a"), "{\"id\":\"\(own)\"}", .invalid, "\"path\":\"/id\""),
            (user("a"), "{\"idempotency_key\":\"\"}", .invalid, nil),
            (user("a"), "{\"expect_seq\":0}", .invalid, "\"path\":\"/expect_seq\""),
            (user("a"), "{\"expect_seq\":1}", .conflict, nil),
            (user("a"), "{\"expect_seq\":3}", .conflict, nil),
            (user("a"), "{\"format\":\"xml\"}", .invalid, "\"path\":\"/format\""),
            (user("a"), "{\"state\":\"deleted\"}", .invalid, "\"path\":\"/state\""),
            (user("a"), "{\"created_at_us\":0}", .invalid, "\"path\":\"/created_at_us\""),
            (user("a"), "{\"metadata\":[]}", .invalid, "\"path\":\"/metadata\""),
            (user("a"), "{\"provenance\":null}", .invalid, "\"path\":\"/provenance\""),
            (user("a"), "{\"pinned\":1}", .invalid, "\"path\":\"/pinned\""),
            (user("a"), "{\"messages\":[]}", .invalid, "\"path\":\"/messages\""),
            (user("a"), "{\"messages\":[{},{}]}", .invalid, "\"path\":\"/messages\""),
            (user("a"), "{\"messages\":[{\"ids\":1}]}", .invalid, "\"path\":\"/messages/0/ids\""),
            (user("a"), "{\"messages\":[{}],\"id\":\"x\"}", .invalid, "\"path\":\"/id\""),
            (two, "{\"id\":\"x\"}", .invalid, "\"path\":\"/id\""),
            (two, "{\"messages\":[{\"id\":\"x\"},{\"id\":\"x\"}]}", .exists, nil),
            ("[\(user("a")),{\"content\":1}]", "", .invalid, nil),
            (user("a"), "{\"retry\":true}", .invalid, "\"path\":\"/retry\""),
        ]
        for (messages, options, code, details) in wrong {
            do {
                try thread.add(messages, options)
                Issue.record("\(messages) with \(options) is accepted")
            } catch let error as MemexError {
                #expect(error.code == code, "\(messages) with \(options): \(error)")
                if let details {
                    #expect(error.details.contains(details), "\(messages) with \(options): \(error)")
                }
            }
        }
        #expect(try thread.count() == 1)
    }

    @Test(arguments: TestTarget.allCases)
    func idempotencyKeys(_ target: TestTarget) throws {
        let store = try TestStore(target)
        var thread = try store.session.create("{\"id\":\"a\"}")
        let key = "{\"idempotency_key\":\"k\"}"
        let first = try thread.add(user("x"), key)
        #expect(!first.isDuplicate && first.firstSeq == 1)
        for round in 0..<2 {
            let again = try thread.add(user("x"), "{\"idempotency_key\":\"k\",\"expect_seq\":1}")
            #expect(again.isDuplicate && again.firstSeq == 1 && again.createdAt == first.createdAt)
            expectError(.conflict, "other bytes") { try thread.add(user("y"), key) }
            #expect(try thread.say("x", key).isDuplicate, "the same body as text")
            #expect(try thread.add("[\(user("x"))]", key).isDuplicate, "an array of it")
            #expect(try thread.add(" " + user("x") + "\n", key).isDuplicate, "with white space around it")
            for other in [
                "{\"role\": \"user\",\"content\":\"x\"}", "[\(user("x")),\(user("x"))]",
                "{\"role\":\"user\",\"content\":\"\\u0078\"}",
            ] {
                expectError(.conflict, "other bytes: \(other)") { try thread.add(other, key) }
            }
            if round == 0 {
                try thread.say("between")
                try store.reopen()
                thread = try store.session.open("a")
            }
        }
        let text = "{\"idempotency_key\":\"t\"}"
        try thread.say("bc", role: "a", text)
        #expect(try thread.say("bc", role: "a", text).isDuplicate)
        expectError(.conflict, "the same bytes cut otherwise") { try thread.say("c", role: "ab", text) }
        #expect(try thread.add("{\"role\":\"a\",\"content\":\"bc\"}", text).isDuplicate, "its body")
        let list = "{\"idempotency_key\":\"l\"}"
        try thread.add("[\(user("p")),\(user("q"))]", list)
        #expect(try thread.add("[ \(user("p")) ,\(user("q")) ]", list).isDuplicate)
        expectError(.conflict, "in another order") { try thread.add("[\(user("q")),\(user("p"))]", list) }
        let empty = "{\"idempotency_key\":\"e\"}"
        try thread.say("", role: "{}", empty)
        expectError(.conflict, "a body with the bytes of a role") {
            try thread.add("{}", "{\"idempotency_key\":\"e\",\"format\":\"opaque\"}")
        }
        try thread.message(seq: 1).replace(user("z"))
        #expect(try thread.add(user("x"), key).isDuplicate, "a replaced message keeps its key")
        try thread.message(seq: 1).remove()
        #expect(try thread.add(user("x"), key).isDuplicate, "a deleted one, too")
        #expect(
            try thread.read("{\"include_deleted\":true,\"to_seq\":1}").first?["idempotency_key"] as? String
                == "k")
    }

    /// A retry finds its key before its own id, also in a fork.
    @Test(arguments: TestTarget.allCases)
    func retriesInForks(_ target: TestTarget) throws {
        let store = try TestStore(target)
        let thread = try store.session.create("{\"id\":\"a\"}")
        try thread.add(user("1"), "{\"id\":\"one\",\"idempotency_key\":\"k\"}")
        try thread.add(user("2"), "{\"id\":\"two\"}")
        let fork = try thread.fork("{\"at_seq\":1}")
        let options = "{\"id\":\"mine\",\"idempotency_key\":\"k\"}"
        #expect(try fork.add(user("f"), options).firstSeq == 2, "keys belong to a thread")
        #expect(try fork.add(user("f"), options).isDuplicate)
        expectError(.exists, "an id of the shared part") { try fork.add(user("x"), "{\"id\":\"one\"}") }
        expectError(.exists, "an id of its own") { try fork.add(user("x"), "{\"id\":\"mine\"}") }
        #expect(
            try fork.add(user("x"), "{\"id\":\"two\"}").firstSeq == 3, "an id from beyond the fork is free")
        let shared = try thread.message(seq: 1).id
        #expect(
            try fork.message(shared).seq == 1 && thread.message("two").seq == 2
                && fork.message("two").seq == 3)
    }
}
