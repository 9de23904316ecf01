import CJansson

/// A value inside a `JSONDocument`; borrowed, valid as long as the document.
package struct JSONNode {
    package enum Kind: Sendable {
        case object
        case array
        case string
        case integer
        case real
        case bool
        case null
    }

    let pointer: UnsafeMutablePointer<json_t>

    @inline(__always)
    init(_ pointer: UnsafeMutablePointer<json_t>) { self.pointer = pointer }

    @inline(__always)
    private var type: json_type { pointer.pointee.type }

    package var kind: Kind {
        switch type {
        case JSON_OBJECT: return .object
        case JSON_ARRAY: return .array
        case JSON_STRING: return .string
        case JSON_INTEGER: return .integer
        case JSON_REAL: return .real
        case JSON_NULL: return .null
        default: return .bool
        }
    }

    package var isNull: Bool { type == JSON_NULL }

    package var bool: Bool? {
        if type == JSON_TRUE { return true }
        return type == JSON_FALSE ? false : nil
    }

    /// The UTF-8 of a string; may hold NUL.
    package var string: ByteView? {
        guard type == JSON_STRING, let text = json_string_value(pointer) else { return nil }
        return JSONNode.view(text, json_string_length(pointer))
    }

    /// The value of a number without fraction and exponent.
    package var int64: Int64? { type == JSON_INTEGER ? json_integer_value(pointer) : nil }

    /// The value of any number.
    package var double: Double? {
        if type == JSON_REAL { return json_real_value(pointer) }
        return type == JSON_INTEGER ? Double(json_integer_value(pointer)) : nil
    }

    /// Members of an object, elements of an array; 0 for everything else.
    package var count: Int {
        let count =
            type == JSON_OBJECT
            ? json_object_size(pointer) : type == JSON_ARRAY ? json_array_size(pointer) : 0
        return Int(truncatingIfNeeded: count)
    }

    /// A member of an object by its key.
    package func member(_ key: ByteView) -> JSONNode? {
        guard type == JSON_OBJECT else { return nil }
        // jansson wants an address also for the empty key.
        guard let base = key.baseAddress ?? RawCursor.bytes("").baseAddress else { return nil }
        let text = UnsafeRawPointer(base).assumingMemoryBound(to: CChar.self)
        guard let found = json_object_getn(pointer, text, key.count) else { return nil }
        return JSONNode(found)
    }

    package func member(_ name: StaticString) -> JSONNode? { member(RawCursor.bytes(name)) }

    /// An element of an array.
    package func element(_ index: Int) -> JSONNode? {
        guard type == JSON_ARRAY, index >= 0,
            let found = json_array_get(pointer, index)
        else { return nil }
        return JSONNode(found)
    }

    /// Goes through the members of an object in the order of the text.
    package func forEachMember(
        _ body: (ByteView, JSONNode) throws(MemexError) -> Void
    ) throws(MemexError) {
        guard type == JSON_OBJECT else { return }
        var iterator = json_object_iter(pointer)
        while let here = iterator {
            if let key = json_object_iter_key(here), let value = json_object_iter_value(here) {
                try body(JSONNode.view(key, json_object_iter_key_len(here)), JSONNode(value))
            }
            iterator = json_object_iter_next(pointer, here)
        }
    }

    /// Goes through the keys of an object until the closure says false.
    @inline(__always)
    func forEachKey(_ body: (ByteView) -> Bool) {
        guard type == JSON_OBJECT else { return }
        var iterator = json_object_iter(pointer)
        while let here = iterator {
            guard let key = json_object_iter_key(here) else { return }
            if !body(JSONNode.view(key, json_object_iter_key_len(here))) { return }
            iterator = json_object_iter_next(pointer, here)
        }
    }

    private static func view(_ text: UnsafePointer<CChar>, _ length: Int) -> ByteView {
        ByteView(
            start: UnsafeRawPointer(text).assumingMemoryBound(to: UInt8.self), count: length)
    }
}
