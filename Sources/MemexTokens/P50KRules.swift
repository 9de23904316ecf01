/// p50k_base:
///
/// ```
/// '(?:[sdmt]|ll|ve|re)
///  ?\p{L}++
///  ?\p{N}++
///  ?[^\s\p{L}\p{N}]++
/// \s++$
/// \s+(?!\S)
/// \s
/// ```
enum P50KRules: SplitRules {
    static let hasWindow = false
    static let splitsAtCapitals = false
    static let contractionEndsWord = false
    static let slashAfterNewline = false
    static let endTakesWhite = true

    @inline(__always)
    static func pieceEnd(_ text: PieceText, _ at: Int) -> Int {
        let contraction = text.contraction(at, anyCase: false)
        if contraction > 0 { return at &+ contraction }
        let first = text.character(at)
        if !CharacterClass.isSpace(first.kind) { return runEnd(text, at &+ first.length, first.kind) }
        if first.kind == CharacterClass.blank {
            let second = text.character(at &+ 1)
            if second.kind != CharacterClass.end, !CharacterClass.isSpace(second.kind) {
                return runEnd(text, at &+ 1, second.kind)
            }
        }
        return text.whiteEnd(at, cutsAfterNewline: false, endTakesAll: true)
    }

    /// Letters, numbers, or symbols with marks.
    @inline(__always)
    private static func runEnd(_ text: PieceText, _ from: Int, _ kind: UInt8) -> Int {
        let wanted = group(kind)
        var at = from
        while true {
            let next = text.character(at)
            guard group(next.kind) == wanted else { return at }
            at &+= next.length
        }
    }

    @inline(__always)
    private static func group(_ kind: UInt8) -> UInt8 {
        if CharacterClass.isLetter(kind) { return 1 }
        if CharacterClass.isSymbol(kind) { return 2 }
        return kind == CharacterClass.number ? 3 : 4
    }
}
