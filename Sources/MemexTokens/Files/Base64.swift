internal import MemexModel

/// Base64 as files of tokens have it, padded.
enum Base64 {
    /// Appends what a text stands for; false when it is not Base64.
    static func decode(_ text: ByteView, to bytes: inout ByteBuffer) -> Bool {
        guard text.count & 3 == 0 else { return false }
        var length = text.count
        while length > 0, text.count &- length < 2, text.byte(length &- 1) == 0x3D { length &-= 1 }
        var bits: UInt32 = 0
        var have: UInt32 = 0
        var at = 0
        while at < length {
            let digit = value(text.byte(at))
            guard digit < 64 else { return false }
            bits = bits &<< 6 | UInt32(digit)
            have &+= 6
            if have >= 8 {
                have &-= 8
                bytes.append(byte: UInt8(truncatingIfNeeded: bits &>> have))
                bits &= (1 &<< have) &- 1
            }
            at &+= 1
        }
        return bits == 0
    }

    /// The value of a character, 64 for one that has none.
    private static func value(_ character: UInt8) -> UInt8 {
        switch character {
        case 0x41...0x5A: return character &- 0x41
        case 0x61...0x7A: return character &- 0x61 &+ 26
        case 0x30...0x39: return character &- 0x30 &+ 52
        case 0x2B: return 62
        case 0x2F: return 63
        default: return 64
        }
    }
}
