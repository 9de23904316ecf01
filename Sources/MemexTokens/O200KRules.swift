/// o200k_base and o200k_harmony:
///
/// ```
/// [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?
/// [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?
/// \p{N}{1,3}
///  ?[^\s\p{L}\p{N}]+[\r\n/]*
/// \s*[\r\n]+
/// \s+(?!\S)
/// \s+
/// ```
enum O200KRules: SplitRules {
    static let hasWindow = true
    static let splitsAtCapitals = true
    static let contractionEndsWord = true
    static let slashAfterNewline = true
    static let endTakesWhite = false

    @inline(__always)
    static func pieceEnd(_ text: PieceText, _ at: Int) -> Int { pieceEnd(text, at, Self.self) }

    /// With the digits and contractions of other rules.
    @inline(__always)
    static func pieceEnd<Rules: SplitRules>(_ text: PieceText, _ at: Int, _: Rules.Type) -> Int {
        let first = text.character(at)
        // A mark is a letter without case here: that the first rule could take it as the character before the
        // word comes to the same.
        if CharacterClass.isWord(first.kind) { return wordEnd(text, at, Rules.self) }
        if first.kind == CharacterClass.number { return text.numberEnd(at, Rules.digits) }
        let next = at &+ first.length
        if first.kind != CharacterClass.newline {
            let second = text.character(next)
            if CharacterClass.isWord(second.kind) { return wordEnd(text, next, Rules.self) }
            if first.kind == CharacterClass.symbol { return symbolsEnd(text, next) }
            if first.kind == CharacterClass.blank, second.kind == CharacterClass.symbol {
                return symbolsEnd(text, next)
            }
        }
        return text.whiteEnd(at, cutsAfterNewline: true, endTakesAll: false)
    }

    /// Capitals, then small letters; letters without case and marks count as both. Without a small letter the
    /// last of those without case must play its part; without any, the capitals are the word.
    @inline(__always)
    private static func wordEnd<Rules: SplitRules>(
        _ text: PieceText, _ from: Int, _: Rules.Type
    ) -> Int {
        var at = from
        var lastCaseless = -1
        while true {
            let next = text.character(at)
            if next.kind == CharacterClass.lower { break }
            guard CharacterClass.isWord(next.kind) else {
                let end = lastCaseless >= 0 ? lastCaseless : at
                return Rules.hasContractions ? end &+ text.contraction(end, anyCase: true) : end
            }
            at &+= next.length
            if next.kind != CharacterClass.upper { lastCaseless = at }
        }
        while true {
            let next = text.character(at)
            guard CharacterClass.isWord(next.kind), next.kind != CharacterClass.upper else { break }
            at &+= next.length
        }
        return Rules.hasContractions ? at &+ text.contraction(at, anyCase: true) : at
    }

    @inline(__always)
    private static func symbolsEnd(_ text: PieceText, _ from: Int) -> Int {
        var at = from
        while true {
            let next = text.character(at)
            guard CharacterClass.isSymbol(next.kind) else { break }
            at &+= next.length
        }
        while at < text.count {
            let byte = text.base[at]
            guard byte == 0x0A || byte == 0x0D || byte == 0x2F else { break }
            at &+= 1
        }
        return at
    }
}
