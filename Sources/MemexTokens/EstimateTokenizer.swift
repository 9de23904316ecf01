package import MemexModel

/// An estimate without a vocabulary: a token for every four bytes of UTF-8, rounded up.
///
/// English text has about four bytes a token in o200k_base, code about three; Chinese, Japanese and Korean
/// have about one token for the three bytes of a character, which the rule counts as 0.75.
package struct EstimateTokenizer: TextTokenizer {
    package var name: String { "estimate" }
    private static let bytesPerToken = 4
    /// Tokens of a message's frame.
    private static let frame = 4

    package init() {}

    @inline(__always)
    package static func count(_ text: ByteView) -> Int {
        (text.count &+ bytesPerToken &- 1) / bytesPerToken
    }

    /// Tokens of a whole message.
    @inline(__always)
    package static func count(message body: ByteView) -> Int { count(body) &+ frame }

    package func count(_ text: ByteView, special: SpecialTokenPolicy) -> Int { Self.count(text) }

    package func encode(
        _ text: ByteView, special: SpecialTokenPolicy, to ids: inout ByteBuffer
    ) throws(MemexError) {
        throw Self.noTokens
    }

    package func decode(_ ids: UnsafeBufferPointer<UInt32>, to text: inout ByteBuffer) throws(MemexError) {
        throw Self.noTokens
    }

    private static let noTokens = MemexError(
        .unsupported, "the estimate has no tokens, it only counts; name an encoding")
}
