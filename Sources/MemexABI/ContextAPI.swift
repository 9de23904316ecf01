public import CMemex
internal import CMemexShim
internal import Memex
internal import MemexContext
internal import MemexModel
internal import MemexTokens

@implementation @_cdecl("memex_strategy_open")
public func memex_strategy_open(
    _ pipeline: UnsafePointer<CChar>!, _ pipeline_len: Int, _ out: UnsafeMutablePointer<OpaquePointer?>!,
    _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> memex_status {
    out?.pointee = nil
    return Boundary.run(error) { () throws(MemexError) in
        let out = try Boundary.required(out)
        let bytes = try Boundary.bytes(pipeline, pipeline_len)
        return try Boundary.give(try Strategy(parsing: bytes), out)
    }
}

@implementation @_cdecl("memex_strategy_free")
public func memex_strategy_free(_ strategy: OpaquePointer!) { HandleTable.free(strategy, .strategy) }

@implementation @_cdecl("memex_context_build")
public func memex_context_build(
    _ thread: OpaquePointer!, _ strategy: OpaquePointer!, _ request: UnsafePointer<CChar>!,
    _ request_len: Int, _ out: UnsafeMutablePointer<memex_bytes>!,
    _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> memex_status {
    Boundary.clear(out)
    return Boundary.run(error) { () throws(MemexError) in
        let out = try Boundary.required(out)
        let request = try Boundary.bytes(request, request_len)
        return try Boundary.with(thread, ThreadObject.self) { (object) throws(MemexError) in
            try withStrategy(strategy) { (strategy) throws(MemexError) in
                var buffer = ByteBuffer()
                try object.thread.context(strategy: strategy, request: request, to: &buffer)
                return try Boundary.give(buffer, out)
            }
        }
    }
}

@implementation @_cdecl("memex_context_build_messages")
public func memex_context_build_messages(
    _ strategy: OpaquePointer!, _ messages: UnsafePointer<CChar>!, _ messages_len: Int,
    _ request: UnsafePointer<CChar>!, _ request_len: Int, _ out: UnsafeMutablePointer<memex_bytes>!,
    _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> memex_status {
    Boundary.clear(out)
    return Boundary.run(error) { () throws(MemexError) in
        let out = try Boundary.required(out)
        let messages = try Boundary.bytes(messages, messages_len)
        let request = try Boundary.bytes(request, request_len)
        return try withStrategy(strategy) { (strategy) throws(MemexError) in
            var buffer = ByteBuffer()
            try StatelessContext.build(strategy, messages, request, to: &buffer)
            return try Boundary.give(buffer, out)
        }
    }
}

/// Runs a call with the strategy of a handle, nil for NULL.
private func withStrategy(
    _ handle: OpaquePointer?, _ body: (Strategy?) throws(MemexError) -> Int32
) throws(MemexError) -> Int32 {
    guard handle != nil else { return try body(nil) }
    return try Boundary.with(handle, Strategy.self) { (strategy) throws(MemexError) in
        try body(strategy)
    }
}

@implementation @_cdecl("memex_register_strategy")
public func memex_register_strategy(
    _ name: UnsafePointer<CChar>!, _ name_len: Int, _ fn: memex_strategy_fn?,
    _ user_data: UnsafeMutableRawPointer?, _ destroy: memex_destroy_fn?,
    _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> memex_status {
    // Made first, so that destroy runs however this ends.
    let context = HostContext(user_data, destroy)
    return Boundary.run(error) { () throws(MemexError) in
        let name = try Boundary.bytes(name, name_len)
        guard let fn else { throw MemexError(.invalid, "the strategy's function is NULL") }
        try BackendRegistry.checkName(name)
        try StrategyRegistry.register(name, RegisteredStrategy(context, fn))
        return MEMEX_OK
    }
}

@implementation @_cdecl("memex_unregister")
public func memex_unregister(
    _ kind: UnsafePointer<CChar>!, _ kind_len: Int, _ name: UnsafePointer<CChar>!, _ name_len: Int,
    _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> memex_status {
    Boundary.run(error) { () throws(MemexError) in
        let kind = try Boundary.bytes(kind, kind_len)
        let name = try Boundary.bytes(name, name_len)
        try BackendRegistry.checkName(name)
        if kind.equals("backend") {
            try BackendRegistry.unregister(name)
        } else if kind.equals("strategy") {
            try StrategyRegistry.unregister(name)
        } else if kind.equals("tokenizer") {
            try TokenizerRegistry.unregister(name)
        } else {
            throw MemexError(.invalid, "the kind is none of \"backend\", \"strategy\" and \"tokenizer\"")
        }
        return MEMEX_OK
    }
}

/// A strategy that the host registered.
final class RegisteredStrategy: CustomStrategy {
    private let context: HostContext
    private let fn: memex_strategy_fn

    init(_ context: HostContext, _ fn: memex_strategy_fn) {
        self.context = context
        self.fn = fn
    }

    private typealias Function =
        @convention(c) (
            UnsafeMutableRawPointer?, UnsafePointer<CChar>?, Int, UnsafeMutableRawPointer?
        ) -> Int32

    func select(input: ByteView, reply: inout ByteBuffer) throws(MemexError) {
        let call = unsafeBitCast(fn, to: Function.self)
        let owner = UnsafeRawPointer(Unmanaged.passUnretained(self).toOpaque())
        let answer = try Callback.run(owner, "the strategy") { handle in
            memex_shim_call_strategy(
                call, context.userData, input.chars, input.count, UnsafeMutableRawPointer(handle))
        }
        guard let answer, answer.hasData else {
            throw MemexError(.callback, "the strategy failed: it gave no answer with memex_reply_data")
        }
        try answer.withData { (bytes) throws(MemexError) in reply.append(bytes) }
    }
}
