package import MemexModel
package import MemexTokens

/// What one window is asked for: {"max_tokens", "provider", "examine", "tokenizer"}.
package struct WindowRequest {
    static let tokensMaximum: Int64 = 1 << 48
    /// Newest messages that are looked at when nothing else ends the reading.
    static let defaultExamine: Int64 = 10_000
    static let providers: [StaticString] = ["openai.chat"]

    private(set) var maxTokens: Int64?
    private(set) var examine: Int64?

    /// What messages are counted with, when it is not what counts those of the store.
    package private(set) var counter: MessageCounter?

    package init(_ bytes: ByteView) throws(MemexError) {
        if bytes.count == 0 { return }
        var options = try OptionReader(bytes, what: "the request")
        maxTokens = try options.int64("max_tokens", in: 1...Self.tokensMaximum)
        examine = try options.int64("examine", in: 1...Limits.seq)
        if let provider = try options.string("provider"),
            !Self.providers.contains(where: { provider.equals($0) })
        {
            let known = Self.providers.map { "\($0)" }.joined(separator: ", ")
            throw MemexError(
                .unsupported, "/provider: windows can be built for \(known)",
                detailMembers: "\"path\":\"/provider\"")
        }
        counter = try TokenizerChoice.counter(&options)
        try options.finish()
    }
}
