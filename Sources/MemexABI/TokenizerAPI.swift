public import CMemex
internal import Memex
internal import MemexModel
internal import MemexTokens
#if canImport(Glibc)
    internal import Glibc
#endif

@implementation @_cdecl("memex_tokenizer_open")
public func memex_tokenizer_open(
    _ options: UnsafePointer<CChar>!, _ options_len: Int, _ out: UnsafeMutablePointer<OpaquePointer?>!,
    _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> memex_status {
    out?.pointee = nil
    return Boundary.run(error) { () throws(MemexError) in
        let out = try Boundary.required(out)
        var reader = try OptionReader(try Boundary.bytes(options, options_len), what: "options")
        let choice = try TokenizerChoice(&reader)
        try reader.finish()
        return try Boundary.give(TokenizerObject(choice), out)
    }
}

@implementation @_cdecl("memex_tokenizer_free")
public func memex_tokenizer_free(_ tokenizer: OpaquePointer!) { HandleTable.free(tokenizer, .tokenizer) }

@implementation @_cdecl("memex_tokenizer_name")
public func memex_tokenizer_name(_ tokenizer: OpaquePointer!) -> UnsafePointer<CChar>! {
    let found = try? Boundary.with(tokenizer, TokenizerObject.self) { (object) throws(MemexError) in
        object.name.pointer
    }
    return found ?? nil
}

@implementation @_cdecl("memex_tokenizer_count")
public func memex_tokenizer_count(
    _ tokenizer: OpaquePointer!, _ text: UnsafePointer<CChar>!, _ text_len: Int,
    _ out: UnsafeMutablePointer<Int64>!, _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> memex_status {
    Boundary.counting(tokenizer, text, text_len, out, error) { (object, text) throws(MemexError) in
        try object.tokenizer.count(text, special: object.special)
    }
}

@implementation @_cdecl("memex_tokenizer_count_messages")
public func memex_tokenizer_count_messages(
    _ tokenizer: OpaquePointer!, _ request: UnsafePointer<CChar>!, _ request_len: Int,
    _ out: UnsafeMutablePointer<Int64>!, _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> memex_status {
    Boundary.counting(tokenizer, request, request_len, out, error) { (object, request) throws(MemexError) in
        try object.counter.count(request: request)
    }
}

@implementation @_cdecl("memex_tokenizer_count_batch")
public func memex_tokenizer_count_batch(
    _ tokenizer: OpaquePointer!, _ texts: UnsafePointer<CChar>!, _ texts_len: Int,
    _ lengths: UnsafePointer<Int>!, _ n: Int, _ counts: UnsafeMutablePointer<Int64>!,
    _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> memex_status {
    let isRoom = n > 0 && n <= Boundary.batchMaximum
    if isRoom { counts?.update(repeating: 0, count: n) }
    return Boundary.run(error) { () throws(MemexError) in
        let texts = try Boundary.bytes(texts, texts_len)
        return try Boundary.with(tokenizer, TokenizerObject.self) { (object) throws(MemexError) in
            if n == 0, texts.count == 0 { return MEMEX_OK }
            guard isRoom else {
                throw MemexError(.invalid, "the number of texts is not 0 to \(Boundary.batchMaximum)")
            }
            let counts = try Boundary.required(counts)
            guard let lengths else { throw MemexError(.invalid, "the lengths are NULL, but n is not 0") }
            do throws(MemexError) {
                try Boundary.countBatch(object, texts, UnsafeBufferPointer(start: lengths, count: n), counts)
            } catch {
                counts.update(repeating: 0, count: n)
                throw error
            }
            return MEMEX_OK
        }
    }
}

@implementation @_cdecl("memex_tokenizer_encode")
public func memex_tokenizer_encode(
    _ tokenizer: OpaquePointer!, _ text: UnsafePointer<CChar>!, _ text_len: Int,
    _ ids: UnsafeMutablePointer<memex_bytes>!, _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> memex_status {
    Boundary.clear(ids)
    return Boundary.run(error) { () throws(MemexError) in
        let out = try Boundary.required(ids)
        let text = try Boundary.bytes(text, text_len)
        return try Boundary.with(tokenizer, TokenizerObject.self) { (object) throws(MemexError) in
            var buffer = ByteBuffer()
            try object.tokenizer.encode(text, special: object.special, to: &buffer)
            return try Boundary.give(buffer, out)
        }
    }
}

@implementation @_cdecl("memex_tokenizer_decode")
public func memex_tokenizer_decode(
    _ tokenizer: OpaquePointer!, _ ids: UnsafePointer<UInt32>!, _ n: Int,
    _ text: UnsafeMutablePointer<memex_bytes>!, _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> memex_status {
    Boundary.clear(text)
    return Boundary.run(error) { () throws(MemexError) in
        let out = try Boundary.required(text)
        return try Boundary.with(tokenizer, TokenizerObject.self) { (object) throws(MemexError) in
            guard n >= 0, n <= Boundary.batchMaximum else {
                throw MemexError(.invalid, "the number of ids is not between 0 and \(Boundary.batchMaximum)")
            }
            guard ids != nil || n == 0 else {
                throw MemexError(.invalid, "the ids are NULL, but n is not 0")
            }
            var buffer = ByteBuffer()
            try object.tokenizer.decode(UnsafeBufferPointer(start: ids, count: n), to: &buffer)
            return try Boundary.give(buffer, out)
        }
    }
}

@implementation @_cdecl("memex_tokenizer_truncate")
public func memex_tokenizer_truncate(
    _ tokenizer: OpaquePointer!, _ text: UnsafePointer<CChar>!, _ text_len: Int, _ max_tokens: Int64,
    _ length: UnsafeMutablePointer<Int64>!, _ tokens: UnsafeMutablePointer<Int64>!,
    _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> memex_status {
    length?.pointee = 0
    tokens?.pointee = 0
    return Boundary.run(error) { () throws(MemexError) in
        let length = try Boundary.required(length)
        let tokens = try Boundary.required(tokens)
        let text = try Boundary.bytes(text, text_len)
        return try Boundary.with(tokenizer, TokenizerObject.self) { (object) throws(MemexError) in
            guard max_tokens >= 0 else {
                throw MemexError(.invalid, "max_tokens is \(max_tokens); give 0 or more")
            }
            let cut = try TextTruncation.cut(text, Int(max_tokens), object.tokenizer, object.special)
            length.pointee = Int64(cut.length)
            tokens.pointee = Int64(cut.tokens)
            return MEMEX_OK
        }
    }
}

@implementation @_cdecl("memex_register_tokenizer")
public func memex_register_tokenizer(
    _ name: UnsafePointer<CChar>!, _ name_len: Int, _ functions: UnsafePointer<memex_tokenizer_functions>!,
    _ user_data: UnsafeMutableRawPointer?, _ destroy: memex_destroy_fn?,
    _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> memex_status {
    // Made first, so that destroy runs however this ends.
    let context = HostContext(user_data, destroy)
    return Boundary.run(error) { () throws(MemexError) in
        let name = try Boundary.bytes(name, name_len)
        try BackendRegistry.checkName(name)
        try TokenizerRegistry.register(try RegisteredTokenizer(name, context, functions))
        return MEMEX_OK
    }
}

extension Boundary {
    /// Most texts, or ids, of one call.
    static var batchMaximum: Int { Limits.argumentBytes }

    /// Counts what a text says.
    @inline(__always)
    static func counting(
        _ handle: OpaquePointer?, _ text: UnsafePointer<CChar>?, _ length: Int,
        _ out: UnsafeMutablePointer<Int64>?, _ error: ErrorOut,
        _ count: (TokenizerObject, ByteView) throws(MemexError) -> Int
    ) -> Int32 {
        out?.pointee = 0
        return run(error) { () throws(MemexError) in
            let out = try required(out)
            let text = try bytes(text, length)
            return try with(handle, TokenizerObject.self) { (object) throws(MemexError) in
                out.pointee = Int64(try count(object, text))
                return MEMEX_OK
            }
        }
    }

    /// Counts texts that lie one behind the other. Nothing outside of them is read, whatever the lengths say.
    @inline(never)
    static func countBatch(
        _ object: TokenizerObject, _ texts: ByteView, _ lengths: UnsafeBufferPointer<Int>,
        _ counts: UnsafeMutablePointer<Int64>
    ) throws(MemexError) {
        guard let raw = malloc(lengths.count &* MemoryLayout<ByteView>.stride) else {
            throw MemexError.noMemory
        }
        defer { free(raw) }
        let views = raw.bindMemory(to: ByteView.self, capacity: lengths.count)
        var (index, at) = (0, 0)
        while index < lengths.count {
            let length = lengths[index]
            guard length >= 0, length <= texts.count &- at else { throw misfit(texts.count) }
            (views + index).initialize(to: texts.slice(at, length))
            at &+= length
            index &+= 1
        }
        guard at == texts.count else { throw misfit(texts.count) }
        let places = UnsafeMutableRawPointer(counts).assumingMemoryBound(to: Int.self)
        try object.tokenizer.count(
            batch: UnsafeBufferPointer(start: views, count: lengths.count), special: object.special,
            to: places)
    }

    private static func misfit(_ count: Int) -> MemexError {
        MemexError(.invalid, "the lengths of the texts do not add up to the \(count) bytes of them all")
    }
}
