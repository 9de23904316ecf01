public import CMemex
internal import Memex
internal import MemexModel

@implementation @_cdecl("memex_cursor_next")
public func memex_cursor_next(
    _ cursor: OpaquePointer!, _ out: UnsafeMutablePointer<memex_bytes>!,
    _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> memex_status {
    Boundary.clear(out)
    return Boundary.run(error) { () throws(MemexError) in
        let out = try Boundary.required(out)
        return try Boundary.with(cursor, CursorObject.self) { (object) throws(MemexError) in
            var buffer = ByteBuffer()
            guard try object.cursor.next(&buffer) else { return MEMEX_DONE }
            return try Boundary.give(buffer, out)
        }
    }
}

@implementation @_cdecl("memex_cursor_token")
public func memex_cursor_token(
    _ cursor: OpaquePointer!, _ out: UnsafeMutablePointer<memex_bytes>!,
    _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> memex_status {
    Boundary.writing(out, error, of: cursor, CursorObject.self) { (object, buffer) throws(MemexError) in
        buffer.append(text: try object.cursor.token())
    }
}

@implementation @_cdecl("memex_cursor_free")
public func memex_cursor_free(_ cursor: OpaquePointer!) { HandleTable.free(cursor, .cursor) }
