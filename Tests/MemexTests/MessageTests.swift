import Memex
import MemexModel
import MemexStorage
import MemexTestSupport
import Testing

@Suite struct MessageTests {
    @Test(arguments: TestTarget.allCases)
    func replacing(_ target: TestTarget) throws {
        let store = try TestStore(target)
        let thread = try store.session.create("{\"id\":\"a\"}")
        try thread.add(
            user("one"),
            "{\"id\":\"x\",\"metadata\":{\"k\":1},\"provenance\":{\"p\":1},\"state\":\"incomplete\"}")
        try thread.say("two")
        let message = try thread.message("x")
        let before = try message.fields
        try message.replace("{\"role\":\"assistant\",\"content\":\"a rather longer text than before\"}")
        let after = try message.fields
        #expect(
            try message.text == "{\"role\":\"assistant\",\"content\":\"a rather longer text than before\"}")
        for key in ["id", "seq", "created_at_us", "format"] {
            #expect("\(before[key] ?? "")" == "\(after[key] ?? "")", "\(key) stays")
        }
        #expect(
            after["metadata"] as? [String: Int] == ["k": 1]
                && after["provenance"] as? [String: Int] == ["p": 1])
        #expect(after["state"] as? String == "complete" && after["role"] as? String == "assistant")
        #expect((after["tokens"] as? Int ?? 0) > (before["tokens"] as? Int ?? 0))
        #expect(after["rev"] as? Int == 3 && message.role == "user", "the role is that of opening")
        #expect(try thread.document()["rev"] as? Int == 3 && thread.count() == 2)
        try message.replace(user("x"), "{\"state\":\"incomplete\",\"pinned\":true,\"if_rev\":3}")
        #expect(
            try message.fields["state"] as? String == "incomplete"
                && message.fields["pinned"] as? Bool == true)
        try message.replace(user("x"))
        #expect(try message.fields["pinned"] as? Bool == true, "a pin stays")
        try message.replace(user("x"), "{\"pinned\":false}")
        #expect(try message.fields["pinned"] == nil)
        expectError(.conflict, "another rev") { try message.replace(user("y"), "{\"if_rev\":3}") }
        for wrong in [
            "", "[\(user("y"))]", " [\(user("y"))]", "{\"content\":1}", "7", "{", user("a") + user("b"),
        ] {
            expectError(.invalid, wrong) { try message.replace(wrong) }
        }
        expectError(.invalid, "an option") { try message.replace(user("y"), "{\"id\":\"z\"}") }
        expectError(.invalid, "a state") { try message.replace(user("y"), "{\"state\":\"deleted\"}") }
        #expect(try message.text == user("x") && thread.message("x").seq == 1)
        try thread.add("{\"a\":1}", "{\"format\":\"opaque\"}")
        try thread.message(seq: 3).replace("{\"b\":[2]}")
        #expect(try thread.message(seq: 3).text == "{\"b\":[2]}", "its format's rules hold")
    }

    @Test(arguments: TestTarget.allCases)
    func metadata(_ target: TestTarget) throws {
        let store = try TestStore(target)
        let thread = try store.session.create()
        try thread.add(
            user("x"),
            "{\"metadata\":{\"a\":1.500,\"b\":{\"c\":1e40,\"d\":123456789012345678901234567890},\"e\":[1.0]},\"provenance\":{\"p\":1.0}}"
        )
        let message = try thread.message(seq: 1)
        try message.patch("{\"b\":{\"x\":-0.0},\"new\":\"\\u0000\",\"e\":null}")
        let json = try message.rawJSON
        for part in [
            "\"a\":1.500", "\"c\":1e40", "\"d\":123456789012345678901234567890", "\"x\":-0.0",
            "\"new\":\"\\u0000\"",
        ] {
            #expect(json.contains(part), "\(part) in \(json)")
        }
        #expect(!json.contains("\"e\":") && json.contains("\"provenance\":{\"p\":1.0}"))
        #expect(try message.text == user("x") && message.fields["rev"] as? Int == 2)
        try message.patch("{}", "{\"pinned\":true,\"if_rev\":2}")
        #expect(try message.fields["pinned"] as? Bool == true)
        expectError(.conflict, "another rev") { try message.patch("{}", "{\"if_rev\":2}") }
        try message.patch("{\"a\":null,\"b\":null,\"new\":null}")
        #expect(try message.fields["metadata"] == nil && message.fields["provenance"] != nil)
        for wrong in ["", "[]", "7", "null", "{\"a\":1,\"a\":2}", "{"] {
            expectError(.invalid, wrong) { try message.patch(wrong) }
        }
        expectError(.invalid, "an option") { try message.patch("{}", "{\"state\":\"complete\"}") }
        let big = "{\"m\":\"\(String(repeating: "x", count: 600 << 10))\"}"
        try message.patch(big)
        expectError(.limit, "more than a mebibyte") {
            try message.patch("{\"n\":\"\(String(repeating: "y", count: 600 << 10))\"}")
        }
        #expect(try message.fields["rev"] as? Int == 5)
    }

    @Test(arguments: TestTarget.allCases)
    func deleting(_ target: TestTarget) throws {
        let store = try TestStore(target)
        let thread = try store.session.create("{\"id\":\"a\"}")
        try thread.add(
            "[\(user("1")),\(user("2")),\(user("3"))]",
            "{\"messages\":[{\"id\":\"x\",\"metadata\":{\"k\":1}},{},{}]}")
        let message = try thread.message("x")
        let id = try thread.message(seq: 3).id
        expectError(.conflict, "another rev") { try message.remove("{\"if_rev\":9}") }
        expectError(.invalid, "an option") { try message.remove("{\"hard\":true}") }
        try message.remove("{\"if_rev\":1}")
        try thread.message(seq: 3).remove()
        for call: (String, () throws -> Void) in [
            ("body", { _ = try message.text }), ("json", { _ = try message.rawJSON }),
            ("again", { try message.remove() }),
            ("replace", { try message.replace(user("y")) }), ("metadata", { try message.patch("{}") }),
            ("by seq", { _ = try thread.message(seq: 1).text }),
            ("by id", { _ = try thread.message("x").text }),
            ("by generated id", { _ = try thread.message(id).text }),
            ("none", { _ = try thread.message(seq: 4) }), ("no id", { _ = try thread.message("y") }),
        ] { expectError(.notFound, call.0, call.1) }
        #expect(
            try thread.message("x").seq == 1 && thread.message(id).seq == 3
                && thread.message(seq: 1).id == "x", "for erasing")
        #expect(try thread.count() == 1 && thread.seqs() == [2])
        #expect(try thread.document()["message_count"] as? Int == 1)
        let rows = try thread.read("{\"include_deleted\":true}")
        #expect(rows.map { $0["state"] as? String } == ["deleted", "complete", "deleted"])
        #expect(rows[0]["id"] as? String == "x" && rows[0]["metadata"] == nil && rows[0]["body"] == nil)
        #expect(
            rows[0]["rev"] as? Int == 4 && rows[0]["role"] as? String == "user"
                && rows[2]["id"] as? String == id)
        expectError(.exists, "its id stays taken") { try thread.add(user("4"), "{\"id\":\"x\"}") }
        #expect(try thread.say("4").firstSeq == 4, "its seq is not used again")
        try store.reopen()
        #expect(try store.session.open("a").seqs() == [2, 4])
        for wrong: Int64 in [0, -1, Limits.seq + 1, .max, .min] {
            expectError(.invalid, "seq \(wrong)") { _ = try thread.message(seq: wrong) }
        }
    }

    /// Changes of one message from many threads: each sees the others' or fails.
    @Test(arguments: TestTarget.allCases)
    func changesAtOnce(_ target: TestTarget) throws {
        let store = try TestStore(target)
        let thread = try store.session.create()
        try thread.add(user("x"), "{\"metadata\":{}}")
        try runConcurrently(6) { worker in
            for round in 0..<20 {
                try thread.message(seq: 1).patch("{\"\(worker) \(round)\":\(round)}")
                try thread.say("more")
            }
        }
        let fields = try thread.message(seq: 1).fields
        #expect((fields["metadata"] as? [String: Int])?.count == 120, "no update is lost")
        #expect(try thread.count() == 121)
        let winners = Locked(0)
        let rev = fields["rev"] as? Int ?? 0
        try runConcurrently(6) { worker in
            do {
                try thread.message(seq: 1).replace(user("\(worker)"), "{\"if_rev\":\(rev)}")
                winners.withLock { $0 += 1 }
            } catch let error as MemexError where error.code == .conflict {}
        }
        #expect(winners.withLock { $0 } == 1, "if_rev lets one win")
    }
}
