internal import Foundation
package import Memex
package import MemexModel
package import MemexStorage

/// The built-in engines, for tests of what stands above them.
package enum TestTarget: String, CaseIterable, Sendable {
    case memory, sqlite, lmdb, file
}

/// A store of a test, and how to open it again.
package final class TestStore {
    private let folder: TemporaryFolder
    private let backend: TestBackend?
    private let options: StoreOptions
    private let environment: Environment
    package private(set) var session: Session

    package init(_ target: TestTarget, durable: Bool = false, environment: Environment = .system) throws {
        folder = try TemporaryFolder()
        var url = target.rawValue + ":///" + folder.path("test.db")
        if target == .memory {
            // As memory: is, but reopening finds it again.
            let name = "t" + UUID().uuidString.lowercased()
            backend = TestBackend(name, environment: environment) { MemoryStore() }
            url = name + ":"
        } else {
            backend = nil
        }
        var options = try StoreOptions(url: url)
        options.isFullyDurable = durable
        self.options = options
        self.environment = environment
        session = Session(root: try Store.open(options, environment: environment))
    }

    deinit {
        try? session.store.close()
        backend?.unregister()
    }

    package var url: String { options.url }
    package var path: String { folder.path("test.db") }
    package var engine: any StorageEngine { session.store.engine }

    package func reopen() throws {
        try session.store.close()
        try openAgain()
    }

    /// After somebody closed it.
    package func openAgain() throws {
        session = Session(root: try Store.open(options, environment: environment))
    }

    /// Another store on the same URL.
    package func second() throws -> Session {
        Session(root: try Store.open(options, environment: environment))
    }
}

package typealias JSONFields = [String: Any]

package func parse(_ bytes: [UInt8]) throws -> JSONFields {
    try JSONSerialization.jsonObject(with: Data(bytes)) as? JSONFields ?? [:]
}

/// What a call writes.
package func output(_ body: (inout ByteBuffer) throws -> Void) throws -> [UInt8] {
    var out = ByteBuffer()
    try body(&out)
    return Array(out.view)
}

extension Session {
    package func narrow(_ options: String) throws -> Session { try withText(options) { try narrow($0) } }

    @discardableResult
    package func create(_ initial: String = "") throws -> ConversationThread {
        try withText(initial) { try createThread($0) }
    }

    package func open(_ id: String) throws -> ConversationThread { try withText(id) { try openThread($0) } }

    package func delete(_ id: String, _ options: String = "") throws {
        try withText(id) { id in try withText(options) { try deleteThread(id, $0) } }
    }

    package func list(_ query: String = "") throws -> ThreadCursor {
        try withText(query) { try ThreadCursor(self, $0) }
    }

    /// Ids of all pages of a listing.
    package func ids(_ query: String = "") throws -> [String] {
        try list(query).pages().flatMap { try threadIDs($0) }
    }

    package func begin() throws -> (Transaction, Session) {
        try withText("") { try begin($0) }
    }

    package func command(_ name: String, _ arguments: String = "") throws -> JSONFields {
        try parse(
            try output { out in
                try withText(name) { name in
                    try withText(arguments) { try Commands.run(name, $0, self, &out) }
                }
            })
    }
}

package func threadIDs(_ page: [UInt8]) throws -> [String] {
    (try parse(page)["threads"] as? [JSONFields] ?? []).compactMap { $0["id"] as? String }
}

extension Transaction {
    package func commit(_ session: Session) throws -> [JSONFields] {
        let bytes = try output { try commit(in: session, to: &$0) }
        return try parse(bytes)["results"] as? [JSONFields] ?? []
    }
}

extension Cursor {
    /// The next page, nil after the last.
    package func page() throws -> [UInt8]? {
        var out = ByteBuffer()
        return try next(&out) ? Array(out.view) : nil
    }

    package func pages() throws -> [[UInt8]] {
        var pages: [[UInt8]] = []
        while let page = try page() { pages.append(page) }
        return pages
    }
}

extension ConversationThread {
    @discardableResult
    package func add(_ messages: String, _ options: String = "") throws -> WriteResult {
        try withText(messages) { messages in try withText(options) { try append(messages, $0) } }
    }

    @discardableResult
    package func say(_ text: String, role: String = "user", _ options: String = "") throws -> WriteResult {
        try withText(role) { role in
            try withText(text) { text in
                try withText(options) { try append(role: role, text: text, $0) }
            }
        }
    }

    package func cursor(_ query: String = "") throws -> MessageCursor {
        try withText(query) { try messages($0) }
    }

    /// Messages of all pages.
    package func read(_ query: String = "") throws -> [JSONFields] {
        try cursor(query).pages().flatMap { try parse($0)["messages"] as? [JSONFields] ?? [] }
    }

    package func seqs(_ query: String = "") throws -> [Int] {
        try read(query).compactMap { $0["seq"] as? Int }
    }

    package func document() throws -> JSONFields { try parse(try output { try document(&$0) }) }

    @discardableResult
    package func change(_ patch: String, _ options: String = "") throws -> JSONFields {
        let bytes = try output { out in
            try withText(patch) { patch in try withText(options) { try update(patch, $0, &out) } }
        }
        return bytes.isEmpty ? [:] : try parse(bytes)
    }

    package func fork(_ options: String = "") throws -> ConversationThread {
        try withText(options) { try fork($0) }
    }

    package func message(_ id: String) throws -> Message { try withText(id) { try message(id: $0) } }
}

extension Message {
    package var text: String {
        get throws { String(decoding: try output { try body(&$0) }, as: UTF8.self) }
    }
    package var fields: JSONFields { get throws { try parse(try output { try json(&$0) }) } }
    package var rawJSON: String {
        get throws { String(decoding: try output { try json(&$0) }, as: UTF8.self) }
    }

    package func replace(_ body: String, _ options: String = "") throws {
        try withText(body) { body in try withText(options) { try replace(body, $0) } }
    }

    package func patch(_ patch: String, _ options: String = "") throws {
        try withText(patch) { patch in try withText(options) { try updateMetadata(patch, $0) } }
    }

    package func remove(_ options: String = "") throws { try withText(options) { try delete($0) } }
}

/// A chat message's body.
package func user(_ text: String) -> String { "{\"role\":\"user\",\"content\":\"\(text)\"}" }
