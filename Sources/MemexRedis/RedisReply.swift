internal import CMemexShim
internal import MemexModel

/// A reply and its memory.
final class RedisReply {
    private let handle: UnsafeMutableRawPointer

    init(_ handle: UnsafeMutableRawPointer) { self.handle = handle }

    deinit { memex_redis_reply_free(handle) }

    var value: RedisValue { RedisValue(handle: UnsafeRawPointer(handle), owner: self) }
}

/// A reply, or a part of one, which it keeps. What `bytes` gives is borrowed from it: whoever uses them holds on
/// to the `RedisReply`.
struct RedisValue {
    fileprivate let handle: UnsafeRawPointer
    fileprivate let owner: RedisReply

    private var type: Int { withExtendedLifetime(owner) { Int(memex_redis_reply_type(handle)) } }
    var isNil: Bool { type == MEMEX_REDIS_NIL }
    var isError: Bool { type == MEMEX_REDIS_ERROR }
    var isString: Bool { type == MEMEX_REDIS_STRING }
    var isInteger: Bool { type == MEMEX_REDIS_INTEGER }
    var isArray: Bool { type == MEMEX_REDIS_ARRAY }
    var integer: Int64 {
        withExtendedLifetime(owner) { isInteger ? memex_redis_reply_integer(handle) : 0 }
    }

    var bytes: ByteView {
        guard type == MEMEX_REDIS_STRING || type == MEMEX_REDIS_STATUS || type == MEMEX_REDIS_ERROR else {
            return ByteView(start: nil, count: 0)
        }
        var length = 0
        let start = memex_redis_reply_bytes(handle, &length)
        return ByteView(
            start: UnsafeRawPointer(start)?.assumingMemoryBound(to: UInt8.self),
            count: start == nil ? 0 : length)
    }

    var text: String { withExtendedLifetime(owner) { bytes.text } }
    var count: Int { withExtendedLifetime(owner) { isArray ? memex_redis_reply_count(handle) : 0 } }

    subscript(index: Int) -> RedisValue? {
        guard isArray, index >= 0 else { return nil }
        return withExtendedLifetime(owner) { memex_redis_reply_element(handle, index) }.map {
            RedisValue(handle: $0, owner: owner)
        }
    }
}
