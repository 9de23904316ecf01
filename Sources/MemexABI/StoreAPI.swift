public import CMemex
internal import Memex
internal import MemexModel

@implementation @_cdecl("memex_store_open")
public func memex_store_open(
    _ config: UnsafePointer<CChar>!, _ config_len: Int,
    _ out: UnsafeMutablePointer<OpaquePointer?>!, _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> memex_status {
    out?.pointee = nil
    return Boundary.run(error) { () throws(MemexError) in
        let out = try Boundary.required(out)
        var reader = try OptionReader(try Boundary.bytes(config, config_len), what: "config")
        let options = try StoreOptions(&reader)
        try reader.finish()
        let session = Session(root: try Store.open(options))
        do throws(MemexError) {
            return try Boundary.give(session, out)
        } catch let thrown {
            try? session.store.close()
            throw thrown
        }
    }
}

@implementation @_cdecl("memex_session_open")
public func memex_session_open(
    _ store: OpaquePointer!, _ options: UnsafePointer<CChar>!, _ options_len: Int,
    _ out: UnsafeMutablePointer<OpaquePointer?>!, _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> memex_status {
    Boundary.making(out, error, of: store, Session.self, options, options_len) {
        (session, options) throws(MemexError) in
        try session.narrow(options)
    }
}

@implementation @_cdecl("memex_store_close")
public func memex_store_close(
    _ store: OpaquePointer!, _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> memex_status {
    error?.pointee = nil
    do throws(MemexError) {
        // Closing is allowed when memory is short: it gives some back.
        let session = try Boundary.with(store, Session.self) { (session) throws(MemexError) in
            try session.checkClosable()
            return session
        }
        guard HandleTable.free(store, .store) else { throw Boundary.badHandle(store, .store) }
        if session.isRoot { try session.store.close() } else { try session.closeSession() }
        return MEMEX_OK
    } catch let thrown {
        return Boundary.report(thrown, error)
    }
}

@implementation @_cdecl("memex_store_flush")
public func memex_store_flush(
    _ store: OpaquePointer!, _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> memex_status {
    Boundary.run(error) { () throws(MemexError) in
        try Boundary.with(store, Session.self) { (session) throws(MemexError) in
            try session.authorize(.administer)
            try session.store.flush()
            return MEMEX_OK
        }
    }
}

@implementation @_cdecl("memex_store_interrupt")
public func memex_store_interrupt(
    _ store: OpaquePointer!, _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> memex_status {
    Boundary.run(error) { () throws(MemexError) in
        try Boundary.with(store, Session.self) { (session) throws(MemexError) in
            try session.authorize(.administer)
            try session.store.interrupt()
            return MEMEX_OK
        }
    }
}

@implementation @_cdecl("memex_store_command")
public func memex_store_command(
    _ store: OpaquePointer!, _ name: UnsafePointer<CChar>!, _ name_len: Int,
    _ arguments: UnsafePointer<CChar>!, _ arguments_len: Int,
    _ out: UnsafeMutablePointer<memex_bytes>!, _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> memex_status {
    Boundary.clear(out)
    return Boundary.run(error) { () throws(MemexError) in
        let name = try Boundary.bytes(name, name_len)
        let arguments = try Boundary.bytes(arguments, arguments_len)
        return try Boundary.with(store, Session.self) { (session) throws(MemexError) in
            var buffer = ByteBuffer()
            try Commands.run(name, arguments, session, &buffer)
            return try Boundary.give(buffer, out)
        }
    }
}
