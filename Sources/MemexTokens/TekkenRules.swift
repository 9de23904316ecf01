/// Mistral's tekken: as `O200KRules`, each number alone and no contractions.
enum TekkenRules: SplitRules {
    static let hasWindow = true
    static let splitsAtCapitals = true
    static let contractionEndsWord = true
    static let slashAfterNewline = true
    static let endTakesWhite = false
    static let digits = 1
    static let hasContractions = false

    @inline(__always)
    static func pieceEnd(_ text: PieceText, _ at: Int) -> Int {
        O200KRules.pieceEnd(text, at, Self.self)
    }
}
