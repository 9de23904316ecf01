import Memex
import MemexModel
import MemexStorage
import MemexTestSupport
import Testing

@Suite struct MessageQueryTests {
    /// A fork of a fork with messages deleted everywhere, as 100 messages of which some are gone.
    private func thread(_ store: TestStore, deleting share: Int, seed: UInt64) throws
        -> (ConversationThread, [(seq: Int, isDeleted: Bool)])
    {
        var generator = SeededGenerator(seed: seed)
        var thread = try store.session.create("{\"id\":\"root\"}")
        for part in 0..<3 {
            let bodies = (1...34).map { user("\(part * 34 + $0)") }
            try thread.add("[" + bodies.joined(separator: ",") + "]")
            if part < 2 { thread = try thread.fork("{\"at_seq\":\((part + 1) * 33)}") }
        }
        let count = try thread.seqs().count
        var rows: [(seq: Int, isDeleted: Bool)] = []
        for seq in 1...count {
            // The last ones, too.
            let isDeleted = generator.below(100) < share || (share > 0 && seq > count - 3)
            if isDeleted { try thread.message(seq: Int64(seq)).remove() }
            rows.append((seq, isDeleted))
        }
        return (thread, rows)
    }

    /// What a query finds, by the words of the header.
    private func expected(
        _ rows: [(seq: Int, isDeleted: Bool)], _ query: [String: Int], descending: Bool, deleted: Bool
    ) -> [Int] {
        var seqs = rows.filter { deleted || !$0.isDeleted }.map { $0.seq }
        seqs = seqs.filter {
            $0 >= query["from_seq"] ?? 0 && $0 <= query["to_seq"] ?? .max && $0 > query["after_seq"] ?? 0
                && $0 < query["before_seq"] ?? .max
        }
        if let last = query["last"] { seqs = Array(seqs.suffix(last)) }
        if let limit = query["limit"] {
            let fromTheEnd = descending || query["before_seq"] != nil
            seqs = Array(fromTheEnd ? seqs.suffix(limit) : seqs.prefix(limit))
        }
        return descending ? seqs.reversed() : seqs
    }

    @Test(arguments: TestTarget.allCases, [0, 10, 60])
    func queriesFindWhatTheHeaderSays(_ target: TestTarget, share: Int) throws {
        let store = try TestStore(target)
        let (thread, rows) = try thread(store, deleting: share, seed: 7)
        var generator = SeededGenerator(seed: UInt64(share) + 1)
        for _ in 0..<400 {
            var query: [String: Int] = [:]
            let edge = { [0, 1, 2, 33, 34, 66, 67, 99, 100, 101, 150][generator.below(11)] }
            switch generator.below(6) {
            case 0: query["last"] = edge()
            case 1:
                query["from_seq"] = max(edge(), 1)
                if generator.below(2) == 0 { query["to_seq"] = max(edge(), 1) }
            case 2: query["to_seq"] = max(edge(), 1)
            case 3: query["after_seq"] = generator.below(110)
            case 4: query["before_seq"] = 1 + generator.below(110)
            default: break
            }
            if query["last"] == nil, generator.below(2) == 0 {
                query["limit"] = [0, 1, 2, 5, 30, 99, 100, 1_000][generator.below(8)]
            }
            let descending = generator.below(2) == 0
            let deleted = generator.below(3) == 0
            var fields = query.map { "\"\($0.key)\":\($0.value)" }
            if descending { fields.append("\"descending\":true") }
            if deleted { fields.append("\"include_deleted\":true") }
            fields.append("\"page_size\":\([1, 2, 3, 7, 33, 100, 10_000][generator.below(7)])")
            let text = "{" + fields.joined(separator: ",") + "}"
            let wanted = expected(rows, query, descending: descending, deleted: deleted)
            #expect(try thread.seqs(text) == wanted, "\(text)")
            try checkTokens(thread, text, wanted)
        }
    }

    /// Every page by a cursor of its own.
    private func checkTokens(_ thread: ConversationThread, _ query: String, _ wanted: [Int]) throws {
        var found: [Int] = []
        var token = ""
        while true {
            let text = token.isEmpty ? query : query.dropLast() + ",\"cursor\":\"\(token)\"}"
            let cursor = try thread.cursor(text)
            guard let page = try cursor.page() else {
                #expect(wanted.isEmpty, "a token leads to a page: \(query)")
                break
            }
            found += (try parse(page)["messages"] as? [JSONFields] ?? []).compactMap { $0["seq"] as? Int }
            token = try cursor.token()
            if token.isEmpty { break }
        }
        #expect(found == wanted, "by tokens: \(query)")
    }

    @Test(arguments: TestTarget.allCases)
    func tokensOutliveTheStore(_ target: TestTarget) throws {
        let store = try TestStore(target)
        let id = try store.session.create().id
        for index in 1...25 { try store.session.open(id).say("\(index)") }
        let cursor = try store.session.open(id).cursor("{\"page_size\":10}")
        _ = try cursor.page()
        let token = try cursor.token()
        try store.session.open(id).say("late")
        try store.reopen()
        let rest = try store.session.open(id).seqs("{\"page_size\":10,\"cursor\":\"\(token)\"}")
        #expect(rest == Array(11...25), "the upper end is that of the first page")
    }

