internal import CMemexVocabularies

/// The class of every code point of Unicode 16.0, as tiktoken's regular expressions see it: a byte for each
/// block of 128 code points, then half a byte for each code point of the distinct blocks.
struct CharacterTable: @unchecked Sendable {
    private let index: UnsafePointer<UInt8>
    private let blocks: UnsafePointer<UInt8>

    static let shared = CharacterTable(memex_character_table())

    private init(_ base: UnsafePointer<UInt8>) {
        index = base
        blocks = base + 0x11_0000 / 128
    }

    /// The class of a code point below 0x110000.
    @inline(__always)
    func kind(_ code: UInt32) -> UInt8 {
        let block = Int(index[Int(code &>> 7)])
        let pair = blocks[block &* 64 &+ Int((code & 127) &>> 1)]
        return code & 1 == 0 ? pair & 0xF : pair &>> 4
    }
}
