import Foundation
import Memex
import MemexModel
import MemexStorage
import MemexTestSupport
import Testing

@Suite struct StoreTests {
    private func open(_ url: String, _ change: (inout StoreOptions) -> Void = { _ in }) throws -> Session {
        var options = try StoreOptions(url: url)
        change(&options)
        return Session(root: try Store.open(options))
    }

    // MARK: Closing

    /// Every call while another thread closes is done or refused, and what was acknowledged is kept.
    @Test(arguments: TestTarget.allCases)
    func closingWhileOthersWork(_ target: TestTarget) throws {
        let store = try TestStore(target)
        for round in 0..<6 {
            let session = store.session
            let id = try session.create("{\"id\":\"\(round)\"}").id
            let acknowledged = Locked<Set<String>>([])
            let begun = Locked(0)
            try runConcurrently(9) { worker in
                if worker == 8 {
                    while begun.withLock({ $0 }) < 16 + 20 * round { MemexTestSupport.pause() }
                    try session.store.close()
                    return
                }
                do {
                    for index in 0..<100_000 {
                        let thread = try session.open(id)
                        switch index % 6 {
                        case 0, 1, 2:
                            try thread.say("\(worker) \(index)")
                            acknowledged.withLock { _ = $0.insert("\(worker) \(index)") }
                        case 3: _ = try thread.read("{\"last\":5}")
                        case 4:
                            let (transaction, view) = try session.begin()
                            try view.open(id).say("\(worker) \(index)")
                            _ = try transaction.commit(view)
                            acknowledged.withLock { _ = $0.insert("\(worker) \(index)") }
                        default: _ = try session.ids("{\"limit\":2}")
                        }
                        begun.withLock { $0 += 1 }
                    }
                    Issue.record("the store was not closed")
                } catch let error as MemexError {
                    #expect(error.code == .closed, "\(error)")
                }
            }
            expectError(.closed, "a second close") { try session.store.close() }
            expectError(.closed, "an interruption") { try session.store.interrupt() }
            expectError(.closed, "a flush") { try session.store.flush() }
            try reopen(store)
            let stored = try store.session.open(id).read().compactMap {
                ($0["body"] as? JSONFields)?["content"] as? String
            }
            #expect(Set(stored).count == stored.count, "nothing twice")
            #expect(acknowledged.withLock { $0.subtracting(stored) }.isEmpty, "nothing acknowledged is lost")
            #expect(try store.session.command("check")["ok"] as? Bool == true)
        }
    }

    private func reopen(_ store: TestStore) throws {
        // It is closed already.
        do { try store.reopen() } catch let error as MemexError where error.code == .closed {
            try store.openAgain()
        }
    }

    // MARK: Interrupting

    /// A writer that holds the engine; the waiting ones are interrupted, the holder is not.
    @Test func interrupting() throws {
        let entered = Flag()
        let release = Flag()
        let backend = TestBackend("interrupts") {
            let faulty = FaultyStore(MemoryStore())
            faulty.beforeEachCommit {
                guard entered.isArmed else { return }
                entered.set()
                while !release.isSet { MemexTestSupport.pause() }
            }
            return faulty
        }
        defer { backend.unregister() }
        let session = try open("interrupts:")
        let neighbour = try open("interrupts:")
        let thread = try session.create("{\"id\":\"a\"}")
        try thread.say("cached")
        entered.arm()
        let cancelled = Locked(0)
        try runConcurrently(5) { worker in
            if worker == 0 {
                #expect(try thread.say("holder").firstSeq > 1)
                return
            }
            while !entered.isSet { MemexTestSupport.pause() }
            if worker == 4 {
                for _ in 0..<50 { MemexTestSupport.pause() }
                for _ in 0..<20 {
                    try session.store.interrupt()
                    MemexTestSupport.pause()
                }
                for _ in 0..<2_000 where cancelled.withLock({ $0 }) < 3 { MemexTestSupport.pause() }
                release.set()
                return
            }
            do {
                try thread.say("waiting")
                Issue.record("it did not wait")
            } catch let error as MemexError {
                #expect(error.code == .cancelled)
                cancelled.withLock { $0 += 1 }
            }
        }
        #expect(cancelled.withLock { $0 } == 3)
        #expect(try thread.count() == 2 && thread.say("later").firstSeq == 3)
        try neighbour.store.close()
        try session.store.close()
    }

