public import CMemex
internal import Memex
internal import MemexModel
internal import MemexStorage

@implementation @_cdecl("memex_thread_create")
public func memex_thread_create(
    _ store: OpaquePointer!, _ `init`: UnsafePointer<CChar>!, _ init_len: Int,
    _ out: UnsafeMutablePointer<OpaquePointer?>!, _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> memex_status {
    Boundary.making(out, error, of: store, Session.self, `init`, init_len) {
        (session, initial) throws(MemexError) in
        ThreadObject(try session.createThread(initial))
    }
}

@implementation @_cdecl("memex_thread_open")
public func memex_thread_open(
    _ store: OpaquePointer!, _ id: UnsafePointer<CChar>!, _ id_len: Int,
    _ out: UnsafeMutablePointer<OpaquePointer?>!, _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> memex_status {
    Boundary.making(out, error, of: store, Session.self, id, id_len) { (session, id) throws(MemexError) in
        ThreadObject(try session.openThread(id))
    }
}

@implementation @_cdecl("memex_thread_free")
public func memex_thread_free(_ thread: OpaquePointer!) { HandleTable.free(thread, .thread) }

@implementation @_cdecl("memex_thread_id")
public func memex_thread_id(_ thread: OpaquePointer!) -> UnsafePointer<CChar>! {
    switch HandleTable.enter(thread, .thread) {
    case .found(let object, let index):
        let id = Unmanaged<ThreadObject>.fromOpaque(object)._withUnsafeGuaranteedRef { $0.id.pointer }
        HandleTable.leave(index)
        return id
    case .none, .forked: return nil
    }
}

@implementation @_cdecl("memex_thread_get")
public func memex_thread_get(
    _ thread: OpaquePointer!, _ out: UnsafeMutablePointer<memex_bytes>!,
    _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> memex_status {
    Boundary.writing(out, error, of: thread, ThreadObject.self) { (object, buffer) throws(MemexError) in
        try object.thread.document(&buffer)
    }
}

@implementation @_cdecl("memex_thread_update")
public func memex_thread_update(
    _ thread: OpaquePointer!, _ patch: UnsafePointer<CChar>!, _ patch_len: Int,
    _ options: UnsafePointer<CChar>!, _ options_len: Int, _ out: UnsafeMutablePointer<memex_bytes>!,
    _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> memex_status {
    Boundary.clear(out)
    return Boundary.run(error) { () throws(MemexError) in
        let patch = try Boundary.bytes(patch, patch_len)
        let options = try Boundary.bytes(options, options_len)
        return try Boundary.with(thread, ThreadObject.self) { (object) throws(MemexError) in
            var buffer = ByteBuffer()
            try object.thread.update(patch, options, &buffer)
            return try Boundary.give(buffer, out)
        }
    }
}

@implementation @_cdecl("memex_thread_delete")
public func memex_thread_delete(
    _ store: OpaquePointer!, _ id: UnsafePointer<CChar>!, _ id_len: Int,
    _ options: UnsafePointer<CChar>!, _ options_len: Int, _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> memex_status {
    Boundary.changing(error, store, Session.self, (id, id_len), (options, options_len)) {
        (session, id, options) throws(MemexError) in
        try session.deleteThread(id, options)
    }
}

@implementation @_cdecl("memex_thread_fork")
public func memex_thread_fork(
    _ thread: OpaquePointer!, _ options: UnsafePointer<CChar>!, _ options_len: Int,
    _ out: UnsafeMutablePointer<OpaquePointer?>!, _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> memex_status {
    Boundary.making(out, error, of: thread, ThreadObject.self, options, options_len) {
        (object, options) throws(MemexError) in
        ThreadObject(try object.thread.fork(options))
    }
}

@implementation @_cdecl("memex_thread_list")
public func memex_thread_list(
    _ store: OpaquePointer!, _ query: UnsafePointer<CChar>!, _ query_len: Int,
    _ out: UnsafeMutablePointer<OpaquePointer?>!, _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> memex_status {
    Boundary.making(out, error, of: store, Session.self, query, query_len) {
        (session, query) throws(MemexError) in
        CursorObject(try ThreadCursor(session, query))
    }
}

@implementation @_cdecl("memex_thread_append")
public func memex_thread_append(
    _ thread: OpaquePointer!, _ messages: UnsafePointer<CChar>!, _ messages_len: Int,
    _ options: UnsafePointer<CChar>!, _ options_len: Int, _ out: UnsafeMutablePointer<memex_receipt>!,
    _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> memex_status {
    Receipt.clear(out)
    return Boundary.run(error) { () throws(MemexError) in
        try Receipt.check(out)
        let messages = try Boundary.bytes(messages, messages_len)
        let options = try Boundary.bytes(options, options_len)
        return try Boundary.with(thread, ThreadObject.self) { (object) throws(MemexError) in
            Receipt.fill(out, try object.thread.append(messages, options))
            return MEMEX_OK
        }
    }
}

@implementation @_cdecl("memex_thread_append_text")
public func memex_thread_append_text(
    _ thread: OpaquePointer!, _ role: UnsafePointer<CChar>!, _ role_len: Int,
    _ text: UnsafePointer<CChar>!, _ text_len: Int, _ options: UnsafePointer<CChar>!, _ options_len: Int,
    _ out: UnsafeMutablePointer<memex_receipt>!, _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> memex_status {
    Receipt.clear(out)
    return Boundary.run(error) { () throws(MemexError) in
        try Receipt.check(out)
        let role = try Boundary.bytes(role, role_len)
        let text = try Boundary.bytes(text, text_len)
        let options = try Boundary.bytes(options, options_len)
        return try Boundary.with(thread, ThreadObject.self) { (object) throws(MemexError) in
            Receipt.fill(out, try object.thread.append(role: role, text: text, options))
            return MEMEX_OK
        }
    }
}

@implementation @_cdecl("memex_thread_messages")
public func memex_thread_messages(
    _ thread: OpaquePointer!, _ query: UnsafePointer<CChar>!, _ query_len: Int,
    _ out: UnsafeMutablePointer<OpaquePointer?>!, _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> memex_status {
    Boundary.making(out, error, of: thread, ThreadObject.self, query, query_len) {
        (object, query) throws(MemexError) in
        CursorObject(try object.thread.messages(query))
    }
}

@implementation @_cdecl("memex_thread_count")
public func memex_thread_count(
    _ thread: OpaquePointer!, _ out: UnsafeMutablePointer<Int64>!,
    _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> memex_status {
    out?.pointee = 0
    return Boundary.run(error) { () throws(MemexError) in
        let out = try Boundary.required(out)
        return try Boundary.with(thread, ThreadObject.self) { (object) throws(MemexError) in
            out.pointee = try object.thread.count()
            return MEMEX_OK
        }
    }
}

/// The caller's receipt, of which only `struct_size` bytes are ours to touch.
enum Receipt {
    @inline(__always)
    static func clear(_ out: UnsafeMutablePointer<memex_receipt>?) {
        guard let out, Int(out.pointee.struct_size) >= MemoryLayout<memex_receipt>.size else { return }
        let size = out.pointee.struct_size
        out.pointee = memex_receipt()
        out.pointee.struct_size = size
    }

    @inline(__always)
    static func check(_ out: UnsafeMutablePointer<memex_receipt>?) throws(MemexError) {
        guard let out else { return }
        guard Int(out.pointee.struct_size) >= MemoryLayout<memex_receipt>.size else {
            throw MemexError(.invalid, "set struct_size of the receipt to sizeof(memex_receipt)")
        }
    }

    @inline(__always)
    static func fill(_ out: UnsafeMutablePointer<memex_receipt>?, _ result: WriteResult) {
        guard let out else { return }
        out.pointee.duplicate = result.isDuplicate ? 1 : 0
        out.pointee.first_seq = result.firstSeq
        out.pointee.last_seq = result.lastSeq
        out.pointee.created_at_us = result.createdAt
        out.pointee.rev = result.rev
    }
}
