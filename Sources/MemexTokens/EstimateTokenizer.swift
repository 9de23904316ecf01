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
