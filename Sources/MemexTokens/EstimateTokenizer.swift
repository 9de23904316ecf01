package import MemexModel

/// An estimate without a vocabulary: a token for every four bytes of UTF-8, rounded up, and four for a
/// message's frame.
///
/// English text has about four bytes a token in o200k_base, code about three; Chinese, Japanese and Korean
/// have about one token for the three bytes of a character, which the rule counts as 0.75.
package struct EstimateTokenizer: Tokenizer {
    package let name = "estimate"
    private static let bytesPerToken = 4
    private static let frame = 4

    package init() {}

    package func count(_ text: ByteView) -> Int {
        (text.count &+ Self.bytesPerToken &- 1) / Self.bytesPerToken
    }

    package func countMessage(_ body: ByteView) -> Int { count(body) &+ Self.frame }
}

extension EstimateTokenizer: TextTokenizer {
    package func count(_ text: ByteView, special: SpecialTokenPolicy) -> Int { count(text) }

    package func count(
        batch texts: UnsafeBufferPointer<ByteView>, special: SpecialTokenPolicy,
        to counts: UnsafeMutablePointer<Int>
    ) {
        guard let first = texts.baseAddress else { return }
        var index = 0
        while index < texts.count {
            counts[index] = count(first[index])
            index &+= 1
        }
    }

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
