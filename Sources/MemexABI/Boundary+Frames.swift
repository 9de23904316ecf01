internal import CMemex
internal import Memex
internal import MemexContext
internal import MemexModel

/// What a handle refers to. Its kind is its type's, so that no call can take an object for another.
protocol HandleObject: AnyObject {
    static var kind: HandleKind { get }
}

extension Session: HandleObject { static var kind: HandleKind { .store } }
extension TransactionObject: HandleObject { static var kind: HandleKind { .transaction } }
extension ThreadObject: HandleObject { static var kind: HandleKind { .thread } }
extension MessageObject: HandleObject { static var kind: HandleKind { .message } }
extension CursorObject: HandleObject { static var kind: HandleKind { .cursor } }
extension Strategy: HandleObject { static var kind: HandleKind { .strategy } }
extension ReplyObject: HandleObject { static var kind: HandleKind { .reply } }
extension TokenizerObject: HandleObject { static var kind: HandleKind { .tokenizer } }

/// The calls that many functions are: what they clear, check and hand out, in this order.
extension Boundary {
    typealias Text = (start: UnsafePointer<CChar>?, length: Int)

    /// Makes a handle, from a handle and a text.
    @inline(__always)
    static func making<Object: HandleObject, Made: HandleObject>(
        _ out: UnsafeMutablePointer<OpaquePointer?>?, _ error: ErrorOut, of handle: OpaquePointer?,
        _ type: Object.Type, _ text: UnsafePointer<CChar>?, _ length: Int,
        _ make: (Object, ByteView) throws(MemexError) -> Made
    ) -> Int32 {
        out?.pointee = nil
        return run(error) { () throws(MemexError) in
            let out = try required(out)
            let text = try bytes(text, length)
            return try with(handle, type) { (object) throws(MemexError) in
                try give(try make(object, text), out)
            }
        }
    }

    /// Writes what a handle has into bytes of the caller's.
    @inline(__always)
    static func writing<Object: HandleObject>(
        _ out: UnsafeMutablePointer<memex_bytes>?, _ error: ErrorOut, of handle: OpaquePointer?,
        _ type: Object.Type, _ write: (Object, inout ByteBuffer) throws(MemexError) -> Void
    ) -> Int32 {
        clear(out)
        return run(error) { () throws(MemexError) in
            let out = try required(out)
            return try with(handle, type) { (object) throws(MemexError) in
                var buffer = ByteBuffer()
                try write(object, &buffer)
                return try give(buffer, out)
            }
        }
    }

    /// Changes what a handle refers to, by two texts.
    @inline(__always)
    static func changing<Object: HandleObject>(
        _ error: ErrorOut, _ handle: OpaquePointer?, _ type: Object.Type, _ first: Text, _ second: Text,
        _ change: (Object, ByteView, ByteView) throws(MemexError) -> Void
    ) -> Int32 {
        run(error) { () throws(MemexError) in
            let first = try bytes(first.start, first.length)
            let second = try bytes(second.start, second.length)
            return try with(handle, type) { (object) throws(MemexError) in
                try change(object, first, second)
                return MEMEX_OK
            }
        }
    }
}
