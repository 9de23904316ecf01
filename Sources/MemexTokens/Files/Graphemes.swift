internal import MemexModel

/// Extended grapheme clusters, as far as clusters of less than six bytes need them: neither flags nor emoji
/// that are joined are that short.
enum Graphemes {
    /// The end of the cluster at a place before the end of a text.
    static func end(_ text: ByteView, _ from: Int) -> Int {
        let table = UnicodeTable.shared
        var (code, length) = CodePoints.read(text, from)
        var at = from &+ length
        if code < 0x80, text.byte(at) < 0x80 { return code == 0x0D && text.byte(at) == 0x0A ? at &+ 1 : at }
        if code == 0x0D, text.byte(at) == 0x0A { return at &+ 1 }
        if table.flags(code) & UnicodeTable.control != 0 { return at }
        while at < text.count {
            let next = CodePoints.read(text, at)
            let flags = table.flags(next.code)
            if flags & UnicodeTable.extends == 0 {
                let joins =
                    table.flags(code) & UnicodeTable.prepends != 0 && flags & UnicodeTable.control == 0
                    || syllableGoesOn(code, next.code)
                if !joins { return at }
            }
            (code, length) = next
            at &+= length
        }
        return at
    }

    private enum Jamo {
        case lead
        case vowel
        case tail
        case openSyllable
        case closedSyllable
        case none
    }

    private static func jamo(_ code: UInt32) -> Jamo {
        switch code {
        case 0x1100...0x115F, 0xA960...0xA97C: return .lead
        case 0x1160...0x11A7, 0xD7B0...0xD7C6: return .vowel
        case 0x11A8...0x11FF, 0xD7CB...0xD7FB: return .tail
        case 0xAC00...0xD7A3: return (code &- 0xAC00) % 28 == 0 ? .openSyllable : .closedSyllable
        default: return .none
        }
    }

    private static func syllableGoesOn(_ first: UInt32, _ second: UInt32) -> Bool {
        if first < 0x1100 || second < 0x1100 { return false }
        switch (jamo(first), jamo(second)) {
        case (.lead, .lead), (.lead, .vowel), (.lead, .openSyllable), (.lead, .closedSyllable),
            (.openSyllable, .vowel), (.openSyllable, .tail), (.vowel, .vowel), (.vowel, .tail),
            (.closedSyllable, .tail), (.tail, .tail):
            return true
        default: return false
        }
    }
}
