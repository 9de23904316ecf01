import Memex
import MemexModel
import MemexStorage
import MemexTestSupport
import Testing

@Suite struct SessionTests {
    @Test(arguments: TestTarget.allCases)
    func tenantsDoNotSeeEachOther(_ target: TestTarget) throws {
        let store = try TestStore(target)
        let names = ["acme", "ac", "acme2", "'", "%", "ÄÖ", String(repeating: "t", count: 255)]
        let sessions = try [store.session] + names.map { try store.session.narrow("{\"tenant\":\"\($0)\"}") }
        for (index, session) in sessions.enumerated() {
            let thread = try session.create("{\"id\":\"same\",\"title\":\"\(index)\"}")
            try thread.say("of \(index)", "{\"id\":\"m\",\"idempotency_key\":\"k\"}")
            try session.create("{\"id\":\"own \(index)\"}")
        }
        for (index, session) in sessions.enumerated() {
            #expect(Set(try session.ids()) == ["same", "own \(index)"])
            let document = try session.open("same").document()
            #expect(document["title"] as? String == "\(index)" && document["message_count"] as? Int == 1)
            #expect(document["tenant"] as? String == (index == 0 ? nil : names[index - 1]))
            #expect(try session.open("same").message("m").text == user("of \(index)"))
            let other = "own \((index + 1) % sessions.count)"
            expectError(.notFound, "opening another's thread") { _ = try session.open(other) }
            expectError(.notFound, "deleting it") { try session.delete(other) }
            expectError(.notFound, "its family") { _ = try session.ids("{\"root\":\"\(other)\"}") }
            try session.open("same").fork("{\"id\":\"fork\"}").say("x")
        }
        try sessions[1].delete("same", store.engine.capabilities.erases ? "{\"erase\":true}" : "")
        #expect(try sessions[2].open("same").count() == 1 && sessions[2].open("fork").count() == 2)
        #expect(try store.session.narrow("{\"tenant\":\"\"}").ids().count == 3, "the plain store's tenant")
    }

    @Test func sessionsNarrowOnly() throws {
        let store = try TestStore(.memory)
        let acme = try store.session.narrow("{\"tenant\":\"acme\"}")
        expectError(.denied, "another tenant") { _ = try acme.narrow("{\"tenant\":\"other\"}") }
        expectError(.denied, "the plain tenant") { _ = try acme.narrow("{\"tenant\":\"\"}") }
        let alice = try acme.narrow("{\"tenant\":\"acme\",\"principal\":\"alice\"}")
        #expect(alice.tenant == "acme" && alice.principal == "alice")
        expectError(.denied, "another principal") { _ = try alice.narrow("{\"principal\":\"bob\"}") }
        let again = try alice.narrow("{}")
        #expect(again.tenant == "acme" && again.principal == "alice")
        expectError(.denied, "another tenant of a session of a session") {
            _ = try again.narrow("{\"tenant\":\"other\"}")
        }
        let plain = try store.session.narrow("{}")
        expectError(.denied, "a session of tenant \"\" keeps it") {
            _ = try plain.narrow("{\"tenant\":\"acme\"}")
        }
        for command in Commands.names {
            expectError(.denied, "\(command) on a session") { _ = try plain.command(command) }
        }
        for wrong in [
            "{\"tenant\":7}", "{\"tenant\":\"a\\u0001\"}", "{\"principal\":\"\"}", "{\"role\":\"x\"}", "[]",
        ] {
            expectError(.invalid, wrong) { _ = try store.session.narrow(wrong) }
        }
        let long = String(repeating: "x", count: 256)
        expectError(.limit, "256 bytes") { _ = try store.session.narrow("{\"tenant\":\"\(long)\"}") }
        expectError(.limit, "256 bytes") { _ = try store.session.narrow("{\"principal\":\"\(long)\"}") }
    }

    @Test func aClosedSessionIsClosedAlone() throws {
        let store = try TestStore(.memory)
        let session = try store.session.narrow("{\"tenant\":\"acme\"}")
        let neighbour = try store.session.narrow("{\"tenant\":\"acme\"}")
        let thread = try session.create("{\"id\":\"a\"}")
        try thread.say("x")
        let message = try thread.message(seq: 1)
        let messages = try thread.cursor()
        let threads = try session.list()
        let (transaction, view) = try session.begin()
        try session.closeSession()
        expectError(.closed, "closing it again") { try session.closeSession() }
        let calls: [(String, () throws -> Void)] = [
            ("create", { try session.create() }), ("open", { _ = try session.open("a") }),
            ("list", { _ = try session.list() }), ("delete", { try session.delete("a") }),
            ("narrow", { _ = try session.narrow("{}") }), ("begin", { _ = try session.begin() }),
            ("append", { try thread.say("y") }), ("document", { _ = try thread.document() }),
            ("update", { try thread.change("{}") }), ("fork", { _ = try thread.fork() }),
            ("messages", { _ = try thread.cursor() }), ("count", { _ = try thread.count() }),
            ("message", { _ = try thread.message(seq: 1) }), ("body", { _ = try message.text }),
            ("json", { _ = try message.rawJSON }), ("replace", { try message.replace(user("z")) }),
            ("metadata", { try message.patch("{}") }), ("remove", { try message.remove() }),
            ("a page of messages", { _ = try messages.page() }), ("its token", { _ = try messages.token() }),
            ("a page of threads", { _ = try threads.page() }), ("that token", { _ = try threads.token() }),
        ]
        for (what, call) in calls { expectError(.closed, what, call) }
        _ = (transaction, view)
        #expect(try neighbour.open("a").count() == 1 && store.session.ids().isEmpty)
    }
}
