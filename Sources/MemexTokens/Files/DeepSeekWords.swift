internal import MemexModel

/// The words of DeepSeek V3:
///
/// ```
/// [!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+
/// [^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+
///  ?[\p{P}\p{S}]+[\r\n]*
/// \s*[\r\n]+
/// \s+(?!\S)
/// \s+
/// ```
///
/// Numbers and controls that no word takes are left over.
enum DeepSeekWords {
    /// The end of the match at a place, the place itself when there is none.
    static func end(_ text: PieceText, _ view: ByteView, _ at: Int) -> Int {
        let first = text.character(at)
        let next = at &+ first.length
        let lead = view.byte(at)
        if isMark(lead), isLetter(view.byte(next)) {
            var end = next
            while end < view.count, isLetter(view.byte(end)) { end &+= 1 }
            return end
        }
        if CharacterClass.isWord(first.kind) {
            let end = wordEnd(text, at)
            return end
        }
        let isSymbol = isSymbol(view, at)
        if first.kind != CharacterClass.newline, !isSymbol, CharacterClass.isWord(text.character(next).kind) {
            return wordEnd(text, next)
        }
        if isSymbol { return symbolsEnd(view, at) }
        if lead == 0x20, next < view.count, Self.isSymbol(view, next) { return symbolsEnd(view, next) }
        guard CharacterClass.isSpace(first.kind) else { return at }
        return text.whiteEnd(at, cutsAfterNewline: true, endTakesAll: false)
    }

    private static func isMark(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7F && !isLetter(byte) && byte &- 0x30 > 9
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }

    private static func isSymbol(_ view: ByteView, _ at: Int) -> Bool {
        UnicodeTable.shared.flags(CodePoints.read(view, at).code) & UnicodeTable.symbol != 0
    }

    private static func wordEnd(_ text: PieceText, _ from: Int) -> Int {
        var at = from
        while true {
            let next = text.character(at)
            guard CharacterClass.isWord(next.kind) else { return at }
            at &+= next.length
        }
    }

    private static func symbolsEnd(_ view: ByteView, _ from: Int) -> Int {
        var at = from
        while at < view.count, isSymbol(view, at) { at &+= CodePoints.read(view, at).length }
        while at < view.count, view.byte(at) == 0x0A || view.byte(at) == 0x0D { at &+= 1 }
        return at
    }
}
