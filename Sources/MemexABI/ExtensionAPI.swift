public import CMemex
internal import CMemexShim
internal import Memex
internal import MemexModel

@implementation @_cdecl("memex_reply_data")
public func memex_reply_data(_ reply: OpaquePointer!, _ data: UnsafePointer<CChar>!, _ len: Int)
    -> memex_status
{
    Boundary.run(nil) { () throws(MemexError) in
        let bytes = try Boundary.bytes(data, len)
        return try Boundary.with(reply, ReplyObject.self) { (reply) throws(MemexError) in
            reply.set(bytes)
            return reply.isShort ? MEMEX_E_NO_MEMORY : MEMEX_OK
        }
    }
}

@implementation @_cdecl("memex_reply_entry")
public func memex_reply_entry(
    _ reply: OpaquePointer!, _ key: UnsafePointer<CChar>!, _ key_len: Int, _ value: UnsafePointer<CChar>!,
    _ value_len: Int
) -> memex_status {
    Boundary.run(nil) { () throws(MemexError) in
        let key = try Boundary.bytes(key, key_len)
        let value = try Boundary.bytes(value, value_len)
        return try Boundary.with(reply, ReplyObject.self) { (reply) throws(MemexError) in
            reply.add(key: key, value: value)
            return reply.isShort ? MEMEX_E_NO_MEMORY : MEMEX_OK
        }
    }
}

@implementation @_cdecl("memex_reply_failure")
public func memex_reply_failure(_ reply: OpaquePointer!, _ message: UnsafePointer<CChar>!, _ len: Int)
    -> memex_status
{
    Boundary.run(nil) { () throws(MemexError) in
        let bytes = try Boundary.bytes(message, len)
        return try Boundary.with(reply, ReplyObject.self) { (reply) throws(MemexError) in
            reply.fail(bytes)
            return MEMEX_OK
        }
    }
}

@implementation @_cdecl("memex_register_backend")
public func memex_register_backend(
    _ name: UnsafePointer<CChar>!, _ name_len: Int, _ backend: UnsafePointer<memex_backend>!,
    _ user_data: UnsafeMutableRawPointer?, _ destroy: memex_destroy_fn?,
    _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> memex_status {
    // Made first, so that destroy runs however this ends.
    let context = HostContext(user_data, destroy)
    return Boundary.run(error) { () throws(MemexError) in
        let name = try Boundary.bytes(name, name_len)
        try BackendRegistry.register(name, try RegisteredBackend(context, backend))
        return MEMEX_OK
    }
}

@implementation @_cdecl("memex_log_handler")
public func memex_log_handler(
    _ level: Int32, _ fn: memex_log_fn?, _ user_data: UnsafeMutableRawPointer?, _ destroy: memex_destroy_fn?,
    _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> memex_status {
    let context = HostContext(user_data, destroy)
    return Boundary.run(error) { () throws(MemexError) in
        if memex_shim_callback_inside(LogReceiver.owner) != 0 {
            throw MemexError(.reentrant, "the log handler cannot be changed from inside of it")
        }
        guard let fn else {
            _ = Log.replace(nil, upTo: 0)
            return MEMEX_OK
        }
        guard level >= MEMEX_LOG_ERROR, level <= MEMEX_LOG_DEBUG else {
            throw MemexError(.invalid, "the level is \(level); there are 1 (errors) to 4 (debug)")
        }
        _ = Log.replace(LogReceiver(context, fn), upTo: level)
        return MEMEX_OK
    }
}

/// The host's receiver of log lines.
final class LogReceiver: LogSink {
    private let context: HostContext
    private let fn: memex_log_fn

    /// Marks threads that are inside of a receiver, whichever it is.
    nonisolated(unsafe) static let owner = UnsafeRawPointer(
        UnsafeMutableRawPointer.allocate(byteCount: 1, alignment: 1))

    init(_ context: HostContext, _ fn: memex_log_fn) {
        self.context = context
        self.fn = fn
    }

    func write(_ level: Log.Level, _ text: String) {
        guard memex_shim_callback_enter(Self.owner) == 0 else { return }
        text.withBytes { bytes in
            _ = memex_shim_call_log(fn, context.userData, level.rawValue, bytes.chars, bytes.count)
        }
        memex_shim_callback_leave()
    }
}
