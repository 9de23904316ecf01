public import CMemex
internal import Memex
internal import MemexModel

@implementation @_cdecl("memex_message_open")
public func memex_message_open(
    _ thread: OpaquePointer!, _ id: UnsafePointer<CChar>!, _ id_len: Int,
    _ out: UnsafeMutablePointer<OpaquePointer?>!, _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> memex_status {
    Boundary.making(out, error, of: thread, ThreadObject.self, id, id_len) {
        (object, id) throws(MemexError) in
        MessageObject(try object.thread.message(id: id))
    }
}

@implementation @_cdecl("memex_message_at")
public func memex_message_at(
    _ thread: OpaquePointer!, _ seq: Int64, _ out: UnsafeMutablePointer<OpaquePointer?>!,
    _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> memex_status {
    out?.pointee = nil
    return Boundary.run(error) { () throws(MemexError) in
        let out = try Boundary.required(out)
        return try Boundary.with(thread, ThreadObject.self) { (object) throws(MemexError) in
            try Boundary.give(MessageObject(try object.thread.message(seq: seq)), out)
        }
    }
}

@implementation @_cdecl("memex_message_free")
public func memex_message_free(_ message: OpaquePointer!) { HandleTable.free(message, .message) }

private func read<Result>(_ message: OpaquePointer?, _ neutral: Result, _ body: (MessageObject) -> Result)
    -> Result
{
    switch HandleTable.enter(message, .message) {
    case .found(let object, let index):
        let result = Unmanaged<MessageObject>.fromOpaque(object)._withUnsafeGuaranteedRef { body($0) }
        HandleTable.leave(index)
        return result
    case .none, .forked: return neutral
    }
}

@implementation @_cdecl("memex_message_id")
public func memex_message_id(_ message: OpaquePointer!) -> UnsafePointer<CChar>! {
    read(message, nil) { $0.id.pointer }
}

@implementation @_cdecl("memex_message_seq")
public func memex_message_seq(_ message: OpaquePointer!) -> Int64 {
    read(message, 0) { $0.message.seq }
}

@implementation @_cdecl("memex_message_role")
public func memex_message_role(_ message: OpaquePointer!) -> UnsafePointer<CChar>! {
    read(message, nil) { $0.role.pointer }
}

@implementation @_cdecl("memex_message_body")
public func memex_message_body(
    _ message: OpaquePointer!, _ out: UnsafeMutablePointer<memex_bytes>!,
    _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> memex_status {
    Boundary.writing(out, error, of: message, MessageObject.self) { (object, buffer) throws(MemexError) in
        try object.message.body(&buffer)
    }
}

@implementation @_cdecl("memex_message_json")
public func memex_message_json(
    _ message: OpaquePointer!, _ out: UnsafeMutablePointer<memex_bytes>!,
    _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> memex_status {
    Boundary.writing(out, error, of: message, MessageObject.self) { (object, buffer) throws(MemexError) in
        try object.message.json(&buffer)
    }
}

@implementation @_cdecl("memex_message_replace")
public func memex_message_replace(
    _ message: OpaquePointer!, _ body: UnsafePointer<CChar>!, _ body_len: Int,
    _ options: UnsafePointer<CChar>!, _ options_len: Int, _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> memex_status {
    Boundary.changing(error, message, MessageObject.self, (body, body_len), (options, options_len)) {
        (object, body, options) throws(MemexError) in
        try object.message.replace(body, options)
    }
}

@implementation @_cdecl("memex_message_update_metadata")
public func memex_message_update_metadata(
    _ message: OpaquePointer!, _ patch: UnsafePointer<CChar>!, _ patch_len: Int,
    _ options: UnsafePointer<CChar>!, _ options_len: Int, _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> memex_status {
    Boundary.changing(error, message, MessageObject.self, (patch, patch_len), (options, options_len)) {
        (object, patch, options) throws(MemexError) in
        try object.message.updateMetadata(patch, options)
    }
}

@implementation @_cdecl("memex_message_delete")
public func memex_message_delete(
    _ message: OpaquePointer!, _ options: UnsafePointer<CChar>!, _ options_len: Int,
    _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> memex_status {
    Boundary.run(error) { () throws(MemexError) in
        let options = try Boundary.bytes(options, options_len)
        return try Boundary.with(message, MessageObject.self) { (object) throws(MemexError) in
            try object.message.delete(options)
            return MEMEX_OK
        }
    }
}
