import Foundation
import Memex
import MemexModel
import MemexStorage
import MemexTestSupport
import Testing

@Suite struct MessagePageTests {
    /// A packed page as docs/reference/packed-page.md describes it, decoded without the library.
    struct Packed {
        struct Row {
            var seq: Int64 = 0
            var createdAt: Int64 = 0
            var rev: Int64 = 0
            var tokens: UInt32 = 0
            var kind: UInt32 = 0
            var code: UInt8 = 0
            var field = ""
        }
        var rows: [Row] = []
        var isLast = false

        init(_ bytes: [UInt8]) throws {
            var at = 0
            func number(_ size: Int) throws -> UInt64 {
                try #require(at + size <= bytes.count, "the page is long enough")
                var value: UInt64 = 0
                for index in 0..<size { value |= UInt64(bytes[at + index]) << UInt64(8 * index) }
                at += size
                return value
            }
            try #require(Array(bytes.prefix(4)) == Array("MXP2".utf8))
            at = 4
            let count = Int(try number(4))
            try #require(count > 0)
            let flags = try number(4)
            isLast = flags & 2 != 0
            #expect(flags < 4)
            #expect(try number(4) == 0)
            rows = Array(repeating: Row(), count: count)
            for index in rows.indices { rows[index].seq = Int64(bitPattern: try number(8)) }
            for index in rows.indices { rows[index].createdAt = Int64(bitPattern: try number(8)) }
            for index in rows.indices { rows[index].rev = Int64(bitPattern: try number(8)) }
            for index in rows.indices { rows[index].tokens = UInt32(try number(4)) }
            for index in rows.indices { rows[index].kind = UInt32(try number(4)) }
            let lengths = try rows.map { _ in Int(try number(4)) }
            for index in rows.indices { rows[index].code = UInt8(try number(1)) }
            var hasNUL = false
            for index in rows.indices {
                if index > 0 { #expect(try number(1) == 0, "a NUL between two fields") }
                try #require(at + lengths[index] <= bytes.count, "the text is there")
                let field = bytes[at..<at + lengths[index]]
                hasNUL = hasNUL || field.contains(0)
                rows[index].field = try #require(String(bytes: field, encoding: .utf8))
                at += lengths[index]
            }
            #expect(at == bytes.count, "nothing follows")
            #expect(hasNUL == (flags & 1 != 0))
        }
    }

    private static let roles = ["", "system", "user", "assistant", "tool", "developer", "function"]

    private static let contents = [
        "", "plain", "with \"quotes\" \\ / and\nlines\t", "\u{0}\u{1}\u{1F}", "🚀 ä \u{10FFFF}",
        "{\"role\":\"x\"}",
        String(repeating: "long ", count: 5_000),
    ]

    private func fill(_ thread: ConversationThread) throws {
        for (index, content) in Self.contents.enumerated() {
            try thread.say(content, role: index == 0 ? "é\"" : Self.roles[index == 6 ? 1 : index + 1])
        }
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
        let fork = try root.fork()
        for thread in [root, fork] {
            for options in ["", ",\"include_deleted\":true", ",\"descending\":true,\"page_size\":5"] {
                let json = try thread.read("{\"layout\":\"json\"\(options)}")
                let pages = try thread.cursor("{\"layout\":\"packed\"\(options)}").pages()
                    .map { try Packed($0) }
                #expect(pages.map { $0.isLast } == pages.indices.map { $0 == pages.count - 1 })
                let rows = pages.flatMap { $0.rows }
                try #require(json.count == rows.count)
                for (fields, row) in zip(json, rows) {
                    try compare(fields, row, in: thread)
                    if thread === root {
                        #expect((row.kind & 32 != 0) == (fields["id"] as? String == "mine"))
                    }
                }
                let bodies = try thread.cursor("{\"layout\":\"bodies\"\(options)}").pages()
                    .flatMap { try JSONSerialization.jsonObject(with: Data($0)) as? [Any] ?? [] }
                #expect(bodies.count == json.count)
            }
        }
        let rows = try Packed(try #require(try root.cursor("{\"layout\":\"packed\"}").page())).rows
        #expect(rows.prefix(7).map { $0.code } == [0, 2, 3, 4, 5, 6, 1], "text comes decoded")
    }

    private func compare(_ fields: JSONFields, _ row: Packed.Row, in thread: ConversationThread) throws {
        #expect(row.seq == fields["seq"] as? Int64 && row.rev == fields["rev"] as? Int64)
        #expect(row.createdAt == fields["created_at_us"] as? Int64)
        #expect(row.tokens == fields["tokens"] as? UInt32)
        let role = fields["role"] as? String ?? ""
        #expect(Int(row.kind >> 8) == Self.roles.firstIndex(of: role) ?? 0)
        let state = fields["state"] as? String
        #expect((row.kind & 2 != 0) == (state == "incomplete"))
        #expect((row.kind & 4 != 0) == (state == "deleted"))
        #expect((row.kind & 8 != 0) == (fields["pinned"] as? Bool ?? false))
        #expect((row.kind & 16 != 0) == (fields["metadata"] != nil))
        #expect(row.kind & 0xC1 == 0)
        if state == "deleted" {
            #expect(row.field.isEmpty && row.code == 0 && fields["body"] == nil)
            return
        }
        let body = try thread.message(seq: row.seq).text
        if row.code == 0 {
            #expect(row.field == body)
            return
        }
        let parsed = try parse(Array(body.utf8))
        #expect(row.field == parsed["content"] as? String && parsed.count == 2)
        #expect(Self.roles[Int(row.code)] == parsed["role"] as? String)
        let places = try ["\"role\"", "\"content\""].map { try #require(body.range(of: $0)).lowerBound }
        #expect(places[0] < places[1], "in this order")
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
