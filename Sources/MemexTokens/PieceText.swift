/// A text that is being split: its bytes, and how far behind them may be read.
struct PieceText {
    let base: UnsafePointer<UInt8>
    let count: Int
    /// At least `count`; bytes from there on are not ours.
    let readable: Int
    let characters: CharacterTable

    /// A character: its class and its bytes. Whatever is no well-formed UTF-8 is a symbol of one byte.
    struct Character {
        let kind: UInt8
        let length: Int
    }

    @inline(__always)
    func character(_ at: Int) -> Character {
        guard at < count else { return Character(kind: CharacterClass.end, length: 0) }
        let lead = base[at]
        if lead < 0x80 { return Character(kind: characters.kind(UInt32(lead)), length: 1) }
        return foreign(at, lead)
    }

    @inline(__always)
    private func foreign(_ at: Int, _ lead: UInt8) -> Character {
        let bad = Character(kind: CharacterClass.symbol, length: 1)
        let left = count &- at
        guard left > 1, lead >= 0xC2, isContinuation(at &+ 1) else { return bad }
        let low1 = UInt32(base[at &+ 1] & 0x3F)
        if lead < 0xE0 {
            return Character(kind: characters.kind(UInt32(lead & 0x1F) &<< 6 | low1), length: 2)
        }
        guard left > 2, isContinuation(at &+ 2) else { return bad }
        let low2 = low1 &<< 6 | UInt32(base[at &+ 2] & 0x3F)
        if lead < 0xF0 {
            let code = UInt32(lead & 0xF) &<< 12 | low2
            guard code >= 0x800, code &- 0xD800 >= 0x800 else { return bad }
            return Character(kind: characters.kind(code), length: 3)
        }
        guard left > 3, lead < 0xF5, isContinuation(at &+ 3) else { return bad }
        let code = UInt32(lead & 7) &<< 18 | low2 &<< 6 | UInt32(base[at &+ 3] & 0x3F)
        guard code &- 0x1_0000 < 0x10_0000 else { return bad }
        return Character(kind: characters.kind(code), length: 4)
    }

    @inline(__always)
    private func isContinuation(_ at: Int) -> Bool { base[at] & 0xC0 == 0x80 }

    /// Bytes of a contraction ('s, 't, 'm, 'd, 're, 've, 'll) that begins at an apostrophe, 0 when there is none.
    /// Without case, U+017F folds to s, too; no other character folds to one of these letters.
    @inline(__always)
    func contraction(_ at: Int, anyCase: Bool) -> Int {
        let left = count &- at
        guard left > 1, base[at] == 0x27 else { return 0 }
        let fold: UInt8 = anyCase ? 0x20 : 0
        let first = base[at &+ 1]
        switch first | fold {
        case 0x73, 0x74, 0x6D, 0x64: return 2
        case 0x72, 0x76: return left > 2 && base[at &+ 2] | fold == 0x65 ? 3 : 0
        case 0x6C: return left > 2 && base[at &+ 2] | fold == 0x6C ? 3 : 0
        default: return anyCase && first == 0xC5 && left > 2 && base[at &+ 2] == 0xBF ? 3 : 0
        }
    }

    /// The end of a run of numbers of at most `limit` characters, the first of which is one.
    @inline(__always)
    func numberEnd(_ from: Int, _ limit: Int) -> Int {
        var at = from
        var left = limit
        while left > 0 {
            let next = character(at)
            guard next.kind == CharacterClass.number else { break }
            at &+= next.length
            left &-= 1
        }
        return at
    }

    /// The end of a run of white space that begins with a character of `first` bytes: after the last newline
    /// when `cutsAfterNewline` and there is one, else before the last character, unless the text ends here
    /// or it is the only one.
    @inline(__always)
    func whiteEnd(_ from: Int, cutsAfterNewline: Bool, endTakesAll: Bool) -> Int {
        var at = from
        var last = from
        var newlineEnd = 0
        while true {
            let next = character(at)
            guard CharacterClass.isSpace(next.kind) else { break }
            last = at
            at &+= next.length
            if next.kind == CharacterClass.newline { newlineEnd = at }
        }
        if endTakesAll, at >= count { return at }
        if cutsAfterNewline, newlineEnd > 0 { return newlineEnd }
        return at >= count || last == from ? at : last
    }
}
