import Memex
import MemexModel
import MemexTestSupport
import Testing

@Suite struct StoreURLTests {
    private func parsed(_ text: String) throws -> StoreURL { try withText(text) { try StoreURL($0) } }

    @Test func goodOnes() throws {
        let good: [(String, StoreURL)] = [
            ("memory:", .memory), ("memory:a", .sharedMemory(name: "a")),
            ("memory:a//b", .sharedMemory(name: "a//b")), ("memory:ключ 🚀", .sharedMemory(name: "ключ 🚀")),
            ("sqlite::memory:", .sqliteMemory), ("sqlite:///:memory:", .sqliteMemory),
            ("sqlite:///chat.db", .sqlite(path: "chat.db")),
            ("sqlite:////var/chat.db", .sqlite(path: "/var/chat.db")),
            ("sqlite:///a/../b.db", .sqlite(path: "a/../b.db")),
            ("sqlite:///a b.db", .sqlite(path: "a b.db")),
            ("sqlite:///a%20b.db", .sqlite(path: "a b.db")), ("sqlite:///%41%7a.db", .sqlite(path: "Az.db")),
            ("sqlite:///100%25.db", .sqlite(path: "100%.db")),
            ("sqlite:///a%3Fb%23c", .sqlite(path: "a?b#c")),
            ("sqlite:///%D0%BA.db", .sqlite(path: "к.db")), ("sqlite:///к.db", .sqlite(path: "к.db")),
            ("sqlite:////", .sqlite(path: "/")), ("sqlite:///:memory", .sqlite(path: ":memory")),
            ("lmdb:///chat", .lmdb(path: "chat")), ("lmdb:////var/a%20b/", .lmdb(path: "/var/a b/")),
            ("file:///chat", .file(path: "chat")), ("file:////var/chat", .file(path: "/var/chat")),
            ("mine:", .custom(scheme: "mine")), ("mine://host/a?b#c", .custom(scheme: "mine")),
            ("postgresql://localhost/db", .postgresql), ("postgres://localhost", .postgresql),
        ]
        for (text, url) in good { #expect(try parsed(text) == url, "\(text)") }
    }

    @Test func badOnes() {
        let bad = [
            "", ":", ":memory:", "chat.db", "/var/chat.db", "sqlite:", "sqlite:/", "sqlite://", "sqlite:///",
            "sqlite:chat.db", "sqlite:/chat.db", "sqlite://chat.db", "sqlite:///a?mode=ro", "sqlite:///a#b",
            "sqlite:///a%", "sqlite:///a%4", "sqlite:///a%zz", "sqlite:///a%00b", "sqlite:///a\u{0}b",
            "file:", "file:chat", "file://host/chat", "file:///",
            "lmdb:", "lmdb:chat", "lmdb://host/chat", "lmdb:///", "lmdb:///a?b", "memory:a\u{0}", "memory://",
            "memory:///", "memory://a", "memory:///x", "sqlite:///%FF", "sqlite:///%C3",
            "sqlite:///%ED%A0%80",
        ]
        for text in bad {
            do {
                let url = try parsed(text)
                Issue.record("\(text) is \(url)")
            } catch let error as MemexError {
                #expect(error.code == .invalid && error.details.contains("\"path\":\"/url\""), "\(text)")
            } catch {
                Issue.record("\(text): \(error)")
            }
        }
    }
}
