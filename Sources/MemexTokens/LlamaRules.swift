/// Llama 3, and others whose `tokenizer.json` has the pattern of cl100k_base in this form:
///
/// ```
/// (?i:'s|'t|'re|'ve|'m|'ll|'d)
/// [^\r\n\p{L}\p{N}]?\p{L}+
/// \p{N}{1,3}
///  ?[^\s\p{L}\p{N}]+[\r\n]*
/// \s*[\r\n]+
/// \s+(?!\S)
/// \s+
/// ```
enum LlamaRules: SplitRules {
    static let hasWindow = true
    static let splitsAtCapitals = false
    static let contractionEndsWord = false
    static let slashAfterNewline = false
    static let endTakesWhite = false

    @inline(__always)
    static func pieceEnd(_ text: PieceText, _ at: Int) -> Int {
        CL100KRules.pieceEnd(text, at, Self.self)
    }
}
