import Foundation
import MemexConformance
import MemexModel
import MemexTestSupport

@testable import MemexTokens

/// The tokenizers as arrays and strings.
struct TokenizerUnderTest {
    let tokenizer: any TextTokenizer

    init(_ tokenizer: any TextTokenizer) { self.tokenizer = tokenizer }

    init(_ encoding: BuiltInEncoding) throws {
        guard let found = BytePairTokenizer(encoding) else { throw Broken() }
        tokenizer = found
    }

    struct Broken: Error {}

    func count(_ bytes: [UInt8], special: SpecialTokenPolicy = .asText) throws -> Int {
        try bytes.withUnsafeBufferPointer { try tokenizer.count($0, special: special) }
    }

    func count(batch texts: [[UInt8]]) throws -> [Int] {
        var arena: [UInt8] = []
        var counts = [Int](repeating: -7, count: texts.count)
        for text in texts { arena += text }
        try arena.withUnsafeBufferPointer { all in
            var from = 0
            let views = texts.map { text -> ByteView in
                defer { from += text.count }
                return all.slice(from, text.count)
            }
            try views.withUnsafeBufferPointer { views in
                try counts.withUnsafeMutableBufferPointer { out in
                    guard let base = out.baseAddress else { return }
                    try tokenizer.count(batch: views, special: .asText, to: base)
                }
            }
        }
        return counts
    }

    func encode(_ bytes: [UInt8], special: SpecialTokenPolicy = .asText) throws -> [UInt32] {
        var ids = ByteBuffer()
        try bytes.withUnsafeBufferPointer { try tokenizer.encode($0, special: special, to: &ids) }
        return ids.view.withMemoryRebound(to: UInt8.self) { raw in
            stride(from: 0, to: raw.count, by: 4).map { at in
                (0..<4).reduce(0) { $0 | UInt32(raw[at + $1]) << UInt32($1 * 8) }
            }
        }
    }

    func decode(_ ids: [UInt32]) throws -> [UInt8] {
        var text = ByteBuffer()
        try ids.withUnsafeBufferPointer { try tokenizer.decode($0, to: &text) }
        return Array(text.view)
    }
}

/// Texts of all kinds, the same for the same seed.
struct TextGenerator {
    private var source: SeededGenerator

    init(seed: UInt64) { source = SeededGenerator(seed: seed) }

    private static let classes: [Character] = Array(
        "aAzZ09 \t\n\r.,'!\"/-_=\u{e9}\u{c9}\u{301}\u{4e2d}\u{3042}\u{410}\u{430}\u{5d0}\u{1f600}\u{200d}\u{660}"
            + "\u{2167}\u{a0}\u{2003}\u{2028}\u{85}\u{17f}\u{1c5}\u{2b0}\u{feff}\u{0}\u{b}\u{c}\u{1c}\u{e33}\u{ac00}"
            + "    aaabcdeABC'''\n\n//")
    private static let fragments = [
        "'s", "'T", "'re", "'VE", "'ll", "'d", "'m", "'\u{17f}", "'", "''", " ", "  ", "\n", "\r\n", "\n\n",
        "/",
        "//", ";\n", "\t", "don", "It", "XML", "a", "B", "1", "22", "333", "4444", "(", "{ ", "});", "\n    ",
        "    \n", "\u{3000}", "na\u{ef}ve", "foo_bar", "camelCase", "...", "!!", "<|endoftext|>", "<|",
    ]

    mutating func below(_ limit: Int) -> Int { source.below(limit) }

    /// ASCII of the kinds that windows tell apart.
    mutating func ascii(_ length: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < length {
            if below(3) == 0 {
                bytes += Array(Self.fragments[below(Self.fragments.count)].utf8).filter { $0 < 0x80 }
            } else {
                bytes += [UInt8](repeating: UInt8(1 + below(127)), count: 1 + below(3))
            }
        }
        return bytes
    }

    mutating func text(_ length: Int) -> [UInt8] {
        switch below(5) {
        case 0:
            return (0..<length).flatMap { _ in Array(String(Self.classes[below(Self.classes.count)]).utf8) }
        case 1: return (0..<length).flatMap { _ in Array(Self.fragments[below(Self.fragments.count)].utf8) }
        case 2: return ascii(length)
        case 3: return (0..<length).map { _ in UInt8(below(256)) }
        default:
            let scalars = (0..<length).compactMap { _ in Unicode.Scalar(UInt32(below(0x11_0000))) }
            return scalars.flatMap { Array(String(Character($0)).utf8) }
        }
    }
}
