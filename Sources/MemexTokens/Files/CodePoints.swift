internal import MemexModel

/// Reading and writing characters of text that may hold bytes which are no UTF-8.
enum CodePoints {
    /// A byte that is no UTF-8 reads as this and its value, so that it can be written again.
    static let foreign: UInt32 = 0x11_0000

    /// The character at a place before the end of a text, and its bytes.
    @inline(__always)
    static func read(_ text: ByteView, _ at: Int) -> (code: UInt32, length: Int) {
        let lead = text.byte(at)
        return lead < 0x80 ? (UInt32(lead), 1) : readLong(text, at, lead)
    }

    private static func readLong(_ text: ByteView, _ at: Int, _ lead: UInt8) -> (code: UInt32, length: Int) {
        let bad = (foreign | UInt32(lead), 1)
        func next(_ step: Int) -> UInt32? {
            let byte = text.byte(at &+ step)
            return byte & 0xC0 == 0x80 ? UInt32(byte & 0x3F) : nil
        }
        guard lead >= 0xC2, lead < 0xF5, let first = next(1) else { return bad }
        if lead < 0xE0 { return (UInt32(lead & 0x1F) &<< 6 | first, 2) }
        guard let second = next(2) else { return bad }
        if lead < 0xF0 {
            let code = UInt32(lead & 0xF) &<< 12 | first &<< 6 | second
            return code >= 0x800 && code &- 0xD800 >= 0x800 ? (code, 3) : bad
        }
        guard let third = next(3) else { return bad }
        let code = UInt32(lead & 7) &<< 18 | first &<< 12 | second &<< 6 | third
        return code &- 0x1_0000 < 0x10_0000 ? (code, 4) : bad
    }

    @inline(__always)
    static func append(_ code: UInt32, to text: inout ByteBuffer) {
        func tail(_ shift: UInt32) -> UInt8 { UInt8(truncatingIfNeeded: code &>> shift) & 0x3F | 0x80 }
        if code < 0x80 || code >= foreign {
            text.append(byte: UInt8(truncatingIfNeeded: code))
        } else if code < 0x800 {
            text.append(byte: UInt8(truncatingIfNeeded: code &>> 6) | 0xC0)
            text.append(byte: tail(0))
        } else if code < 0x1_0000 {
            text.append(byte: UInt8(truncatingIfNeeded: code &>> 12) | 0xE0)
            text.append(byte: tail(6))
            text.append(byte: tail(0))
        } else {
            text.append(byte: UInt8(truncatingIfNeeded: code &>> 18) | 0xF0)
            text.append(byte: tail(12))
            text.append(byte: tail(6))
            text.append(byte: tail(0))
        }
    }

    /// White space as `\s` has it.
    @inline(__always)
    static func isSpace(_ code: UInt32) -> Bool {
        code < foreign && CharacterClass.isSpace(CharacterTable.shared.kind(code))
    }

    @inline(__always)
    static func isNumber(_ code: UInt32) -> Bool {
        code < foreign && CharacterTable.shared.kind(code) == CharacterClass.number
    }
}
