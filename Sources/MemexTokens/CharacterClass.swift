/// What the splitting patterns distinguish. The raw values are those of the generated table, and their order
/// matters: everything from `mark` on can be part of a word of o200k, from `caseless` on is a letter.
enum CharacterClass {
    static let symbol: UInt8 = 0
    /// White space that is neither U+0020 nor a newline.
    static let white: UInt8 = 1
    static let blank: UInt8 = 2
    /// CR and LF.
    static let newline: UInt8 = 3
    static let number: UInt8 = 4
    static let mark: UInt8 = 5
    static let caseless: UInt8 = 6
    /// Lu and Lt.
    static let upper: UInt8 = 7
    static let lower: UInt8 = 8
    /// After the last character.
    static let end: UInt8 = 15

    @inline(__always) static func isLetter(_ kind: UInt8) -> Bool { kind &- caseless <= 2 }
    @inline(__always) static func isWord(_ kind: UInt8) -> Bool { kind &- mark <= 3 }
    @inline(__always) static func isSpace(_ kind: UInt8) -> Bool { kind &- white <= 2 }
    /// Matches `[^\s\p{L}\p{N}]`.
    @inline(__always) static func isSymbol(_ kind: UInt8) -> Bool { kind == symbol || kind == mark }
}
