import Memex
import MemexModel
import MemexStorage
import MemexTestSupport
import Testing

@Suite struct ThreadDocumentTests {
    @Test(arguments: TestTarget.allCases)
    func fields(_ target: TestTarget) throws {
        let store = try TestStore(target)
        let bare = try store.session.create("{\"id\":\"bare\",\"created_at_us\":5000}").document()
        #expect(
            Set(bare.keys) == [
                "id", "version", "rev", "created_at_us", "updated_at_us", "message_count", "last_seq",
            ])
        #expect(
            bare["version"] as? Int == 1 && bare["rev"] as? Int == 0 && bare["created_at_us"] as? Int == 5000)
        let tenant = try store.session.narrow("{\"tenant\":\"acme\"}")
        let thread = try tenant.create(
            "{\"id\":\"a\\\"\\\\🚀\",\"title\":\"t\\u0000\\n\",\"metadata\":{\"n\": 1.50, \"big\":98765432109876543210}}"
        )
        try thread.say("x", "{\"created_at_us\":7000}")
        try thread.say("y", "{\"created_at_us\":9000000000000000}")
        try thread.message(seq: 1).remove()
        let text = String(decoding: try output { try thread.document(&$0) }, as: UTF8.self)
        let document = try thread.document()
        #expect(document["id"] as? String == "a\"\\🚀" && document["tenant"] as? String == "acme")
        #expect(document["title"] as? String == "t\u{0}\n")
        #expect(text.contains("\"metadata\":{\"n\": 1.50, \"big\":98765432109876543210}"), "bytes as given")
        #expect(document["last_message_at_us"] as? Int == 9_000_000_000_000_000)
        #expect(document["updated_at_us"] as? Int == 9_000_000_000_000_000)
        #expect(document["message_count"] as? Int == 1 && document["last_seq"] as? Int == 2)
        #expect(document["rev"] as? Int == 3 && document["version"] as? Int == 1)
        #expect(document["root"] == nil && document["base"] == nil)
    }

    @Test(arguments: TestTarget.allCases)
    func updates(_ target: TestTarget) throws {
        let store = try TestStore(target)
        let thread = try store.session.create(
            "{\"id\":\"a\",\"title\":\"t\",\"metadata\":{\"a\":1.00,\"b\":{\"c\":[1]}}}")
        var document = try thread.change("{\"metadata\":{\"b\":{\"d\":1e2}},\"title\":\"new\"}")
        #expect(
            document["version"] as? Int == 2 && document["rev"] as? Int == 1
                && document["title"] as? String == "new")
        let text = String(decoding: try output { try thread.document(&$0) }, as: UTF8.self)
        #expect(text.contains("\"a\":1.00") && text.contains("\"d\":1e2") && text.contains("\"c\":[1]"))
        document = try thread.change("{\"title\":null,\"metadata\":{\"b\":null}}", "{\"if_version\":2}")
        #expect(document["title"] == nil && document["version"] as? Int == 3)
        expectError(.conflict, "another version") {
            try thread.change("{\"title\":\"x\"}", "{\"if_version\":2}")
        }
        document = try thread.change("{\"metadata\":null}")
        #expect(document["metadata"] == nil && document["version"] as? Int == 4)
        document = try thread.change("{}")
        #expect(document["version"] as? Int == 5, "an empty patch is a change")
        let wrong = [
            "", "[]", "{\"title\":1}", "{\"metadata\":[]}", "{\"id\":\"b\"}",
            "{\"metadata\":{\"a\":1,\"a\":2}}", "7",
        ]
        for patch in wrong { expectError(.invalid, patch) { try thread.change(patch) } }
        expectError(.invalid, "an option") { try thread.change("{}", "{\"if_rev\":1}") }
        let title = String(repeating: "t", count: Limits.titleBytes)
        try thread.change("{\"title\":\"\(title)\"}")
        expectError(.limit, "a longer title") { try thread.change("{\"title\":\"\(title)t\"}") }
        expectError(.limit, "a longer title") { try store.session.create("{\"title\":\"\(title)t\"}") }
        let half = String(repeating: "m", count: 600 << 10)
        try thread.change("{\"metadata\":{\"x\":\"\(half)\"}}")
        expectError(.limit, "more metadata") { try thread.change("{\"metadata\":{\"y\":\"\(half)\"}}") }
        #expect(try thread.document()["version"] as? Int == 7)
        try store.session.delete("a")
        expectError(.notFound, "a deleted thread") { try thread.change("{}") }
        expectError(.notFound, "its document") { _ = try thread.document() }
    }

    @Test(arguments: TestTarget.allCases)
    func updatesAtOnce(_ target: TestTarget) throws {
        let store = try TestStore(target)
        let thread = try store.session.create()
        try runConcurrently(6) { worker in
            for round in 0..<20 { try thread.change("{\"metadata\":{\"\(worker) \(round)\":1}}") }
        }
        let document = try thread.document()
        #expect((document["metadata"] as? JSONFields)?.count == 120 && document["version"] as? Int == 121)
    }

    @Test func wrongBeginnings() throws {
        let store = try TestStore(.memory)
        try store.session.create("{\"id\":\"a\"}")
        let wrong: [(String, MemexError.Code)] = [
            ("{\"id\":\"a\"}", .exists), ("{\"id\":\"\"}", .invalid), ("{\"id\":7}", .invalid),
            ("[]", .invalid),
            ("{\"id\":\"a\\u0000\"}", .invalid), ("{\"id\":\"\\u0085\"}", .invalid),
            ("{\"id\":\"\(String(repeating: "i", count: 256))\"}", .limit), ("{\"title\":null}", .invalid),
            ("{\"metadata\":null}", .invalid), ("{\"created_at_us\":0}", .invalid),
            ("{\"created_at_us\":253402300800000000}", .invalid), ("{\"tenant\":\"x\"}", .invalid),
        ]
        for (initial, code) in wrong { expectError(code, initial) { try store.session.create(initial) } }
        try store.session.create("{\"id\":\"\(String(repeating: "ÿ", count: 127))i\"}")
        #expect(try store.session.ids().count == 2)
    }
}
