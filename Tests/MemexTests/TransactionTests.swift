import Memex
import MemexModel
import MemexStorage
import MemexTestSupport
import Testing

@Suite struct TransactionTests {
    @Test(arguments: TestTarget.allCases)
    func allOfSeveralThreads(_ target: TestTarget) throws {
        let store = try TestStore(target)
        let session = store.session
        let old = try session.create("{\"id\":\"old\"}")
        try old.add("[\(user("1")),\(user("2")),\(user("3"))]")
        let (transaction, view) = try session.begin()
        let new = try view.create("{\"id\":\"new\",\"title\":\"t\"}")
        #expect(new.id == "new")
        try new.say("first")
        let same = try view.open("old")
        try same.add("[\(user("4")),\(user("5"))]", "{\"idempotency_key\":\"k\"}")
        try same.say("6")
        try same.change("{\"title\":\"changed\"}")
        try same.message(seq: 1).replace(user("one"))
        try same.message(seq: 2).remove()
        try same.message(seq: 3).patch("{\"a\":1}")
        let generated = try view.create().id
        #expect(try session.ids() == ["old"], "others see nothing yet")
        #expect(try view.ids() == ["old"], "reads see what is committed")
        #expect(try same.count() == 3 && same.seqs() == [1, 2, 3])
        expectError(.notFound, "a thread that is to be created cannot be opened") { _ = try view.open("new") }
        expectError(.notFound, "or read") { _ = try new.document() }
        let results = try transaction.commit(view)
        #expect(results.count == 9)
        #expect(results[0]["id"] as? String == "new" && results[8]["id"] as? String == generated)
        #expect(results[1]["first_seq"] as? Int == 1 && results[1]["duplicate"] as? Bool == false)
        #expect(results[2]["first_seq"] as? Int == 4 && results[2]["last_seq"] as? Int == 5)
        #expect(results[3]["first_seq"] as? Int == 6)
        #expect((results[3]["rev"] as? Int ?? 0) >= 6 && (results[3]["created_at_us"] as? Int ?? 0) > 0)
        let document = try old.document()
        #expect(document["title"] as? String == "changed" && document["message_count"] as? Int == 5)
        #expect(try old.message(seq: 1).text == user("one"))
        #expect(try old.message(seq: 3).fields["metadata"] as? [String: Int] == ["a": 1])
        #expect(try session.open("new").seqs() == [1])
        #expect(try old.add("[\(user("4")),\(user("5"))]", "{\"idempotency_key\":\"k\"}").isDuplicate)
        expectError(.closed, "a second commit") { _ = try transaction.commit(view) }
        expectError(.closed, "a write after the commit") { try same.say("late") }
        #expect(try old.count() == 5)
        #expect(try session.command("check")["ok"] as? Bool == true)
    }

    @Test(arguments: TestTarget.allCases)
    func orNothing(_ target: TestTarget) throws {
        let store = try TestStore(target)
        let session = store.session
        let thread = try session.create("{\"id\":\"a\"}")
        try thread.add(user("1"), "{\"id\":\"x\"}")
        try session.create("{\"id\":\"b\"}")
        let failures: [(String, MemexError.Code, (Session) throws -> Void)] = [
            ("a taken id", .exists, { try $0.open("a").add(user("2"), "{\"id\":\"x\"}") }),
            ("a passed seq", .conflict, { try $0.open("a").add(user("2"), "{\"expect_seq\":1}") }),
            ("a taken thread id", .exists, { try $0.create("{\"id\":\"b\"}") }),
            ("created twice", .exists, { for _ in 0..<2 { try $0.create("{\"id\":\"c\"}") } }),
        ]
        for (what, code, last) in failures {
            let (transaction, view) = try session.begin()
            try view.create("{\"id\":\"new\"}").say("x")
            try view.open("b").say("x")
            try view.open("a").message(seq: 1).replace(user("lost"))
            try last(view)
            expectError(code, what) { _ = try transaction.commit(view) }
            #expect(Set(try session.ids()) == ["a", "b"], "\(what)")
            #expect(try thread.message(seq: 1).text == user("1") && session.open("b").count() == 0)
        }
        for isMeanwhile in [true, false] {
            let (transaction, view) = try session.begin()
            try view.open("a").message(seq: 1).replace(user("mine"))
            try view.open("b").say("x")
            if isMeanwhile {
                try thread.message(seq: 1).replace(user("theirs"))
            } else {
                try thread.say("more")
            }
            if isMeanwhile {
                expectError(.conflict, "somebody changed the message") { _ = try transaction.commit(view) }
                #expect(try thread.message(seq: 1).text == user("theirs") && session.open("b").count() == 0)
            } else {
                _ = try transaction.commit(view)
                #expect(try thread.message(seq: 1).text == user("mine") && session.open("b").count() == 1)
            }
        }
    }

    @Test func changesAreMadeOnce() throws {
        let store = try TestStore(.memory)
        let thread = try store.session.create("{\"id\":\"a\"}")
        try thread.add("[\(user("1")),\(user("2"))]")
        let (transaction, view) = try store.session.begin()
        let same = try view.open("a")
        try same.message(seq: 1).replace(user("x"))
        expectError(.unsupported, "the message again") { try same.message(seq: 1).remove() }
        try same.message(seq: 2).remove()
        try same.change("{\"title\":\"x\"}")
        expectError(.unsupported, "the document again") { try same.change("{\"title\":\"y\"}") }
        expectError(.unsupported, "a fork") { _ = try same.fork() }
        expectError(.unsupported, "an erasure") { try same.message(seq: 2).remove("{\"erase\":true}") }
        expectError(.unsupported, "an erasing deletion") { try view.delete("a", "{\"erase\":true}") }
        expectError(.unsupported, "another transaction") { _ = try view.begin() }
        expectError(.invalid, "an unknown option") {
            _ = try withText("{\"isolation\":1}") { try store.session.begin($0) }
        }
        _ = try transaction.commit(view)
        #expect(try thread.seqs() == [1] && thread.document()["title"] as? String == "x")
    }

