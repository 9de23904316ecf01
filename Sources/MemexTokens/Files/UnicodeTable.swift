internal import CMemexVocabularies

/// What tokenizer files need to know about characters, as the tokenizers library answers it.
///
/// | section | entries |
/// |---|---|
/// | 0 | 2 bytes for each block of 128 code points, then the distinct blocks: a byte of flags for each character |
/// | 1, 2, 3 | characters with a decomposition; their canonical one, their compatible one: place `<< 8` and length |
/// | 4 | what the places mean: characters |
/// | 5 | characters with a combining class: character `<< 8` and class |
/// | 6, 7 | pairs that compose: first `<< 32` and second; the character they make |
/// | 8 | characters and their small forms |
struct UnicodeTable: @unchecked Sendable {
    static let word: UInt8 = 1
    static let punctuation: UInt8 = 2
    /// `[\p{P}\p{S}]`.
    static let symbol: UInt8 = 4
    static let mark: UInt8 = 8
    /// Goes on with the grapheme cluster before it.
    static let extends: UInt8 = 16
    /// Takes the character after it into its cluster.
    static let prepends: UInt8 = 32
    /// Is a cluster of its own.
    static let control: UInt8 = 64
    /// Plays a part in some normal form.
    static let normalized: UInt8 = 128

    static let shared = UnicodeTable(memex_unicode_table())

    private let base: UnsafeRawPointer
    private let blocks: UnsafeRawPointer

    private init(_ base: UnsafePointer<UInt8>) {
        self.base = UnsafeRawPointer(base)
        let start = self.base + Int(self.base.load(as: UInt32.self))
        index = start.assumingMemoryBound(to: UInt16.self)
        blocks = start + 2 &* (0x11_0000 / 128)
    }

    private let index: UnsafePointer<UInt16>

    /// The flags of a character, 0 for a byte that is none.
    @inline(__always)
    func flags(_ code: UInt32) -> UInt8 {
        guard code < 0x11_0000 else { return 0 }
        let block = Int(index[Int(code &>> 7)])
        return blocks.load(fromByteOffset: block &* 128 &+ Int(code & 127), as: UInt8.self)
    }

    private func count(_ section: Int) -> Int {
        Int(base.load(fromByteOffset: section &* 8 &+ 4, as: UInt32.self))
    }

    private func section<T>(_ number: Int, _: T.Type) -> UnsafePointer<T> {
        let offset = Int(base.load(fromByteOffset: number &* 8, as: UInt32.self))
        return (base + offset).assumingMemoryBound(to: T.self)
    }

    /// Where a value is or would be in a sorted section.
    private func find<T: UnsignedInteger & FixedWidthInteger>(_ number: Int, _ value: T, stride: Int = 1)
        -> Int
    {
        let values = section(number, T.self)
        var low = 0
        var high = count(number)
        while low < high {
            let middle = (low &+ high) &>> 1
            if values[middle &* stride] < value { low = middle &+ 1 } else { high = middle }
        }
        return low
    }

    /// The characters that a character decomposes into; nil for none.
    func decomposition(_ code: UInt32, compatible: Bool) -> UnsafeBufferPointer<UInt32>? {
        let at = find(1, code)
        guard at < count(1), section(1, UInt32.self)[at] == code else { return nil }
        let place = section(compatible ? 3 : 2, UInt32.self)[at]
        guard place != 0 else { return nil }
        return UnsafeBufferPointer(
            start: section(4, UInt32.self) + Int(place &>> 8), count: Int(place & 255))
    }

    /// 0 for characters that stay where they are.
    func combiningClass(_ code: UInt32) -> UInt32 {
        let at = find(5, code &<< 8)
        guard at < count(5) else { return 0 }
        let found = section(5, UInt32.self)[at]
        return found &>> 8 == code ? found & 255 : 0
    }

    /// What two characters compose to, Hangul aside; nil when they do not.
    func composition(_ first: UInt32, _ second: UInt32) -> UInt32? {
        let key = UInt64(first) &<< 32 | UInt64(second)
        let at = find(6, key)
        guard at < count(6), section(6, UInt64.self)[at] == key else { return nil }
        return section(7, UInt32.self)[at]
    }

    /// The small form of a character; U+0130, which has two characters, is not changed.
    func lowercase(_ code: UInt32) -> UInt32 {
        if code < 0x80 { return code &- 0x41 < 26 ? code | 0x20 : code }
        let at = find(8, code, stride: 2)
        guard at < count(8) else { return code }
        let entry = section(8, UInt32.self) + at &* 2
        return entry[0] == code ? entry[1] : code
    }
}
