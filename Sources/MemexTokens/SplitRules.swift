internal import CMemexShim

/// How an encoding splits text into pieces, each of which is then merged alone: what its published regular
/// expression says, by hand.
protocol SplitRules {
    /// The end of the piece that begins at `at`, which is before the end of the text. Reads each byte at most
    /// a few times, whatever the text.
    static func pieceEnd(_ text: PieceText, _ at: Int) -> Int

    /// Whether `AsciiWindow` knows these rules.
    static var hasWindow: Bool { get }
    /// Words end where a small letter is followed by a capital.
    static var splitsAtCapitals: Bool { get }
    /// A contraction ends the word before it; otherwise it is a piece.
    static var contractionEndsWord: Bool { get }
    /// Newlines after symbols take slashes with them.
    static var slashAfterNewline: Bool { get }
    /// White space at the end of the text is one piece.
    static var endTakesWhite: Bool { get }
    /// How many digits go together.
    static var digits: Int { get }
    static var hasContractions: Bool { get }
}

extension SplitRules {
    static var digits: Int { 3 }
    static var hasContractions: Bool { true }
}