    /// What is deleted while a cursor is open is on none of its later pages.
    @Test(arguments: TestTarget.allCases, [false, true])
    func deletedMeanwhile(_ target: TestTarget, isForked: Bool) throws {
        for layout in ["json", "bodies", "packed"] {
            for descending in [false, true] {
                let store = try TestStore(target)
                var thread = try store.session.create()
                for index in 1...10 { try thread.say("\(index)") }
                if isForked { thread = try thread.fork() }
                let query = "\"page_size\":2,\"descending\":\(descending),\"layout\":\"\(layout)\""
                let cursor = try thread.cursor("{\(query)}")
                let all = try thread.cursor("{\(query),\"include_deleted\":true}")
                var texts = [String(decoding: try #require(try cursor.page()), as: UTF8.self)]
                _ = try all.page()
                for seq: Int64 in [3, 4, 5, 8] { try thread.message(seq: seq).remove() }
                while let page = try cursor.page() { texts.append(String(decoding: page, as: UTF8.self)) }
                let wanted = descending ? [[10, 9], [7, 6], [2, 1]] : [[1, 2], [6, 7], [9, 10]]
                #expect(texts.count == wanted.count, "\(layout), descending \(descending): \(texts)")
                guard layout != "packed" else { continue }
                for (text, numbers) in zip(texts, wanted) {
                    for number in 1...10 {
                        #expect(
                            text.contains("\"content\":\"\(number)\"") == numbers.contains(number),
                            "\(layout), descending \(descending): \(number) in \(text)")
                    }
                    #expect(!text.contains("deleted") && !text.contains("null"))
                }
                #expect(try all.pages().count == 4, "with the deleted ones")
            }
        }
    }

    /// Tokens say of which query they are.
    @Test(arguments: TestTarget.allCases)
    func tokensBelongToTheirQuery(_ target: TestTarget) throws {
        let store = try TestStore(target)
        let other = try store.session.narrow("{\"tenant\":\"other\"}")
        let threads = try [
            store.session.create("{\"id\":\"a\"}"), store.session.create("{\"id\":\"b\"}"),
            other.create("{\"id\":\"a\"}"),
        ]
        for thread in threads { for index in 1...5 { try thread.say("\(index)") } }
        let queries = [
            "", "\"descending\":true", "\"include_deleted\":true", "\"limit\":4", "\"last\":4", "\"last\":3",
            "\"from_seq\":2", "\"to_seq\":4", "\"after_seq\":0", "\"after_seq\":1", "\"before_seq\":5",
        ]
        func with(_ query: String, _ more: String) -> String {
            "{" + [query, more].filter { !$0.isEmpty }.joined(separator: ",") + "}"
        }
        for query in queries {
            let cursor = try threads[0].cursor(with(query, "\"page_size\":1"))
            let first = try parse(try #require(try cursor.page()))["messages"] as? [JSONFields] ?? []
            let token = "\"cursor\":\"\(try cursor.token())\""
            #expect(
                try first.compactMap { $0["seq"] as? Int } + threads[0].seqs(with(query, token))
                    == threads[0].seqs(with(query, "")), "its own: \(query)")
            _ = try threads[0].cursor(with(query, token + ",\"layout\":\"packed\",\"page_size\":7"))
            for wrong in queries where wrong != query {
                expectError(.invalid, "the token of {\(query)} for {\(wrong)}") {
                    _ = try threads[0].cursor(with(wrong, token))
                }
            }
            for stranger in threads.dropFirst() {
                expectError(.invalid, "another thread's") { _ = try stranger.cursor(with(query, token)) }
            }
        }
        let token = try threads[0].cursor().token()
        try store.session.delete("a")
        let again = try store.session.create("{\"id\":\"a\"}")
        expectError(.invalid, "another thread of that id") {
            _ = try again.cursor("{\"cursor\":\"\(token)\"}")
        }
    }

    @Test(arguments: TestTarget.allCases)
    func theUpperEndIsFixed(_ target: TestTarget) throws {
        let store = try TestStore(target)
        let thread = try store.session.create()
        for index in 1...5 { try thread.say("\(index)") }
        let cursors = try ["{\"page_size\":2}", "{\"page_size\":2,\"descending\":true}", "{\"last\":3}"].map {
            try thread.cursor($0)
        }
        for index in 6...9 { try thread.say("\(index)") }
        let seqs = try cursors.map { cursor in
            try cursor.pages().flatMap { try parse($0)["messages"] as? [JSONFields] ?? [] }
                .compactMap { $0["seq"] as? Int }
        }
        #expect(seqs == [[1, 2, 3, 4, 5], [5, 4, 3, 2, 1], [3, 4, 5]])
        for cursor in cursors { #expect(try cursor.page() == nil && cursor.token().isEmpty) }
    }

    @Test(arguments: TestTarget.allCases)
    func aDeletedThreadEndsItsCursors(_ target: TestTarget) throws {
        let store = try TestStore(target)
        for isForked in [false, true] {
            let thread = try store.session.create("{\"id\":\"a\"}")
            for index in 1...5 { try thread.say("\(index)") }
            let begun = try thread.cursor("{\"page_size\":2}")
            let fresh = try thread.cursor()
            _ = try begun.page()
            // What forks share stays readable for a cursor that has opened just before.
            if isForked { _ = try thread.fork() }
            try store.session.delete("a")
            expectError(.notFound, "a cursor that has begun") { _ = try begun.page() }
            if isForked {
                #expect(try fresh.page() != nil)
                #expect(try fresh.page() == nil, "it was read to its end")
            } else {
                expectError(.notFound, "one that has not") { _ = try fresh.page() }
            }
            expectError(.notFound, "a new one") { _ = try thread.cursor() }
        }
    }

    @Test func wrongQueriesAreRefused() throws {
        let store = try TestStore(.memory)
        let thread = try store.session.create()
        try thread.say("a")
        func prefix(_ query: String = "") throws -> String {
            try thread.cursor("{" + query + "}").token().split(separator: ".").prefix(2)
                .joined(separator: ".")
        }
        let own = try prefix()
        let wrong = [
            ("{\"last\":-1}", "/last"), ("{\"from_seq\":0}", "/from_seq"), ("{\"to_seq\":0}", "/to_seq"),
            ("{\"to_seq\":2147483648}", "/to_seq"), ("{\"after_seq\":-1}", "/after_seq"),
            ("{\"before_seq\":0}", "/before_seq"), ("{\"limit\":-1}", "/limit"),
            ("{\"page_size\":0}", "/page_size"), ("{\"page_size\":10001}", "/page_size"),
            ("{\"descending\":1}", "/descending"), ("{\"include_deleted\":null}", "/include_deleted"),
            ("{\"layout\":\"xml\"}", "/layout"), ("{\"cursor\":7}", "/cursor"),
            ("{\"cursor\":\"\"}", "/cursor"), ("{\"cursor\":\"\(own).1.2\"}", "/cursor"),
            ("{\"cursor\":\"\(own).0.2.1\"}", "/cursor"), ("{\"cursor\":\"m2.x.1.2.1\"}", "/cursor"),
            ("{\"cursor\":\"m1\(own.dropFirst(2)).1.2.1\"}", "/cursor"),
            ("{\"cursor\":\"t2\(own.dropFirst(2)).1.2.1.1\"}", "/cursor"),
            ("{\"cursor\":\"\(own).1.99999999999.1\"}", "/cursor"),
            ("{\"cursor\":\"\(own).1.2.99999999999999999999\"}", "/cursor"), ("{\"lasts\":1}", "/lasts"),
        ]
        for (query, path) in wrong {
            do {
                _ = try thread.cursor(query)
                Issue.record("\(query) is accepted")
            } catch let error as MemexError {
                #expect(error.code == .invalid && error.details.contains("\"path\":\"\(path)\""), "\(query)")
            }
        }
        for pair in [
            ("last", "from_seq"), ("from_seq", "after_seq"), ("after_seq", "before_seq"), ("last", "to_seq"),
        ] {
            expectError(.invalid, "\(pair)") { _ = try thread.cursor("{\"\(pair.0)\":1,\"\(pair.1)\":1}") }
        }
        // Tokens of one's own making end quietly.
        for more in ["", "\"descending\":true", "\"last\":1"] {
            for end in [
                "9223372036854775807.5.9", "5.-9223372036854775808.9",
                "2147483647.2147483647.9223372036854775807",
            ] {
                let token = "\"cursor\":\"\(try prefix(more)).\(end)\""
                #expect(
                    try thread.seqs("{" + (more.isEmpty ? "" : more + ",") + token + "}").isEmpty)
            }
        }
    }

    /// More tombstones than a page has rows.
    @Test(arguments: TestTarget.allCases)
    func longRunsOfTombstones(_ target: TestTarget) throws {
        let store = try TestStore(target)
        let thread = try store.session.create()
        for _ in 0..<13 {
            try thread.add("[" + Array(repeating: user("x"), count: 1_000).joined(separator: ",") + "]")
        }
        let key = try #require(try store.engine.thread(tenant: "", id: thread.id)).key
        let batch = EngineBatch()
        for seq in Int64(100)...12_900 {
            var spec = MessageSpec(bytes: [])
            spec.state = .deleted
            spec.createdAt = 1
            batch.put(.key(key), seq: seq, spec)
        }
        batch.update(.key(key)) {
            $0.changesDelta = 1
            $0.deletedDelta = 12_801
        }
        try batch.commit(store.engine)
        let live = Array(1...99) + Array(12_901...13_000)
        for size in [1, 50, 99, 100, 10_000] {
            #expect(try thread.seqs("{\"page_size\":\(size)}") == live)
            #expect(try thread.seqs("{\"page_size\":\(size),\"descending\":true}") == live.reversed())
        }
        #expect(try thread.seqs("{\"last\":102}") == Array(live.suffix(102)))
        #expect(try thread.seqs("{\"before_seq\":12901,\"limit\":2}") == [98, 99])
    }
}
