import CMemex
import MemexModel
import MemexTestSupport
import Testing

@testable import MemexABI

/// Pointer and length of a text argument.
@Suite struct TextArgumentTests {
    /// MEMEX_NTS.
    static let terminated = -1

    private func text(_ start: UnsafePointer<CChar>?, _ length: Int) throws -> String {
        try Boundary.bytes(start, length).text
    }

    @Test func absent() throws {
        for length in [0, Self.terminated] {
            let bytes = try Boundary.bytes(nil, length)
            #expect(bytes.baseAddress == nil && bytes.isEmpty, "NULL with \(length) is not given")
        }
        for length in [1, 5, Int.max, Int.min, -2] {
            expectError(.invalid, "NULL with \(length)") { _ = try Boundary.bytes(nil, length) }
        }
    }

    @Test func lengths() throws {
        try "abc\0def".withCString { start in
            #expect(try text(start, Self.terminated) == "abc")
            #expect(try text(start, 7) == "abc\0def", "a NUL within a length is a byte")
            #expect(try text(start, 2) == "ab")
            let empty = try Boundary.bytes(start, 0)
            #expect(empty.isEmpty && empty.baseAddress != nil, "\"\" is given")
        }
        #expect(try "".withCString { try text($0, Self.terminated) }.isEmpty)
    }

    /// Lengths are size_t, so that the upper half comes as negative numbers.
    @Test func hugeLengths() throws {
        try "{}".withCString { start in
            for length in [-2, -4096, Int.min, Int.min + 1] {
                expectError(.invalid, "\(length)") { _ = try Boundary.bytes(start, length) }
            }
            for length in [Limits.argumentBytes + 1, 1 << 40, Int.max] {
                let error = failure { () throws(MemexError) in _ = try Boundary.bytes(start, length) }
                #expect(error?.code == .limit)
                #expect(error?.details == "{\"limit\":\(Limits.argumentBytes)}")
            }
            let most = try Boundary.bytes(start, Limits.argumentBytes)
            #expect(most.count == Limits.argumentBytes)
        }
    }

    /// Nothing behind a length is read, and nothing behind the NUL.
    @Test func notTerminated() throws {
        let edge = try #require(EdgeOfMemory())
        #expect(try text(edge.place("abc"), 3) == "abc")
        #expect(try text(edge.place("abc\0"), Self.terminated) == "abc")
        var store: OpaquePointer?
        var thread: OpaquePointer?
        func place(_ text: String) -> (UnsafePointer<CChar>, Int) { (edge.place(text), text.utf8.count) }
        let config = place("{\"url\":\"memory:\"}")
        #expect(memex_store_open(config.0, config.1, &store, nil) == MEMEX_OK)
        defer { memex_store_close(store, nil) }
        let initial = place("{\"id\":\"t\"}")
        #expect(memex_thread_create(store, initial.0, initial.1, &thread, nil) == MEMEX_OK)
        defer { memex_thread_free(thread) }
        let body = place("{\"role\":\"user\",\"content\":\"at the edge\"}")
        #expect(memex_thread_append(thread, body.0, body.1, nil, 0, nil, nil) == MEMEX_OK)
        let content = place("at the edge")
        #expect(
            memex_thread_append_text(thread, "user", 4, content.0, content.1, nil, 0, nil, nil) == MEMEX_OK)
        for broken in [
            "{\"role\":\"user\",\"content\":\"", "{\"role\":\"user\",\"content\":\"\\u12", "[", "tru",
        ] {
            let body = place(broken)
            #expect(memex_thread_append(thread, body.0, body.1, nil, 0, nil, nil) == MEMEX_E_INVALID)
        }
        var count: Int64 = 0
        #expect(memex_thread_count(thread, &count, nil) == MEMEX_OK && count == 2)
    }
}
