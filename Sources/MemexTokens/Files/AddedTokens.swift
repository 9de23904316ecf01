internal import MemexModel

/// The tokens that a file adds to its vocabulary, which are found in a text before it is normalized, or after.
struct AddedTokens: ~Copyable {
    struct Flags: BitwiseCopyable {
        var id: UInt32 = 0
        var isSpecial = false
        var isWord = false
        var takesLeft = false
        var takesRight = false
    }

    /// What to look for; the flags have the same places.
    private let patterns: TokenTable
    private let flags: HeapArray<Flags>
    private let index: PrefixIndex
    private let onlySpecial: Bool

    static func make(
        _ patterns: consuming TokenTable, _ flags: consuming HeapArray<Flags>
    ) throws(MemexError) -> AddedTokens {
        let index = PrefixIndex(patterns)
        if index.failed || flags.failed || patterns.failed { throw MemexError.noMemory }
        var at = 0
        var onlySpecial = true
        while at < flags.count {
            if !flags[at].isSpecial { onlySpecial = false }
            at &+= 1
        }
        return AddedTokens(patterns: patterns, flags: flags, index: index, onlySpecial: onlySpecial)
    }

    struct Match {
        let start: Int
        let end: Int
        let id: UInt32
    }

    /// Where a search goes on: what comes next, and where text begins that no token took.
    struct Position {
        var at = 0
        var free = 0
    }

    func isIdle(_ policy: SpecialTokenPolicy) -> Bool {
        if patterns.tokens == 0 { return true }
        guard case .asText = policy else { return false }
        return onlySpecial
    }

    /// The next token, the longest of those that begin first. One that is passed over, because it is
    /// special and not wanted or no word of its own, covers what it overlaps all the same.
    func next(
        in text: ByteView, _ policy: SpecialTokenPolicy, _ position: inout Position
    ) -> Match? {
        while position.at < text.count {
            let start = position.at
            guard index.mayBegin(text.byte(start)) else {
                position.at = start &+ 1
                continue
            }
            var found = -1
            var end = start
            index.forEach(text, at: start, patterns) { pattern, length in
                found = pattern
                end = start &+ length
            }
            guard found >= 0 else {
                position.at = start &+ 1
                continue
            }
            position.at = end
            let token = flags[found]
            if token.isSpecial, case .asText = policy { continue }
            if token.isWord, Self.isWord(text, before: start) || Self.isWord(text, at: end) { continue }
            let from = token.takesLeft ? max(Self.spaceBegins(text, start), position.free) : start
            let after = token.takesRight ? Self.spaceEnds(text, end) : end
            return Match(start: from, end: after, id: token.id)
        }
        return nil
    }

    private static func isWord(_ text: ByteView, at place: Int) -> Bool {
        guard place < text.count else { return false }
        return UnicodeTable.shared.flags(CodePoints.read(text, place).code) & UnicodeTable.word != 0
    }

    private static func isWord(_ text: ByteView, before place: Int) -> Bool {
        place > 0 && isWord(text, at: begin(text, place))
    }

    /// Where the character before a place begins.
    private static func begin(_ text: ByteView, _ place: Int) -> Int {
        var at = place &- 1
        while at > 0, place &- at < 4, text.byte(at) & 0xC0 == 0x80 { at &-= 1 }
        return at
    }

    private static func spaceBegins(_ text: ByteView, _ place: Int) -> Int {
        var at = place
        while at > 0 {
            let before = begin(text, at)
            let (code, length) = CodePoints.read(text, before)
            guard CodePoints.isSpace(code), before &+ length == at else { break }
            at = before
        }
        return at
    }

    private static func spaceEnds(_ text: ByteView, _ place: Int) -> Int {
        var at = place
        while at < text.count {
            let (code, length) = CodePoints.read(text, at)
            guard CodePoints.isSpace(code) else { break }
            at &+= length
        }
        return at
    }
}
