import Memex
import MemexModel
import MemexStorage
import MemexTestSupport
import Testing

@Suite struct ThreadCursorTests {
    private static let start: Int64 = 1_700_000_000_000_000

    /// A clock that a test sets.
    private func clock() -> (Environment, Locked<Int64>) {
        let time = Locked(Self.start)
        return (Environment(now: { time.withLock { $0 } }), time)
    }

    /// Ids page by page, each page by a cursor of its own.
    private func byTokens(_ session: Session, _ query: String) throws -> [String] {
        var found: [String] = []
        var token = ""
        while true {
            let cursor = try session.list(
                token.isEmpty ? "{" + query + "}" : "{" + query + ",\"cursor\":\"\(token)\"}")
            guard let page = try cursor.page() else {
                #expect(token.isEmpty, "a token leads to a page: \(query)")
                return found
            }
            let ids = try threadIDs(page)
            found += ids
            token = try cursor.token()
            if token.isEmpty { return found }
        }
    }

    @Test(arguments: TestTarget.allCases)
    func ordersAndPages(_ target: TestTarget) throws {
        let store = try TestStore(target)
        var generator = SeededGenerator(seed: 5)
        var times: [String: Int64] = [:]
        var ids: [String] = []
        for index in 0..<60 {
            let id = "thread \(index)"
            let time = Self.start + Int64(generator.below(40)) * 10_000_000
            let thread = try store.session.create("{\"id\":\"\(id)\",\"created_at_us\":\(time)}")
            times[id] = time
            if index % 3 == 0 {
                let said = Self.start + Int64(generator.below(400)) * 1_000_000
                try thread.say("x", "{\"created_at_us\":\(said)}")
                times[id] = said
            }
            ids.append(id)
        }
        let byActivity = ids.enumerated().sorted {
            (times[$0.element] ?? 0, $0.offset) < (times[$1.element] ?? 0, $1.offset)
        }.map { $0.element }
        for (order, sorted) in [("activity", byActivity), ("created", ids)] {
            for descending in [true, false] {
                let wanted = descending ? Array(sorted.reversed()) : sorted
                for size in [1, 2, 7, 20, 30, 59, 60, 61, 10_000] {
                    for limit in [1, 7, 20, 60, 61] {
                        let query =
                            "\"order\":\"\(order)\",\"descending\":\(descending),\"page_size\":\(size),\"limit\":\(limit)"
                        #expect(
                            try store.session.ids("{\(query)}") == Array(wanted.prefix(limit)), "\(query)")
                        #expect(try byTokens(store.session, query) == Array(wanted.prefix(limit)), "\(query)")
                    }
                }
            }
        }
        #expect(try store.session.ids() == byActivity.reversed(), "the default")
        #expect(try store.session.narrow("{\"tenant\":\"other\"}").ids().isEmpty)
    }

    @Test(arguments: TestTarget.allCases)
    func movedThreadsComeAtMostOnce(_ target: TestTarget) throws {
        let (environment, time) = clock()
        let store = try TestStore(target, environment: environment)
        var threads: [ConversationThread] = []
        for index in 0..<40 {
            time.withLock { $0 += 1_000_000 }
            threads.append(try store.session.create("{\"id\":\"\(index)\"}"))
        }
        for descending in [true, false] {
            var generator = SeededGenerator(seed: descending ? 1 : 2)
            time.withLock { $0 += 100_000_000 }
            let before = try store.session.ids("{\"descending\":\(descending)}")
            let cursor = try store.session.list("{\"descending\":\(descending),\"page_size\":4}")
            var found: [String] = []
            var moved: Set<String> = []
            while let page = try cursor.page() {
                found += try threadIDs(page)
                time.withLock { $0 += 1_000_000 }
                for _ in 0..<3 {
                    let index = generator.below(40)
                    try threads[index].say("x")
                    moved.insert("\(index)")
                }
            }
            #expect(Set(found).count == found.count, "none twice")
            #expect(found.filter { !moved.contains($0) } == before.filter { !moved.contains($0) })
        }
    }

    /// A clock that is ahead hides nothing.
    @Test(arguments: TestTarget.allCases)
    func timesOfTheFutureAreListed(_ target: TestTarget) throws {
        let (environment, _) = clock()
        let store = try TestStore(target, environment: environment)
        for (index, ahead) in [0, 20_000_000, 500_000_000, 70_000_000].enumerated() {
            let thread = try store.session.create("{\"id\":\"\(index)\"}")
            try thread.say("x", "{\"created_at_us\":\(Self.start + Int64(ahead))}")
        }
        for size in [1, 2, 10] {
            #expect(try store.session.ids("{\"page_size\":\(size)}") == ["2", "3", "1", "0"])
            #expect(
                try store.session.ids("{\"page_size\":\(size),\"descending\":false}") == ["0", "1", "3", "2"])
            #expect(try byTokens(store.session, "\"page_size\":\(size)") == ["2", "3", "1", "0"])
        }
    }

    /// A plain message takes a thread back from the future; a listing under way does not show it again.
    @Test(arguments: TestTarget.allCases)
    func threadsThatComeBackFromTheFutureComeOnce(_ target: TestTarget) throws {
        for descending in [true, false] {
            let (environment, time) = clock()
            let store = try TestStore(target, environment: environment)
            var threads: [String: ConversationThread] = [:]
            for index in 0..<6 {
                time.withLock { $0 += 1_000_000 }
                threads["\(index)"] = try store.session.create("{\"id\":\"\(index)\"}")
            }
            for ahead in ["4", "5"] {
                try threads[ahead]?.say("x", "{\"created_at_us\":\(Self.start + 900_000_000)}")
            }
            let cursor = try store.session.list("{\"page_size\":1,\"descending\":\(descending)}")
            var found: [String] = []
            while let page = try cursor.page() {
                let ids = try threadIDs(page)
                found += ids
                time.withLock { $0 += 1_000_000 }
                try threads[ids[0]]?.say("back")
            }
            #expect(found.sorted() == ["0", "1", "2", "3", "4", "5"], "each once: \(found)")
            #expect(
                try store.session.ids("{\"descending\":\(descending)}")
                    == (descending ? found.reversed() : found), "by the time of the last message")
        }
    }

    /// Another query's token is refused: it would show another list, from a place that means nothing there.
    @Test(arguments: TestTarget.allCases)
    func tokensBelongToTheirQuery(_ target: TestTarget) throws {
        let store = try TestStore(target)
        let other = try store.session.narrow("{\"tenant\":\"other\"}")
        for session in [store.session, other] {
            for index in 0..<5 { try session.create("{\"id\":\"\(index)\",\"title\":\"t\"}") }
        }
        _ = try store.session.open("0").fork("{\"id\":\"fork\"}")
        let queries = [
            "", "\"order\":\"created\"", "\"descending\":false", "\"limit\":4",
            "\"filter\":{\"title\":{\"eq\":\"t\"}}", "\"filter\":{\"title\":{\"ne\":\"u\"}}",
            "\"filter\":{\"title\":{\"prefix\":\"t\"}}",
            "\"filter\":{\"metadata\":{\"t\":{\"exists\":false}}}",
            "\"filter\":{\"and\":[{\"title\":{\"in\":[\"t\",1]}}]}",
            "\"filter\":{\"not\":{\"id\":{\"eq\":\"x\"}}}",
            "\"filter\":{\"or\":[{\"version\":{\"eq\":1}},{\"version\":{\"eq\":1.0}}]}", "\"root\":\"fork\"",
        ]
        func with(_ query: String, _ more: String) -> String {
            "{" + [query, more].filter { !$0.isEmpty }.joined(separator: ",") + "}"
        }
        for session in [store.session, other] {
            for query in queries where session.tenant.isEmpty || !query.contains("root") {
                let cursor = try session.list(with(query, "\"page_size\":1"))
                let first = try threadIDs(try #require(try cursor.page()))
                let token = "\"cursor\":\"\(try cursor.token())\""
                #expect(
                    try first + session.ids(with(query, token)) == session.ids(with(query, "")),
                    "its own: \(query)")
                #expect(try session.ids(" " + with(query, "\"page_size\":3,  " + token)).count > 0)
                for wrong in queries where wrong != query {
                    if !session.tenant.isEmpty, wrong.contains("root") { continue }
                    expectError(.invalid, "the token of {\(query)} for {\(wrong)}") {
                        _ = try session.list(with(wrong, token))
                    }
                }
                if query.contains("root") { continue }
                let stranger = session.tenant.isEmpty ? other : store.session
                expectError(.invalid, "another tenant") { _ = try stranger.list(with(query, token)) }
            }
        }
        #expect(try store.session.ids("{\"limit\":0}").isEmpty)
    }

    @Test(arguments: TestTarget.allCases)
    func familiesAreListed(_ target: TestTarget) throws {
        let store = try TestStore(target)
        let root = try store.session.create("{\"id\":\"root\"}")
        try root.say("one")
        let fork = try root.fork("{\"id\":\"fork\"}")
        _ = try fork.fork("{\"id\":\"fork of fork\"}")
        try store.session.create("{\"id\":\"stranger\"}")
        for member in ["root", "fork", "fork of fork"] {
            for order in ["created", "activity"] {
                let query = "{\"root\":\"\(member)\",\"order\":\"\(order)\",\"page_size\":2}"
                #expect(Set(try store.session.ids(query)) == ["root", "fork", "fork of fork"])
            }
        }
        #expect(try store.session.ids("{\"root\":\"stranger\"}") == ["stranger"])
        try store.session.delete("root")
        #expect(Set(try store.session.ids("{\"root\":\"fork\"}")) == ["fork", "fork of fork"])
        expectError(.notFound, "a root that is gone") { _ = try store.session.ids("{\"root\":\"root\"}") }
    }

    @Test func wrongQueriesAreRefused() throws {
        let store = try TestStore(.memory)
        try store.session.create()
        try store.session.create()
        func prefix(_ query: String) throws -> String {
            let cursor = try store.session.list("{" + query + "\"page_size\":1}")
            _ = try cursor.page()
            return try cursor.token().split(separator: ".").prefix(2).joined(separator: ".")
        }
        let own = try prefix("")
        let wrong = [
            ("{\"order\":\"id\"}", "/order"), ("{\"limit\":-1}", "/limit"),
            ("{\"page_size\":0}", "/page_size"),
            ("{\"page_size\":10001}", "/page_size"), ("{\"root\":\"\"}", nil), ("{\"filter\":[]}", "/filter"),
            ("{\"cursor\":\"\"}", "/cursor"), ("{\"cursor\":\"m1.1.2.3\"}", "/cursor"),
            ("{\"cursor\":\"\(own).1.9223372036854775807.1.1\"}", "/cursor"),
            ("{\"cursor\":\"\(own).1.-1.1.1\"}", "/cursor"), ("{\"cursor\":\"t2..1.1.1.1\"}", "/cursor"),
            ("{\"sort\":1}", "/sort"),
        ]
        for (query, path) in wrong {
            do {
                _ = try store.session.list(query).pages()
                Issue.record("\(query) is accepted")
            } catch let error as MemexError {
                #expect(error.code == .invalid, "\(query)")
                if let path { #expect(error.details.contains("\"path\":\"\(path)\""), "\(query)") }
            }
        }
        let extremes = ["0", "-9223372036854775808", "9223372036854775807"]
        for time in extremes {
            for bound in extremes {
                for order in ["created", "activity"] {
                    for descending in [true, false] {
                        let query = "\"order\":\"\(order)\",\"descending\":\(descending),"
                        let token =
                            "\(try prefix(query)).\(time).9223372036854775806.\(bound).9223372036854775807"
                        _ = try store.session.ids("{\(query)\"cursor\":\"\(token)\"}")
                    }
                }
            }
        }
    }
}
