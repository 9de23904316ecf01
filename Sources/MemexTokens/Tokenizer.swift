package import MemexModel

/// Counts tokens. Any thread may use it.
package protocol Tokenizer: Sendable {
    /// The name that options and results carry.
    var name: String { get }
    /// Tokens of a text.
    func count(_ text: ByteView) -> Int
    /// Tokens of a whole message as a provider bills it, its frame included.
    func countMessage(_ body: ByteView) -> Int
}

/// The tokenizers that are built in.
package enum Tokenizers {
    package static let names = ["estimate"]

    package static func named(_ name: ByteView) -> (any Tokenizer)? {
        name.equals("estimate") ? EstimateTokenizer() : nil
    }
}
