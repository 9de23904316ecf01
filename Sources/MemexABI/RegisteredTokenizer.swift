internal import CMemex
internal import CMemexShim
internal import MemexModel
internal import MemexTokens

/// A tokenizer that the host registered.
final class RegisteredTokenizer: TextTokenizer, @unchecked Sendable {
    let name: String
    /// None of a built-in tokenizer's.
    var identity: String { "registered \(name)" }
    var callsBack: Bool { true }

    private let context: HostContext
    private let functions: memex_tokenizer_functions
    private static let countMaximum: Int64 = 0x7FFF_FFFF

    /// Throws unless it can count.
    init(
        _ name: ByteView, _ context: HostContext, _ functions: UnsafePointer<memex_tokenizer_functions>?
    ) throws(MemexError) {
        guard let functions else { throw MemexError(.invalid, "the tokenizer's functions are NULL") }
        guard Int(functions.pointee.struct_size) >= MemoryLayout<memex_tokenizer_functions>.size else {
            throw MemexError(
                .invalid, "set struct_size of the functions to sizeof(memex_tokenizer_functions)")
        }
        guard functions.pointee.count != nil else {
            throw MemexError(.invalid, "the tokenizer's function count is NULL; it is needed")
        }
        self.name = name.text
        self.context = context
        self.functions = functions.pointee
    }

    private var owner: UnsafeRawPointer { UnsafeRawPointer(Unmanaged.passUnretained(self).toOpaque()) }

    func count(_ text: ByteView, special: SpecialTokenPolicy) throws(MemexError) -> Int {
        let call = unsafeBitCast(functions.count, to: CountFunction.self)
        var tokens: Int64 = -1
        let reply = try Callback.run(owner, "the tokenizer's count") { reply in
            memex_shim_call_count(
                call, context.userData, text.chars, text.count, &tokens, UnsafeMutableRawPointer(reply))
        }
        guard reply != nil else { throw Self.conflict("count") }
        guard tokens >= 0, tokens <= Self.countMaximum else {
            throw MemexError(
                .callback,
                "the tokenizer's count failed: it set \(tokens), which is not between 0 and 2147483647")
        }
        return Int(tokens)
    }

    func encode(
        _ text: ByteView, special: SpecialTokenPolicy, to ids: inout ByteBuffer
    ) throws(MemexError) {
        guard functions.encode != nil else { throw unsupported("encode") }
        let call = unsafeBitCast(functions.encode, to: EncodeFunction.self)
        let reply = try Callback.run(owner, "the tokenizer's encode") { reply in
            memex_shim_call_encode(
                call, context.userData, text.chars, text.count, UnsafeMutableRawPointer(reply))
        }
        guard let reply else { throw Self.conflict("encode") }
        try reply.withData { (bytes) throws(MemexError) in
            guard bytes.count % 4 == 0 else {
                throw MemexError(
                    .callback,
                    "the tokenizer's encode failed: it answered with \(bytes.count) bytes, no whole ids")
            }
            ids.append(bytes)
        }
    }

    func decode(_ ids: UnsafeBufferPointer<UInt32>, to text: inout ByteBuffer) throws(MemexError) {
        guard functions.decode != nil else { throw unsupported("decode") }
        let call = unsafeBitCast(functions.decode, to: DecodeFunction.self)
        let reply = try Callback.run(owner, "the tokenizer's decode") { reply in
            memex_shim_call_decode(
                call, context.userData, ids.baseAddress, ids.count, UnsafeMutableRawPointer(reply))
        }
        guard let reply else { throw Self.conflict("decode") }
        try reply.withData { (bytes) throws(MemexError) in text.append(bytes) }
    }

    private func unsupported(_ function: StaticString) -> MemexError {
        MemexError(.unsupported, "the tokenizer was registered without \(function)")
    }

    private static func conflict(_ function: StaticString) -> MemexError {
        MemexError(.callback, "the tokenizer's \(function) failed: it said CONFLICT")
    }

    private typealias CountFunction =
        @convention(c) (
            UnsafeMutableRawPointer?, UnsafePointer<CChar>?, Int, UnsafeMutablePointer<Int64>?,
            UnsafeMutableRawPointer?
        ) -> Int32
    private typealias EncodeFunction =
        @convention(c) (
            UnsafeMutableRawPointer?, UnsafePointer<CChar>?, Int, UnsafeMutableRawPointer?
        ) -> Int32
    private typealias DecodeFunction =
        @convention(c) (
            UnsafeMutableRawPointer?, UnsafePointer<UInt32>?, Int, UnsafeMutableRawPointer?
        ) -> Int32
}
