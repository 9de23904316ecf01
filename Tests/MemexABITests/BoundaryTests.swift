import CMemex
import MemexModel
import MemexTestSupport
import Testing

@testable import MemexABI

/// Statuses, errors, handles and results, as every function of the C interface treats them.
@Suite struct BoundaryTests {
    /// What no call gives: an output that still holds it was not written.
    static var poison: OpaquePointer? { OpaquePointer(bitPattern: 0x6d65_6d65) }

    private func openStore() throws -> OpaquePointer {
        var store: OpaquePointer?
        #expect(memex_store_open("{\"url\":\"memory:\"}", -1, &store, nil) == MEMEX_OK)
        return try #require(store)
    }

    private func message(_ error: OpaquePointer?) -> String { String(cString: memex_error_message(error)) }

    // MARK: Errors

    @Test func errorOutIsCleared() {
        var error = Self.poison
        let status = Boundary.run(&error) { () throws(MemexError) in MEMEX_DONE }
        #expect(status == MEMEX_DONE && error == nil)
        #expect(Boundary.run(nil) { () throws(MemexError) in MEMEX_OK } == MEMEX_OK)
    }

    @Test func errorOutIsSet() {
        let thrown = MemexError(.busy, "somebody else writes", detailMembers: "\"waited_us\":5")
        var error = Self.poison
        #expect(Boundary.run(&error) { () throws(MemexError) in throw thrown } == MEMEX_E_BUSY)
        #expect(memex_error_code(error) == MEMEX_E_BUSY)
        #expect(message(error) == "somebody else writes")
        #expect(String(cString: memex_error_details(error)) == "{\"waited_us\":5}")
        #expect(memex_error_retryable(error) == 1)
        memex_error_free(error)
        #expect(memex_error_code(error) == MEMEX_E_HANDLE, "freed")
        #expect(message(error) == "not a live error handle")
        #expect(String(cString: memex_error_details(error)) == "{}")
        #expect(memex_error_retryable(error) == 0)
        memex_error_free(error)
        memex_error_free(nil)
        #expect(Boundary.run(nil) { () throws(MemexError) in throw thrown } == MEMEX_E_BUSY, "error is NULL")
    }

    @Test(arguments: MemexError.Code.allCases)
    func everyCode(_ code: MemexError.Code) {
        var error: OpaquePointer?
        #expect(Boundary.report(MemexError(code, "why"), &error) == code.rawValue)
        defer { memex_error_free(error) }
        #expect(memex_error_code(error) == code.rawValue)
        #expect((memex_error_retryable(error) != 0) == code.isRetryable)
        let name = String(cString: memex_status_name(code.rawValue))
        #expect(name.hasPrefix("MEMEX_E_") && name != "MEMEX_E_UNKNOWN")
    }

    @Test func statusNames() {
        let codes = MemexError.Code.allCases.map(\.rawValue) + [MEMEX_OK, MEMEX_DONE]
        #expect(Set(codes.map { String(cString: memex_status_name($0)) }).count == codes.count)
        for other in [-28, 2, Int32.min, Int32.max] {
            #expect(String(cString: memex_status_name(other)) == "MEMEX_E_UNKNOWN")
        }
    }

    // MARK: Handles

    @Test(arguments: HandleTableTests.kinds)
    func badHandles(_ kind: HandleKind) throws {
        for (handle, text) in [
            (nil, "the \(kind) handle is NULL"),
            (Self.poison, "not a live \(kind) handle: freed, closed, or of another type"),
        ] as [(OpaquePointer?, String)] {
            let error = Boundary.badHandle(handle, kind)
            #expect(error.code == .handle && error.message == text)
        }
    }

    @Test func badHandlesRunNothing() throws {
        for handle in [nil, Self.poison] {
            let error = failure { () throws(MemexError) in
                try Boundary.with(handle, Tracked.self) { (_) throws(MemexError) -> Void in
                    Issue.record("it was called")
                }
            }
            #expect(error?.code == .handle)
        }
    }

    /// A call that throws has left: the object goes when its handle is freed.
    @Test func throwingLeaves() throws {
        let gone = Locked(0)
        let handle = try #require(HandleTable.make(Tracked(gone: gone), .message))
        expectError(.conflict, "the body's error") {
            try Boundary.with(handle, Tracked.self) { (_: Tracked) throws(MemexError) in
                throw MemexError(.conflict, "")
            } as Void
        }
        #expect(HandleTable.free(handle, .message))
        #expect(gone.value == 1)
    }

    // MARK: Outputs

    @Test func outputsThatAreNull() throws {
        let store = try openStore()
        defer { memex_store_close(store, nil) }
        var thread: OpaquePointer?
        #expect(memex_thread_create(store, nil, 0, &thread, nil) == MEMEX_OK)
        defer { memex_thread_free(thread) }
        let calls: [(UnsafeMutablePointer<OpaquePointer?>?) -> memex_status] = [
            { memex_store_open("{\"url\":\"memory:\"}", -1, nil, $0) },
            { memex_session_open(store, "{\"tenant\":\"x\"}", -1, nil, $0) },
            { memex_thread_create(store, "{\"id\":\"never\"}", -1, nil, $0) },
            { memex_thread_get(thread, nil, $0) },
            { memex_thread_count(thread, nil, $0) },
            { memex_thread_messages(thread, nil, 0, nil, $0) },
            { memex_describe(nil, $0) },
        ]
        for (index, call) in calls.enumerated() {
            var error = Self.poison
            #expect(call(&error) == MEMEX_E_INVALID, "call \(index)")
            #expect(message(error) == "the output argument is NULL", "call \(index)")
            memex_error_free(error)
            #expect(call(nil) == MEMEX_E_INVALID, "call \(index), error NULL")
        }
        var unmade: OpaquePointer?
        #expect(
            memex_thread_open(store, "never", -1, &unmade, nil) == MEMEX_E_NOT_FOUND, "nothing is half done")
    }

    @Test func outputsAreClearedOnFailure() {
        var handle = Self.poison
        #expect(memex_thread_create(nil, nil, 0, &handle, nil) == MEMEX_E_HANDLE && handle == nil)
        handle = Self.poison
        #expect(memex_store_open("{", 1, &handle, nil) == MEMEX_E_INVALID && handle == nil)
        var bytes = memex_bytes(data: nil, len: 77)
        #expect(memex_thread_get(nil, &bytes, nil) == MEMEX_E_HANDLE && bytes.data == nil && bytes.len == 0)
    }

    @Test func bytesEndWithNUL() throws {
        for text in ["", "x", "a\0b", String(repeating: "é", count: 3000)] {
            var buffer = ByteBuffer()
            buffer.append(text: text)
            var bytes = memex_bytes(data: nil, len: 0)
            #expect(try Boundary.give(buffer, &bytes) == MEMEX_OK)
            let data = try #require(bytes.data)
            #expect(bytes.len == text.utf8.count && data[bytes.len] == 0)
            #expect(text.utf8.elementsEqual(UnsafeRawBufferPointer(start: data, count: bytes.len)))
            for _ in 0..<2 {
                memex_bytes_free(&bytes)
                #expect(bytes.data == nil && bytes.len == 0, "freed, and may be freed again")
            }
        }
        memex_bytes_free(nil)
    }

    @Test func textsEndWithNUL() throws {
        for text in ["", "x", String(repeating: "é", count: 500)] {
            let owner = CText(text)
            let pointer = try #require(owner.pointer)
            withExtendedLifetime(owner) { #expect(String(cString: pointer) == text) }
        }
    }
}
