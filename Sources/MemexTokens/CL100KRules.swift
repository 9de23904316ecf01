/// cl100k_base:
///
/// ```
/// '(?i:[sdmt]|ll|ve|re)
/// [^\r\n\p{L}\p{N}]?+\p{L}++
/// \p{N}{1,3}+
///  ?[^\s\p{L}\p{N}]++[\r\n]*+
/// \s++$
/// \s*[\r\n]
/// \s+(?!\S)
/// \s
/// ```
enum CL100KRules: SplitRules {
    static let hasWindow = true
    static let splitsAtCapitals = false
    static let contractionEndsWord = false
    static let slashAfterNewline = false
    static let endTakesWhite = true

    @inline(__always)
    static func pieceEnd(_ text: PieceText, _ at: Int) -> Int { pieceEnd(text, at, Self.self) }

    /// With the digits of other rules, and what they do at the end.
    @inline(__always)
    static func pieceEnd<Rules: SplitRules>(_ text: PieceText, _ at: Int, _: Rules.Type) -> Int {
        let contraction = text.contraction(at, anyCase: true)
        if contraction > 0 { return at &+ contraction }
        let first = text.character(at)
        if CharacterClass.isLetter(first.kind) { return lettersEnd(text, at) }
        if first.kind == CharacterClass.number { return text.numberEnd(at, Rules.digits) }
        let next = at &+ first.length
        if first.kind != CharacterClass.newline {
            let second = text.character(next)
            if CharacterClass.isLetter(second.kind) { return lettersEnd(text, next) }
            if CharacterClass.isSymbol(first.kind) { return symbolsEnd(text, next) }
            if first.kind == CharacterClass.blank, CharacterClass.isSymbol(second.kind) {
                return symbolsEnd(text, next)
            }
        }
        return text.whiteEnd(at, cutsAfterNewline: true, endTakesAll: Rules.endTakesWhite)
    }

    @inline(__always)
    private static func lettersEnd(_ text: PieceText, _ from: Int) -> Int {
        var at = from
        while true {
            let next = text.character(at)
            guard CharacterClass.isLetter(next.kind) else { return at }
            at &+= next.length
        }
    }

    @inline(__always)
    private static func symbolsEnd(_ text: PieceText, _ from: Int) -> Int {
        var at = from
        while true {
            let next = text.character(at)
            guard CharacterClass.isSymbol(next.kind) else { break }
            at &+= next.length
        }
        while at < text.count, text.base[at] == 0x0A || text.base[at] == 0x0D { at &+= 1 }
        return at
    }
}
