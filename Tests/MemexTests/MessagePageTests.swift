import Foundation
import Memex
import MemexModel
import MemexStorage
import MemexTestSupport
import Testing

@Suite struct MessagePageTests {
    /// A packed page as its description says, decoded without the library.
    struct Packed {
        struct Row {
            var seq: Int64 = 0
            var createdAt: Int64 = 0
            var rev: Int64 = 0
            var tokens: UInt32 = 0
            var kind: UInt32 = 0
            var role = ""
            var text = ""
        }
        var rows: [Row] = []

        init(_ bytes: [UInt8]) throws {
            var at = 0
            func number(_ size: Int) throws -> UInt64 {
                try #require(at + size <= bytes.count, "the page is long enough")
                var value: UInt64 = 0
                for index in 0..<size { value |= UInt64(bytes[at + index]) << UInt64(8 * index) }
                at += size
                return value
            }
            func text(_ length: Int) throws -> String {
                try #require(at + length <= bytes.count, "the text is there")
                defer { at += length }
                return try #require(String(bytes: bytes[at..<at + length], encoding: .utf8))
            }
            try #require(Array(bytes.prefix(4)) == Array("MXP1".utf8))
            at = 4
            let count = Int(try number(4))
            _ = try number(8)
            rows = Array(repeating: Row(), count: count)
            for index in rows.indices { rows[index].seq = Int64(bitPattern: try number(8)) }
            for index in rows.indices { rows[index].createdAt = Int64(bitPattern: try number(8)) }
            for index in rows.indices { rows[index].rev = Int64(bitPattern: try number(8)) }
            for index in rows.indices { rows[index].tokens = UInt32(try number(4)) }
            for index in rows.indices { rows[index].kind = UInt32(try number(4)) }
            var lengths: [(Int, Int)] = rows.map { _ in (0, 0) }
            for index in rows.indices { lengths[index].0 = Int(try number(4)) }
            for index in rows.indices { lengths[index].1 = Int(try number(4)) }
            for index in rows.indices {
                rows[index].role = try text(lengths[index].0)
                rows[index].text = try text(lengths[index].1)
            }
            #expect(at == bytes.count, "nothing follows")
        }
    }

    private static let contents = [
        "", "plain", "with \"quotes\" \\ / and\nlines\t", "\u{0}\u{1}\u{1F}", "🚀 ä \u{10FFFF}",
        "{\"role\":\"x\"}",
        String(repeating: "long ", count: 5_000),
    ]

    private func fill(_ thread: ConversationThread) throws {
        for (index, content) in Self.contents.enumerated() { try thread.say(content, role: "r\(index)é\"") }
        try thread.add("{\"content\":\"other order\",\"role\":\"user\"}")
        try thread.add("{ \"role\" : \"user\" , \"content\" : \"spaces\" }")
        try thread.add("{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[]}")
        try thread.add(
            "{\"role\":\"user\",\"content\":\"esc\\u0061ped \\ud83d\\ude80\"}", "{\"pinned\":true}")
        try thread.add(
            "{\"role\":\"user\",\"content\":\"half\"}", "{\"state\":\"incomplete\",\"metadata\":{\"a\":1}}")
        try thread.add("{\"any\":[1,2]}", "{\"format\":\"opaque\",\"id\":\"mine\"}")
        try thread.say("gone")
        try thread.message(seq: 14).remove()
        try thread.message(seq: 2).replace("{\"role\":\"user\",\"content\":\"replaced\"}")
    }

    @Test(arguments: TestTarget.allCases)
    func theThreeLayoutsAgree(_ target: TestTarget) throws {
        let store = try TestStore(target)
        let root = try store.session.create()
        try fill(root)
        for thread in [root, try root.fork()] {
            for options in ["", ",\"include_deleted\":true", ",\"descending\":true,\"page_size\":5"] {
                let json = try thread.read("{\"layout\":\"json\"\(options)}")
                let packed = try thread.cursor("{\"layout\":\"packed\"\(options)}").pages().flatMap {
                    try Packed($0).rows
                }
                let bodies = try thread.cursor("{\"layout\":\"bodies\"\(options)}").pages()
                    .flatMap { try JSONSerialization.jsonObject(with: Data($0)) as? [JSONFields] ?? [] }
                try #require(json.count == packed.count)
                for (fields, row) in zip(json, packed) {
                    #expect(row.seq == fields["seq"] as? Int64 && row.rev == fields["rev"] as? Int64)
                    #expect(row.createdAt == fields["created_at_us"] as? Int64)
                    #expect(
                        row.tokens == fields["tokens"] as? UInt32 && row.role == fields["role"] as? String)
                    let state = fields["state"] as? String
                    #expect((row.kind & 2 != 0) == (state == "incomplete"))
                    #expect((row.kind & 4 != 0) == (state == "deleted"))
                    #expect((row.kind & 8 != 0) == (fields["pinned"] as? Bool ?? false))
                    #expect((row.kind & 16 != 0) == (fields["metadata"] != nil))
                    if thread === root {
                        #expect((row.kind & 32 != 0) == (fields["id"] as? String == "mine"))
                    }
                    #expect(row.kind < 64)
                    guard state != "deleted" else {
                        #expect(row.text.isEmpty && fields["body"] == nil)
                        continue
                    }
                    let body = try thread.message(seq: row.seq).text
                    if row.kind & 1 != 0 {
                        let parsed = try parse(Array(body.utf8))
                        #expect(row.text == parsed["content"] as? String && parsed.count == 2)
                    } else {
                        #expect(row.text == body)
                    }
                }
                if !options.contains("include_deleted") { #expect(bodies.count == json.count) }
            }
        }
        let kinds = try Packed(try #require(try root.cursor("{\"layout\":\"packed\"}").page())).rows.map {
            $0.kind & 1
        }
        #expect(kinds.prefix(7).allSatisfy { $0 == 1 } && kinds[9] == 0, "text comes decoded")
    }

    /// Deleted messages among bodies leave no empty places.
    @Test(arguments: TestTarget.allCases)
    func bodiesWithTombstonesAreJSON(_ target: TestTarget) throws {
        let store = try TestStore(target)
        let thread = try store.session.create()
        for index in 1...4 { try thread.say("\(index)") }
        try thread.message(seq: 1).remove()
        try thread.message(seq: 3).remove()
        for options in ["", ",\"descending\":true"] {
            let query = "{\"layout\":\"bodies\",\"include_deleted\":true\(options)}"
            let page = try #require(try thread.cursor(query).page())
            let parsed = try JSONSerialization.jsonObject(with: Data(page)) as? [Any]
            #expect(
                parsed?.map { $0 is NSNull }
                    == (options.isEmpty ? [true, false, true, false] : [false, true, false, true]))
        }
    }

    @Test(arguments: TestTarget.allCases)
    func pagesEndByBytes(_ target: TestTarget) throws {
        let store = try TestStore(target)
        let thread = try store.session.create()
        let big = "{\"role\":\"user\",\"content\":\"\(String(repeating: "x", count: 30 << 20))\"}"
        for _ in 0..<4 { try thread.add(big) }
        for layout in ["json", "bodies", "packed"] {
            let cursor = try thread.cursor("{\"layout\":\"\(layout)\"}")
            var pages = 0
            while let page = try cursor.page() {
                #expect(page.count < 100 << 20)
                pages += 1
            }
            #expect(pages == 2, "\(layout)")
        }
    }
}