    @Test(arguments: TestTarget.allCases)
    func rollback(_ target: TestTarget) throws {
        let store = try TestStore(target)
        let thread = try store.session.create("{\"id\":\"a\"}")
        let (transaction, view) = try store.session.begin()
        try view.open("a").say("x")
        try view.create("{\"id\":\"b\"}")
        transaction.rollback()
        transaction.rollback()
        expectError(.closed, "a write after") { try view.open("a").say("y") }
        expectError(.closed, "a commit after") { _ = try transaction.commit(view) }
        #expect(try thread.count() == 0 && store.session.ids() == ["a"])
        let (empty, emptyView) = try store.session.begin()
        #expect(try empty.commit(emptyView).isEmpty)
    }

    @Test(arguments: TestTarget.allCases)
    func theStoreMayCloseFirst(_ target: TestTarget) throws {
        let store = try TestStore(target)
        try store.session.create("{\"id\":\"a\"}")
        let (transaction, view) = try store.session.begin()
        let thread = try view.open("a")
        try thread.say("x")
        try store.reopen()
        expectError(.closed, "a write") { try thread.say("y") }
        expectError(.closed, "the commit") { _ = try transaction.commit(view) }
        transaction.rollback()
        #expect(try store.session.open("a").count() == 0)
    }

    @Test(arguments: TestTarget.allCases)
    func tenantsHold(_ target: TestTarget) throws {
        let store = try TestStore(target)
        let tenant = try store.session.narrow("{\"tenant\":\"acme\"}")
        let (transaction, view) = try tenant.begin()
        try view.create("{\"id\":\"a\"}").say("x")
        expectError(.denied, "another tenant") { _ = try view.narrow("{\"tenant\":\"other\"}") }
        _ = try transaction.commit(view)
        #expect(try tenant.ids() == ["a"] && store.session.ids().isEmpty)
    }

    /// Changes of a shared message in both threads, in either order.
    @Test(arguments: TestTarget.allCases, [true, false])
    func aForkAndItsParentChangeTogether(_ target: TestTarget, parentFirst: Bool) throws {
        let store = try TestStore(target)
        let parent = try store.session.create("{\"id\":\"p\"}")
        try parent.add("[\(user("1")),\(user("2"))]")
        let fork = try parent.fork("{\"id\":\"f\"}")
        let deeper = try fork.fork("{\"id\":\"g\"}")
        let (transaction, view) = try store.session.begin()
        for id in parentFirst ? ["p", "f"] : ["f", "p"] {
            try view.open(id).message(seq: 1).replace(user("1 of \(id)"))
        }
        try view.open("f").message(seq: 2).remove()
        try view.open("p").message(seq: 2).replace(user("2 of p"))
        _ = try transaction.commit(view)
        #expect(
            try parent.message(seq: 1).text == user("1 of p") && parent.message(seq: 2).text == user("2 of p")
        )
        #expect(try fork.message(seq: 1).text == user("1 of f") && fork.seqs() == [1])
        #expect(try deeper.message(seq: 1).text == user("1") && deeper.message(seq: 2).text == user("2"))
    }

    @Test(arguments: TestTarget.allCases)
    func deletions(_ target: TestTarget) throws {
        let store = try TestStore(target)
        let session = store.session
        for id in ["a", "b", "root"] { try session.create("{\"id\":\"\(id)\"}").say("x") }
        for id in ["f", "g"] { _ = try session.open("root").fork("{\"id\":\"\(id)\"}") }
        let (transaction, view) = try session.begin()
        try view.open("a").message(seq: 1).replace(user("y"))
        try view.delete("a")
        try view.delete("b")
        try view.create("{\"id\":\"b\"}")
        try view.delete("f")
        expectError(.unsupported, "a second of the family") { try view.delete("g") }
        _ = try transaction.commit(view)
        #expect(Set(try session.ids()) == ["b", "root", "g"])
        #expect(try session.open("b").count() == 0)
        for id in ["root", "g"] {
            let (last, view) = try session.begin()
            try view.delete(id)
            _ = try last.commit(view)
        }
        for key in 1...5 as ClosedRange<Int64> { #expect(try store.engine.thread(key: key) == nil) }
    }

    @Test(arguments: TestTarget.allCases)
    func severalAtOnce(_ target: TestTarget) throws {
        let store = try TestStore(target)
        let session = store.session
        for id in 0..<3 { try session.create("{\"id\":\"\(id)\"}") }
        try runConcurrently(6) { worker in
            for round in 0..<25 {
                let (transaction, view) = try session.begin()
                for id in 0..<3 { try view.open("\(id)").say("\(worker) \(round)") }
                if round % 5 == 4 { transaction.rollback() } else { _ = try transaction.commit(view) }
            }
        }
        let bodies = try (0..<3).map { id in
            try session.open("\(id)").cursor("{\"layout\":\"bodies\",\"page_size\":10000}").page()
        }
        #expect(try session.open("0").count() == 6 * 20)
        #expect(bodies[0] == bodies[1] && bodies[1] == bodies[2], "each transaction is one step")
    }
}
