internal import CMemex
internal import CMemexShim
internal import MemexModel

/// The host's data of a registration; `destroy` runs once, when nobody refers to it any more.
final class HostContext: @unchecked Sendable {
    let userData: UnsafeMutableRawPointer?
    private let destroy: memex_destroy_fn?

    init(_ userData: UnsafeMutableRawPointer?, _ destroy: memex_destroy_fn?) {
        self.userData = userData
        self.destroy = destroy
    }

    deinit { if let destroy { _ = memex_shim_call_destroy(destroy, userData) } }
}

/// Runs callbacks of the host: marks the thread as inside, judges what comes back.
enum Callback {
    /// Calls with a reply of its own; returns the reply once the callback has said OK, nil for CONFLICT.
    static func run(
        _ owner: UnsafeRawPointer, _ what: StaticString, _ call: (OpaquePointer?) -> Int32
    ) throws(MemexError) -> ReplyObject? {
        let reply = ReplyObject()
        guard let handle = HandleTable.make(reply, .reply) else { throw MemexError.noMemory }
        guard memex_shim_callback_enter(owner) == 0 else {
            HandleTable.free(handle, .reply)
            throw MemexError(.limit, "callbacks are nested too deep")
        }
        let status = call(handle)
        memex_shim_callback_leave()
        HandleTable.free(handle, .reply)
        if status == MEMEX_CALLBACK_OK {
            if reply.isShort { throw MemexError.noMemory }
            return reply
        }
        if status == MEMEX_CALLBACK_CONFLICT { return nil }
        throw failure(what, status, reply)
    }

    private static func failure(_ what: StaticString, _ status: Int32, _ reply: ReplyObject) -> MemexError {
        let reason: String
        if let said = reply.failure {
            reason = said
        } else if status == MEMEX_SHIM_THROWN {
            reason = "it threw a C++ exception"
        } else {
            reason = "it returned \(status), which is not MEMEX_CALLBACK_OK"
        }
        return MemexError(
            .callback, "\(what) failed: \(reason)",
            detailMembers: "\"callback\":\"\(what)\",\"returned\":\(status)")
    }
}

/// Where a callback puts its answer. Any thread of the callback's may use it until the callback returns.
final class ReplyObject: @unchecked Sendable {
    private let lock = Lock()
    private var data = ByteBuffer()
    private var entries = ByteBuffer()
    private(set) var hasData = false
    private var said: String?
    private static let failureBytes = 1024

    var failure: String? { lock.withLock { said } }
    var isShort: Bool { lock.withLock { data.failed || entries.failed } }

    func set(_ bytes: ByteView) {
        lock.withLock {
            data.removeAll()
            data.append(bytes)
            hasData = true
        }
    }

    func add(key: ByteView, value: ByteView) {
        lock.withLock {
            entries.append(littleEndian: UInt64(truncatingIfNeeded: key.count))
            entries.append(littleEndian: UInt64(truncatingIfNeeded: value.count))
            entries.append(key)
            entries.append(value)
        }
    }

    func fail(_ message: ByteView) {
        let text = message.slice(0, min(message.count, Self.failureBytes)).text
        lock.withLock { said = text }
    }

    /// The data; valid while the object is. Called after the callback has returned.
    func withData<Result>(_ body: (ByteView) throws(MemexError) -> Result) throws(MemexError) -> Result {
        try body(data.view)
    }

    /// The entries in the order they came. Called after the callback has returned.
    func forEachEntry(_ body: (ByteView, ByteView) throws(MemexError) -> Bool) throws(MemexError) {
        let bytes = entries.view
        var at = 0
        while bytes.count &- at >= 16 {
            let keyLength = Self.length(bytes, at)
            let valueLength = Self.length(bytes, at &+ 8)
            let key = bytes.slice(at &+ 16, keyLength)
            let value = bytes.slice(at &+ 16 &+ keyLength, valueLength)
            at = at &+ 16 &+ keyLength &+ valueLength
            if try !body(key, value) { return }
        }
    }

    private static func length(_ bytes: ByteView, _ at: Int) -> Int {
        guard let base = bytes.baseAddress else { return 0 }
        let value = UnsafeRawPointer(base + at).loadUnaligned(as: UInt64.self)
        return Int(truncatingIfNeeded: UInt64(littleEndian: value))
    }
}
