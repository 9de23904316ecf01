package import MemexModel

/// Counts whole messages as a provider bills them, and knows which stored counts are its own.
package struct MessageCounter: Sendable {
    /// What windows say that they were counted with: the model or the encoding that was named.
    package let name: String
    /// What stored counts are marked with: 0 for the estimate, a digest of the way to count for others.
    package let mark: UInt32
    /// Whether it runs code of the host's.
    package let callsBack: Bool
    /// Nil for the estimate, which every store counts with that names no other.
    private let tokenizer: (any TextTokenizer)?
    private let model: String?

    package static let estimate = MessageCounter(EstimateTokenizer(), model: nil)

    package init(_ choice: TokenizerChoice) { self.init(choice.tokenizer, model: choice.model) }

    package init(_ tokenizer: any TextTokenizer, model: String?) {
        let isEstimate = tokenizer is EstimateTokenizer
        name = model ?? tokenizer.name
        mark = isEstimate ? 0 : Self.mark(tokenizer.identity, model)
        callsBack = tokenizer.callsBack
        self.tokenizer = isEstimate ? nil : tokenizer
        self.model = model
    }

    /// Raised when messages are counted in another way: what is stored is then counted again.
    private static let rules = "1"

    private static func mark(_ identity: String, _ model: String?) -> UInt32 {
        var digest = SHA256()
        "\(rules)\n\(identity)\n\(model ?? "")".withBytes { digest.update($0) }
        let mark = UInt32(truncatingIfNeeded: digest.finish().0)
        return mark == 0 ? 1 : mark
    }

    /// Tokens of a message with its frame.
    @inline(__always)
    package func count(_ body: ByteView) throws(MemexError) -> Int {
        guard let tokenizer else { return EstimateTokenizer.count(message: body) }
        return try Self.count(body, with: tokenizer, model)
    }

    @inline(never)
    private static func count(
        _ body: ByteView, with tokenizer: any TextTokenizer, _ model: String?
    ) throws(MemexError) -> Int {
        try counting(tokenizer, model) { (chat) throws(MemexError) in chat.count(message: body) }
    }

    /// Tokens of a whole request, see `memex_tokenizer_count_messages`.
    package func count(request: ByteView) throws(MemexError) -> Int {
        try JSONCheck.strict(request)
        let named = rawMember(object: request, "model").flatMap { RawString.contents($0)?.text }
        return try Self.counting(tokenizer ?? EstimateTokenizer(), named ?? model) {
            (chat) throws(MemexError) in
            try chat.count(request: request)
        }
    }

    /// Counts, and throws what a tokenizer of the host's failed by.
    private static func counting(
        _ tokenizer: any TextTokenizer, _ model: String?,
        _ count: (ChatTokenCounter) throws(MemexError) -> Int
    ) throws(MemexError) -> Int {
        let watched = tokenizer.callsBack ? WatchedTokenizer(tokenizer) : nil
        let result: Result<Int, MemexError> = (model ?? "").withBytes { name in
            let chat = ChatTokenCounter(watched ?? tokenizer, model: model == nil ? nil : name)
            do throws(MemexError) { return .success(try count(chat)) } catch { return .failure(error) }
        }
        if let failure = watched?.failure { throw failure }
        return try result.get()
    }
}
