import CMemex
import CMemexShim
import MemexModel
import MemexTestSupport
import Testing

@testable import MemexABI

/// What is made of a callback's status and of its replies.
@Suite struct CallbackTests {
    static let ok = Int32(MEMEX_CALLBACK_OK)
    private let owner = UnsafeRawPointer(bitPattern: 0x1000)

    private func run(_ call: (OpaquePointer?) -> Int32) throws(MemexError) -> ReplyObject? {
        guard let owner else { throw MemexError(.internal, "no owner") }
        return try Callback.run(owner, "the test's callback", call)
    }

    private func data(_ reply: ReplyObject?) throws -> String? {
        guard let reply, reply.hasData else { return nil }
        return try reply.withData { (bytes) throws(MemexError) in bytes.text }
    }

    private func entries(_ reply: ReplyObject?) throws -> [[String]] {
        var list: [[String]] = []
        try #require(reply).forEachEntry { (key, value) throws(MemexError) in
            list.append([key.text, value.text])
            return true
        }
        return list
    }

    // MARK: Statuses

    @Test func onlyTheRightAnswerIsSuccess() throws {
        #expect(try run { _ in Self.ok } != nil)
        #expect(try run { _ in Int32(MEMEX_CALLBACK_CONFLICT) } == nil)
        for status in [0, 1, -1, Self.ok + 1, 0x4D45_4D00, Int32.min, Int32.max] {
            let error = failure { () throws(MemexError) in _ = try run { _ in status } }
            #expect(error?.code == .callback)
            #expect(
                error?.message
                    == "the test's callback failed: it returned \(status), which is not MEMEX_CALLBACK_OK")
            #expect(error?.details == "{\"callback\":\"the test's callback\",\"returned\":\(status)}")
        }
    }

    @Test func reasons() throws {
        func reason(_ call: (OpaquePointer?) -> Int32) -> String? {
            failure { () throws(MemexError) in _ = try run(call) }?.message
        }
        #expect(reason { _ in MEMEX_SHIM_THROWN } == "the test's callback failed: it threw a C++ exception")
        let said = reason { reply in
            memex_reply_failure(reply, "first", -1)
            memex_reply_failure(reply, "the disk is gone", 11)
            return 0
        }
        #expect(said == "the test's callback failed: the disk is")
        #expect(reason { memex_reply_failure($0, "not used", -1) == MEMEX_OK ? Self.ok : 0 } == nil)
        let long = String(repeating: "é", count: 5000)
        let cut = try #require(reason { memex_reply_failure($0, "x" + long, -1) })
        #expect(cut.utf8.count < 1100, "a reason is a sentence, not a file")
    }

    /// An answer before a failure counts for nothing.
    @Test func failureAfterAnAnswer() throws {
        expectError(.callback, "it answered, then failed") {
            _ = try run { reply in
                memex_reply_data(reply, "half", 4)
                return 0
            }
        }
    }

    // MARK: Inside

    @Test func marksTheThread() throws {
        #expect(memex_shim_callback_depth() == 0 && memex_shim_callback_inside(owner) == 0)
        _ = try run { _ in
            #expect(memex_shim_callback_depth() == 1 && memex_shim_callback_inside(owner) == 1)
            #expect(memex_shim_callback_inside(UnsafeRawPointer(bitPattern: 0x2000)) == 0)
            return Self.ok
        }
        expectError(.callback, "it fails") { _ = try run { _ in 0 } }
        #expect(memex_shim_callback_depth() == 0 && memex_shim_callback_inside(owner) == 0)
    }

    /// Nesting ends with an error of its own, at every level below with success.
    @Test func nestsToALimit() throws {
        var deepest = 0
        var refused: MemexError.Code?
        func nest(_ level: Int) -> Int32 {
            deepest = max(deepest, level)
            guard level < 100 else { return Self.ok }
            let error = failure { () throws(MemexError) in _ = try run { _ in nest(level + 1) } }
            if let error { refused = error.code }
            return Self.ok
        }
        #expect(try run { _ in nest(1) } != nil)
        #expect(refused == .limit && deepest == 32)
        #expect(memex_shim_callback_depth() == 0)
    }

    // MARK: Replies

    @Test func replyIsLiveDuringTheCallbackOnly() throws {
        var late: OpaquePointer?
        _ = try run { reply in
            late = reply
            #expect(memex_reply_data(reply, "x", 1) == MEMEX_OK)
            return Self.ok
        }
        #expect(late != nil)
        #expect(memex_reply_data(late, "x", 1) == MEMEX_E_HANDLE)
        #expect(memex_reply_entry(late, "x", 1, "y", 1) == MEMEX_E_HANDLE)
        #expect(memex_reply_failure(late, "x", 1) == MEMEX_E_HANDLE)
        var refused: OpaquePointer?
        expectError(.callback, "it fails") {
            _ = try run { reply in
                refused = reply
                return 0
            }
        }
        #expect(memex_reply_data(refused, "x", 1) == MEMEX_E_HANDLE)
    }

    @Test func data() throws {
        #expect(try data(try run { _ in Self.ok }) == nil, "no answer")
        #expect(try data(try run { memex_reply_data($0, "", 0) == MEMEX_OK ? Self.ok : 0 }) == "", "empty")
        let twice = try run { reply in
            memex_reply_data(reply, "a longer first", -1)
            memex_reply_data(reply, "a\0b", 3)
            #expect(memex_reply_data(reply, nil, 5) == MEMEX_E_INVALID)
            return Self.ok
        }
        #expect(try data(twice) == "a\0b", "the last one counts")
    }

    @Test func entries() throws {
        let wanted = [["b", "2"], ["a", ""], ["", "3"], ["k\0", "v\0v"], ["b", "2"]]
        let reply = try run { reply in
            for entry in wanted {
                let status = entry[0].withCString { key in
                    entry[1].withCString { value in
                        memex_reply_entry(reply, key, entry[0].utf8.count, value, entry[1].utf8.count)
                    }
                }
                #expect(status == MEMEX_OK)
            }
            #expect(memex_reply_entry(reply, nil, 5, "x", 1) == MEMEX_E_INVALID)
            return Self.ok
        }
        #expect(try entries(reply) == wanted, "in the order they came, nothing of the refused one")
        var seen = 0
        try #require(reply).forEachEntry { (_, _) throws(MemexError) in
            seen += 1
            return seen < 2
        }
        #expect(seen == 2, "false ends it")
    }

    @Test func threadsOfTheCallback() throws {
        let each = 20_000, workers = 4
        let reply = try run { reply in
            let handle = UInt(bitPattern: reply)
            let ready = Locked(0)
            let done: Void? = try? runConcurrently(workers) { worker in
                ready.withLock { $0 += 1 }
                while ready.value < workers {}
                for index in 0..<each {
                    let text = "\(worker) \(index)"
                    guard memex_reply_entry(OpaquePointer(bitPattern: handle), text, -1, text, -1) == MEMEX_OK
                    else { throw MemexError(.internal, "a reply was refused") }
                }
            }
            return done == nil ? 0 : Self.ok
        }
        let all = try entries(reply)
        #expect(
            all.count == workers * each && Set(all).count == workers * each
                && all.allSatisfy { $0[0] == $0[1] })
    }

    // MARK: Host data

    @Test func destroysOnce() {
        let counter = UnsafeMutablePointer<Int>.allocate(capacity: 1)
        counter.initialize(to: 0)
        defer { counter.deallocate() }
        var first: HostContext? = HostContext(counter) { data in
            data?.assumingMemoryBound(to: Int.self).pointee += 1
        }
        var second = first
        #expect(second?.userData == UnsafeMutableRawPointer(counter))
        first = nil
        #expect(counter.pointee == 0, "somebody refers to it")
        second = nil
        #expect(counter.pointee == 1)
        #expect(first == nil && second == nil)
        _ = HostContext(counter, nil)
        #expect(counter.pointee == 1, "without destroy it is left alone")
    }
}
