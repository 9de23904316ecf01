internal import MemexModel

/// Bytes behind base64, decoded where they are asked for. Both alphabets; what is neither reads as zero.
struct Base64Bytes {
    private let text: ByteView

    init(_ text: ByteView) { self.text = text }

    /// Whole bytes.
    var count: Int {
        var length = text.count
        while length > 0, text[length &- 1] == 0x3D { length &-= 1 }
        return length / 4 &* 3 &+ (length & 3) &* 3 / 4
    }

    /// The byte at an offset, -1 behind the end.
    func byte(_ at: Int) -> Int {
        guard at >= 0, at < count else { return -1 }
        let first = at / 3 &* 4
        switch at % 3 {
        case 0: return value(first) &<< 2 & 0xFF | value(first &+ 1) &>> 4
        case 1: return value(first &+ 1) &<< 4 & 0xFF | value(first &+ 2) &>> 2
        default: return value(first &+ 2) &<< 6 & 0xFF | value(first &+ 3)
        }
    }

    /// A number of `length` bytes, the most significant first; -1 when the end comes before.
    func big(_ at: Int, _ length: Int) -> Int { number(at, length, step: 1) }

    /// A number of `length` bytes, the least significant first; -1 when the end comes before.
    func little(_ at: Int, _ length: Int) -> Int { number(at &+ length &- 1, length, step: -1) }

    private func number(_ from: Int, _ length: Int, step: Int) -> Int {
        var value = 0
        var at = from
        var left = length
        while left > 0 {
            let byte = byte(at)
            if byte < 0 { return -1 }
            value = value &<< 8 | byte
            at &+= step
            left &-= 1
        }
        return value
    }

    /// Whether these characters stand at an offset.
    func has(_ characters: StaticString, at offset: Int) -> Bool {
        var expected = ByteBuffer()
        expected.append(characters)
        let view = expected.view
        var index = 0
        while index < view.count {
            if byte(offset &+ index) != Int(view[index]) { return false }
            index &+= 1
        }
        return view.count > 0
    }

    private func value(_ at: Int) -> Int {
        guard at < text.count else { return 0 }
        let letter = text[at]
        switch letter {
        case 0x41...0x5A: return Int(letter) &- 0x41
        case 0x61...0x7A: return Int(letter) &- 0x61 &+ 26
        case 0x30...0x39: return Int(letter) &- 0x30 &+ 52
        case 0x2B, 0x2D: return 62
        case 0x2F, 0x5F: return 63
        default: return 0
        }
    }
}
