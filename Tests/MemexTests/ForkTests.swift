import Foundation
import Memex
import MemexModel
import MemexStorage
import MemexTestSupport
import Testing

@Suite struct ForkTests {
    private func key(_ store: TestStore, _ id: String) throws -> Int64 {
        try #require(try store.engine.thread(tenant: "", id: id)).key
    }

    @Test(arguments: TestTarget.allCases)
    func threeDeep(_ target: TestTarget) throws {
        let store = try TestStore(target)
        var threads = [try store.session.create("{\"id\":\"0\"}")]
        for depth in 0..<4 {
            for index in 0..<5 { try threads[depth].say("\(depth).\(index)") }
            if depth < 3 {
                let at = 5 * (depth + 1) - 1 - depth
                threads.append(try threads[depth].fork("{\"id\":\"\(depth + 1)\",\"at_seq\":\(at)}"))
            }
        }
        let deepest = try threads[3].read()
        #expect(deepest.compactMap { $0["seq"] as? Int } == Array(1...Int(try threads[3].count())))
        let ids = deepest.compactMap { $0["id"] as? String }
        #expect(Set(ids).count == ids.count)
        for (index, id) in ids.enumerated() { #expect(try threads[3].message(id).seq == Int64(index + 1)) }
        let document = try threads[3].document()
        #expect(
            document["root"] as? String == "0"
                && (document["base"] as? JSONFields)?["thread"] as? String == "2")
        let text = try threads[3].message(seq: 1).text
        // Edits above are not seen below, edits below not above.
        try threads[0].message(seq: 1).replace(user("changed in 0"))
        #expect(try threads[3].message(seq: 1).text == text && threads[1].message(seq: 1).text == text)
        try threads[2].message(seq: 1).replace(user("changed in 2"))
        #expect(try threads[1].message(seq: 1).text == text && threads[3].message(seq: 1).text == text)
        #expect(try threads[0].message(seq: 1).text == user("changed in 0"))
        try threads[3].message(seq: 2).remove()
        #expect(
            try threads[2].message(seq: 2).text == user("0.1") && threads[3].count() == Int64(ids.count - 1))
        for (index, thread) in threads.enumerated() where index < 3 {
            #expect(try thread.message(deepest[1]["id"] as? String ?? "").seq == 2, "ids are shared, too")
        }
        // The middle goes; what others share stays.
        try store.session.delete("0")
        try store.session.delete("2")
        #expect(try threads[1].message(seq: 3).text == user("0.2"))
        #expect(try threads[3].message(seq: 3).text == user("0.2") && threads[3].message(seq: 1).text == text)
        #expect(try threads[3].document()["root"] as? String == "0", "the root's id stays known")
        expectError(.notFound, "a deleted parent") { _ = try threads[0].count() }
        expectError(.notFound, "a message of it") { _ = try threads[0].message(seq: 1) }
        let keys = try (1...4).map { Int64($0) }.filter { try store.engine.thread(key: $0) != nil }
        #expect(keys.count == 4, "hidden while forks are there")
        try store.session.delete("3")
        #expect(try store.engine.thread(key: keys[2]) == nil, "the last fork takes its hidden parent along")
        #expect(try store.engine.thread(key: keys[0]) != nil)
        try store.session.delete("1")
        for key in keys {
            #expect(try store.engine.thread(key: key) == nil && store.engine.rows(key).isEmpty)
        }
        #expect(try store.session.command("check")["ok"] as? Bool == true)
    }

    @Test(arguments: TestTarget.allCases)
    func optionsOfAFork(_ target: TestTarget) throws {
        let store = try TestStore(target)
        let thread = try store.session.create("{\"id\":\"a\",\"title\":\"t\",\"metadata\":{\"k\":1}}")
        for index in 1...3 { try thread.say("\(index)") }
        let plain = try thread.fork()
        #expect(plain.id.count == 36)
        var document = try plain.document()
        #expect(document["title"] == nil && document["metadata"] == nil && document["version"] as? Int == 1)
        #expect(document["message_count"] as? Int == 3 && document["last_seq"] as? Int == 3)
        let base = try #require(document["base"] as? JSONFields)
        #expect(base["thread"] as? String == "a" && base["seq"] as? Int == 3 && base["rev"] as? Int == 3)
        let empty = try thread.fork(
            "{\"at_seq\":0,\"id\":\"e\",\"title\":\"x\",\"metadata\":{\"m\":1},\"created_at_us\":77}")
        document = try empty.document()
        #expect(document["title"] as? String == "x" && document["created_at_us"] as? Int == 77)
        #expect(try empty.count() == 0 && empty.seqs().isEmpty && empty.say("own").firstSeq == 1)
        expectError(.exists, "a taken id") { _ = try thread.fork("{\"id\":\"e\"}") }
        expectError(.invalid, "beyond the end") { _ = try thread.fork("{\"at_seq\":4}") }
        expectError(.invalid, "below 0") { _ = try thread.fork("{\"at_seq\":-1}") }
        expectError(.invalid, "an option") { _ = try thread.fork("{\"at\":1}") }
        try thread.message(seq: 2).remove()
        #expect(try thread.fork().count() == 2 && thread.fork("{\"at_seq\":1}").count() == 1)
        try store.session.delete("e")
        expectError(.notFound, "a fork of what is gone") { _ = try empty.fork() }
    }

    /// An old message that a parent's change copies into a fork is no activity of the fork.
    @Test(arguments: TestTarget.allCases)
    func aParentsChangeIsNoActivityOfAFork(_ target: TestTarget) throws {
        let store = try TestStore(target)
        let parent = try store.session.create("{\"id\":\"p\",\"created_at_us\":1000000}")
        try parent.say("old", "{\"created_at_us\":2000000}")
        let fork = try parent.fork("{\"id\":\"f\",\"created_at_us\":900000000}")
        try store.session.create("{\"id\":\"between\",\"created_at_us\":500000000}")
        let before = try fork.document()
        #expect(try store.session.ids() == ["f", "between", "p"])
        try parent.message(seq: 1).replace(user("new"))
        let after = try fork.document()
        let ids = try store.session.ids()
        #expect(ids == ["f", "between", "p"])
        #expect(after["last_message_at_us"] as? Int == before["last_message_at_us"] as? Int)
    }

    @Test(arguments: TestTarget.allCases)
    func ifVersion(_ target: TestTarget) throws {
        let store = try TestStore(target)
        let parent = try store.session.create("{\"id\":\"p\"}")
        try parent.say("kept")
        let fork = try parent.fork("{\"id\":\"f\"}")
        try parent.change("{\"title\":\"x\"}")
        guard store.engine.capabilities.erases else {
            expectError(.unsupported, "an erase") { try store.session.delete("p", "{\"erase\":true}") }
            #expect(try fork.count() == 1 && parent.count() == 1, "nothing was erased")
            return
        }
        expectError(.conflict, "another version") {
            try store.session.delete("p", "{\"erase\":true,\"if_version\":1}")
        }
        #expect(try fork.count() == 1 && parent.count() == 1, "nothing was erased")
        try store.session.delete("p", "{\"erase\":true,\"if_version\":2}")
        #expect(try fork.count() == 0)
        expectError(.notFound, "it is gone") { try store.session.delete("p") }
        expectError(.invalid, "an option") { try store.session.delete("f", "{\"force\":true}") }
        expectError(.invalid, "an empty id") { try store.session.delete("") }
    }

    /// Erased text is in no file of the store, whether it was shared, changed, or in the log only.
    @Test(arguments: ["message", "thread", "from a fork"])
    func erasedTextIsInNoFile(_ how: String) throws {
        let store = try TestStore(.sqlite, durable: true)
        let session = store.session
        let secret = "SeCrEt-\(how.count)-Zyx"
        let parent = try session.create("{\"id\":\"p\"}")
        try parent.say("first")
        try parent.add(
            user("\(secret) one"), "{\"metadata\":{\"m\":\"\(secret)\"},\"provenance\":{\"p\":\"\(secret)\"}}"
        )
        let fork = try parent.fork("{\"id\":\"f\"}")
        let deeper = try fork.fork("{\"id\":\"g\"}")
        try parent.message(seq: 2).replace(user("\(secret) two"))
        try fork.message(seq: 2).replace(user("\(secret) three"))
        try fork.message(seq: 2).patch("{\"again\":\"\(secret)\"}")
        try session.store.flush()
        try fork.say("last")
        #expect(try contains(store, secret), "the scan finds what is there")
        switch how {
        case "message": try parent.message(seq: 2).remove("{\"erase\":true}")
        case "thread": try session.delete("p", "{\"erase\":true}")
        default: try fork.message(seq: 2).remove("{\"erase\":true}")
        }
        #expect(try !contains(store, secret), "while the store is open")
        #expect(
            try fork.seqs() == (how == "thread" ? [3] : [1, 3])
                && deeper.seqs() == (how == "thread" ? [] : [1]))
        try store.reopen()
        #expect(try !contains(store, secret), "after reopening")
        #expect(try store.session.command("check")["ok"] as? Bool == true)
    }

    /// An erase takes what a deletion left, however often it is called.
    @Test(arguments: TestTarget.allCases)
    func deletedMessagesCanBeErased(_ target: TestTarget) throws {
        let store = try TestStore(target)
        guard store.engine.capabilities.erases else { return }
        let secret = "SeCrEt-Left-Zyx"
        let parent = try store.session.create("{\"id\":\"p\"}")
        for index in 1...4 { try parent.add(user("\(secret) \(index)"), "{\"id\":\"m\(index)\"}") }
        let fork = try parent.fork("{\"id\":\"f\"}")
        _ = try fork.fork("{\"id\":\"g\",\"at_seq\":2}")
        try parent.message(seq: 1).remove()
        try fork.message(seq: 2).remove()
        #expect(try fork.seqs() == [1, 3, 4] && parent.seqs() == [2, 3, 4])
        let deleted = try parent.message("m1")
        expectError(.notFound, "its body") { _ = try deleted.text }
        expectError(.notFound, "its envelope") { _ = try deleted.fields }
        expectError(.notFound, "another deletion") { try deleted.remove() }
        expectError(.notFound, "a replacement") { try deleted.replace(user("x")) }
        expectError(.notFound, "a patch") { try deleted.patch("{\"a\":1}") }
        for _ in 0..<2 {
            // A rev is of a body, and there is none.
            try deleted.remove("{\"erase\":true,\"if_rev\":1}")
            try fork.message(seq: 2).remove("{\"erase\":true}")
            #expect(try fork.seqs() == [3, 4] && parent.seqs() == [3, 4])
            #expect(try store.session.open("g").seqs().isEmpty)
        }
        #expect(try parent.count() == 2 && fork.count() == 2)
        expectError(.notFound, "one that never was") { _ = try parent.message(seq: 5) }
        try parent.message(seq: 3).remove()
        try store.session.delete("p", "{\"erase\":true}")
        #expect(try fork.seqs().isEmpty, "what the parent had deleted before, too")
        #expect(try !contains(store, secret))
        #expect(try store.session.command("check")["problems"] as? [String] == [])
    }

    /// TIMEOUT is after the deletion: the same call again wipes what is left.
    @Test(arguments: ["message", "thread"])
    func erasesThatTimeOutAreFinishedByTheNext(_ how: String) throws {
        let store = try TestStore(.sqlite)
        let secret = "SeCrEt-\(how)-Zyx"
        let thread = try store.session.create("{\"id\":\"a\"}")
        try thread.say(secret)
        try store.session.create("{\"id\":\"b\"}").say("x")
        try store.session.store.flush()
        var options = try StoreOptions(url: store.url)
        options.isFullyDurable = false
        options.timeout = 20_000
        let impatient = Session(root: try Store.open(options))
        defer { try? impatient.store.close() }
        let erase: @Sendable () throws -> Void = {
            switch how {
            case "message": try impatient.open("a").message(seq: 1).remove("{\"erase\":true}")
            default: try impatient.delete("a", "{\"erase\":true}")
            }
        }
        let keys = try #require(try store.engine.thread(tenant: "", id: "b")).key
        var outcome: (any Error)?
        // A reader that began before it keeps the bytes in the log.
        try store.engine.messages(keys, MessageRange()) { (_) throws(MemexError) -> Bool in
            do { try runConcurrently(1) { _ in try erase() } } catch { outcome = error }
            return true
        }
        #expect((outcome as? MemexError)?.code == .timeout, "\(String(describing: outcome))")
        #expect(try contains(store, secret), "its bytes are still there")
        if how == "message" {
            #expect(try thread.count() == 0, "but it is deleted")
            try erase()
        } else {
            expectError(.notFound, "a thread that is gone") { try erase() }
        }
        #expect(try !contains(store, secret))
    }

    private func contains(_ store: TestStore, _ text: String) throws -> Bool {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            guard let data = FileManager.default.contents(atPath: store.path + suffix) else { continue }
            if data.range(of: Data(text.utf8)) != nil { return true }
        }
        return false
    }
}