    @Test func timeouts() throws {
        let entered = Flag()
        let release = Flag()
        let backend = TestBackend("times-out") {
            let faulty = FaultyStore(MemoryStore())
            faulty.beforeEachCommit {
                guard entered.isArmed else { return }
                entered.set()
                while !release.isSet { MemexTestSupport.pause() }
            }
            return faulty
        }
        defer { backend.unregister() }
        let session = try open("times-out:") { $0.timeout = 30_000 }
        let thread = try session.create()
        entered.arm()
        try runConcurrently(2) { worker in
            if worker == 0 {
                try thread.say("holder")
                return
            }
            while !entered.isSet { MemexTestSupport.pause() }
            expectError(.timeout, "the store's time-out") { try thread.say("x") }
            expectError(.timeout, "the call's") { try thread.say("x", "{\"timeout_us\":1000}") }
            expectError(.timeout, "none") { try thread.say("x", "{\"timeout_us\":0}") }
            release.set()
        }
        #expect(try thread.count() == 1)
        try session.store.close()
    }

    // MARK: Sharing

    @Test func namedMemoryIsShared() throws {
        let name = "memory:shared \(UUID().uuidString)"
        let (one, two) = (try open(name), try open(name))
        try one.create("{\"id\":\"a\"}").say("x")
        #expect(try two.open("a").count() == 1)
        #expect(try open("memory:").ids().isEmpty && open(name + "2").ids().isEmpty)
        try one.store.close()
        expectError(.closed, "the one that was closed") { _ = try one.ids() }
        #expect(try two.open("a").say("y").firstSeq == 2, "the other goes on")
        let three = try open(name)
        try runConcurrently(8) { worker in
            for _ in 0..<100 { try (worker % 2 == 0 ? two : three).open("a").say("z") }
        }
        #expect(try two.open("a").count() == 802)
        try two.store.close()
        try three.store.close()
        #expect(try open(name).ids().isEmpty, "the last close lets it go")
    }

    @Test func twoStoresOnOneFile() throws {
        let store = try TestStore(.sqlite, durable: true)
        let first = store.session
        let second = try store.second()
        let id = try first.create().id
        let orders = Locked<[String: Int64]>([:])
        try runConcurrently(8) { worker in
            let thread = try (worker % 2 == 0 ? first : second).open(id)
            for index in 0..<40 {
                let seq = try thread.say("\(worker) \(index)").firstSeq
                orders.withLock { $0["\(worker) \(index)"] = seq }
            }
        }
        let rows = try second.open(id).read()
        #expect(rows.count == 320)
        for row in rows {
            let content = (row["body"] as? JSONFields)?["content"] as? String ?? ""
            #expect(orders.withLock { $0[content] } == row["seq"] as? Int64)
        }
        try second.store.close()
        #expect(try first.open(id).say("on").firstSeq == 321)
        let (transaction, view) = try first.begin()
        try view.open(id).message(seq: 1).replace(user("changed"))
        let third = try store.second()
        try third.open(id).message(seq: 1).remove()
        expectError(.conflict, "a change through the other store") { _ = try transaction.commit(view) }
        try third.store.close()
    }

    // MARK: Opening

