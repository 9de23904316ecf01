/// Qwen 2 and 3: as `LlamaRules`, each number alone.
enum QwenRules: SplitRules {
    static let hasWindow = true
    static let splitsAtCapitals = false
    static let contractionEndsWord = false
    static let slashAfterNewline = false
    static let endTakesWhite = false
    static let digits = 1

    @inline(__always)
    static func pieceEnd(_ text: PieceText, _ at: Int) -> Int {
        CL100KRules.pieceEnd(text, at, Self.self)
    }
}
