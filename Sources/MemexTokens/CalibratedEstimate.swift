package import MemexModel

/// An estimate for models whose maker publishes no tokenizer: exact tokens of o200k_base, times a factor that
/// was fitted to recorded usage. docs/reference/message-tokens.md has the measured errors.
package struct CalibratedEstimate: TextTokenizer {
    package let name: String
    private let exact: BytePairTokenizer
    /// Thousandths.
    private let factor: Int

    /// Nil only if the library was built with a broken image.
    private init?(_ name: String, factor: Int) {
        guard let exact = BytePairTokenizer(.o200kBase) else { return nil }
        self.name = name
        self.exact = exact
        self.factor = factor
    }

    /// The estimates there are, by name.
    package static func named(_ name: ByteView) -> CalibratedEstimate? {
        let known = name.text
        guard let found = factors.first(where: { $0.0 == known }) else { return nil }
        return CalibratedEstimate(found.0, factor: found.1)
    }

    static var names: [String] { factors.map(\.0) }

    /// Claude up to 4.6, Claude from Opus 4.7 on, whose tokenizer is another, and Gemini.
    private static let factors = [
        ("estimate:claude", 1043), ("estimate:claude-4.7", 1410), ("estimate:gemini", 1020),
    ]

    private func scaled(_ count: Int) -> Int { (count &* factor &+ 500) / 1000 }

    package func count(_ text: ByteView, special: SpecialTokenPolicy) throws(MemexError) -> Int {
        scaled(try exact.count(text, special: .asText))
    }

    package func count(
        batch texts: UnsafeBufferPointer<ByteView>, special: SpecialTokenPolicy,
        to counts: UnsafeMutablePointer<Int>
    ) throws(MemexError) {
        try exact.count(batch: texts, special: .asText, to: counts)
        var index = 0
        while index < texts.count {
            counts[index] = scaled(counts[index])
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