    @Test func readOnly() throws {
        let store = try TestStore(.sqlite)
        let thread = try store.session.create("{\"id\":\"a\"}")
        try thread.say("x")
        let reader = try open(store.url) { $0.readOnly = true }
        let same = try reader.open("a")
        #expect(try same.count() == 1 && same.seqs() == [1] && reader.ids() == ["a"])
        let writes: [(String, () throws -> Void)] = [
            ("create", { try reader.create() }), ("append", { try same.say("y") }),
            ("update", { try same.change("{}") }), ("delete", { try reader.delete("a") }),
            ("fork", { _ = try same.fork() }), ("replace", { try same.message(seq: 1).replace(user("y")) }),
            ("begin", { _ = try reader.begin() }),
        ]
        for (what, call) in writes { expectError(.io, what, call) }
        try thread.say("y")
        #expect(try same.count() == 2, "it sees what others write")
        #expect(try reader.command("stats")["read_only"] as? Bool == true)
        try reader.store.close()
        expectError(.notFound, "a file that is not there") {
            _ = try open(store.url + "2") { $0.readOnly = true }
        }
        #expect(!FileManager.default.fileExists(atPath: store.path + "2"))
    }

    @Test func createFalse() throws {
        let folder = try TemporaryFolder()
        let url = "sqlite:///" + folder.path("a.db")
        expectError(.notFound, "nothing there") { _ = try open(url) { $0.create = false } }
        #expect(!FileManager.default.fileExists(atPath: folder.path("a.db")))
        try open(url).store.close()
        try open(url) { $0.create = false }.store.close()
    }

    @Test func pathsThatCannotBeOpened() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.path("dir"), withIntermediateDirectories: true)
        expectError(.invalid, "a folder") { _ = try open("sqlite:///" + folder.path("dir")) }
        expectError(.io, "a folder that is missing") { _ = try open("sqlite:///" + folder.path("no/a.db")) }
        try Data("x".utf8).write(to: URL(fileURLWithPath: folder.path("file")))
        expectError(.io, "a file as a folder") { _ = try open("sqlite:///" + folder.path("file/a.db")) }
        let long = String(repeating: "n", count: 300)
        expectError(.io, "a name that is too long") { _ = try open("sqlite:///" + folder.path(long)) }
        if getuid() != 0 {
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o500], ofItemAtPath: folder.path("dir"))
            expectError(.io, "a folder that is not ours") {
                _ = try open("sqlite:///" + folder.path("dir/a.db"))
            }
        }
        try open("sqlite:///" + folder.path("w%20x%3Fy%23z.db")).store.close()
        #expect(FileManager.default.fileExists(atPath: folder.path("w x?y#z.db")))
        let attributes = try FileManager.default.attributesOfItem(atPath: folder.path("w x?y#z.db"))
        #expect(attributes[.posixPermissions] as? Int == 0o600, "its owner alone reads it")
    }

    /// Files of others, and of the future, are refused as they are.
    @Test func foreignFilesAreRefusedUntouched() throws {
        let folder = try TemporaryFolder()
        let sql = folder.path("other.db")
        #expect(sqlite(sql, "CREATE TABLE t(a); INSERT INTO t VALUES(1)"))
        let newer = folder.path("newer.db")
        try open("sqlite:///" + newer).store.close()
        #expect(sqlite(newer, "PRAGMA user_version = 99"))
        let text = folder.path("text.db")
        try Data(String(repeating: "This is no database at all. ", count: 200).utf8)
            .write(to: URL(fileURLWithPath: text))
        for (path, codes) in [
            (sql, [MemexError.Code.invalid, .corrupt]), (newer, [.newerFormat]),
            (text, [.invalid, .corrupt]),
        ] {
            let before = FileManager.default.contents(atPath: path)
            for readOnly in [false, true] {
                do {
                    _ = try open("sqlite:///" + path) { $0.readOnly = readOnly }
                    Issue.record("\(path) is opened")
                } catch let error as MemexError {
                    #expect(codes.contains(error.code), "\(path): \(error)")
                }
                #expect(FileManager.default.contents(atPath: path) == before, "\(path) is as it was")
            }
        }
    }

    private func sqlite(_ path: String, _ statements: String) -> Bool {
        let script =
            "import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); c.executescript(sys.argv[2]); c.commit(); c.close()"
        return SharedData.run("python3", ["-c", script, path, statements]) != nil
    }
}
