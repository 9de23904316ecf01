package import MemexModel

/// The tokens of a `.tiktoken` file: a line for each, its bytes in Base64, a blank, its rank.
package enum RankFile {
    /// The tokens by rank; a rank that is not in the file is empty.
    package static func parse(_ text: ByteView) throws(MemexError) -> [[UInt8]] {
        var tokens: [[UInt8]] = []
        var line = 0
        var at = 0
        while at < text.count {
            line += 1
            var end = at
            while end < text.count, text[end] != 0x0A { end += 1 }
            if end > at { try add(text, at, end, line, to: &tokens) }
            at = end + 1
        }
        return tokens
    }

    private static func add(
        _ text: ByteView, _ from: Int, _ end: Int, _ line: Int, to tokens: inout [[UInt8]]
    ) throws(MemexError) {
        func wrong(_ what: String) -> MemexError {
            MemexError(.invalid, "line \(line) of the rank file \(what)", detailMembers: "\"line\":\(line)")
        }
        var at = from
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var have = 0
        while at < end, text[at] != 0x20 {
            let digit = value(text[at])
            if digit < 64 {
                bits = bits << 6 | UInt32(digit)
                have += 6
                if have >= 8 {
                    have -= 8
                    bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(have)))
                    bits &= (1 << UInt32(have)) - 1
                }
            } else if text[at] != 0x3D {
                throw wrong("has a character that is not Base64")
            }
            at += 1
        }
        at += 1
        var rank = 0
        guard at < end, !bytes.isEmpty else { throw wrong("is not a token and a rank") }
        while at < end, text[at] != 0x0D {
            let digit = Int(text[at]) - 0x30
            guard digit >= 0, digit <= 9, rank < VocabularyImage.idLimit else {
                throw wrong("has a rank that is not a number below 1048576")
            }
            rank = rank * 10 + digit
            at += 1
        }
        guard rank < VocabularyImage.idLimit - 1 else {
            throw wrong("has a rank that is not a number below 1048576")
        }
        while tokens.count <= rank { tokens.append([]) }
        guard tokens[rank].isEmpty else { throw wrong("repeats a rank") }
        tokens[rank] = bytes
    }

    /// The value of a Base64 character, 64 for any other.
    private static func value(_ character: UInt8) -> UInt8 {
        switch character {
        case 0x41...0x5A: return character - 0x41
        case 0x61...0x7A: return character - 0x61 + 26
        case 0x30...0x39: return character - 0x30 + 52
        case 0x2B: return 62
        case 0x2F: return 63
        default: return 64
        }
    }
}
