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
        if name.equals("estimate:claude") { return CalibratedEstimate("estimate:claude", factor: 1000) }
        if name.equals("estimate:gemini") { return CalibratedEstimate("estimate:gemini", factor: 1000) }
        return nil
    }

    static let names = ["estimate:claude", "estimate:gemini"]

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
