internal import MemexModel

/// The characters with which byte-level vocabularies write bytes: printable ones of Latin-1 themselves, the
/// others from U+0100 on.
enum ByteAlphabet {
    /// Appends the bytes that a token's characters stand for; false, and nothing, when one stands for none.
    static func decode(_ token: ByteView, to bytes: inout ByteBuffer) -> Bool {
        let before = bytes.count
        var at = 0
        while at < token.count {
            let (code, length) = CodePoints.read(token, at)
            guard let byte = byte(code) else {
                bytes.truncate(before)
                return false
            }
            bytes.append(byte: byte)
            at &+= length
        }
        return true
    }

    private static func byte(_ code: UInt32) -> UInt8? {
        switch code {
        case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: return UInt8(truncatingIfNeeded: code)
        case 0x100...0x120: return UInt8(truncatingIfNeeded: code &- 0x100)
        case 0x121...0x142: return UInt8(truncatingIfNeeded: code &- 0x121 &+ 0x7F)
        case 0x143: return 0xAD
        default: return nil
        }
    }
}
