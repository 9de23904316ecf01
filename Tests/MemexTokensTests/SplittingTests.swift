import MemexModel
import MemexTestSupport
import Testing

@testable import MemexTokens

#if canImport(Glibc)
    import Glibc
#endif

@Suite struct SplittingTests {
    /// Notes where pieces begin.
    private struct Recorder: PieceSink, ~Copyable {
        var lengths: [Int] = []

        mutating func piece(_ at: UnsafePointer<UInt8>, _ length: Int, padded: Bool) {
            lengths.append(length)
        }

        mutating func pieces(_ bytes: UnsafePointer<UInt8>, starts: UInt64, limit: Int) {
            var edges = (0..<limit).filter { starts >> UInt64($0) & 1 != 0 } + [limit]
            #expect(edges.removeFirst() == 0)
            var before = 0
            for edge in edges {
                lengths.append(edge - before)
                before = edge
            }
        }
    }

    private func compare<Rules: SplitRules>(_ bytes: [UInt8], _: Rules.Type) {
        bytes.withUnsafeBufferPointer { text in
            guard let base = text.baseAddress else { return }
            var recorder = Recorder()
            PieceWalker<Rules>.walk(base, text.count, .shared, into: &recorder)
            let plain = PieceText(base: base, count: text.count, readable: text.count, characters: .shared)
            var expected: [Int] = []
            var at = 0
            while at < text.count {
                let end = Rules.pieceEnd(plain, at)
                guard end > at, end <= text.count else {
                    Issue.record("a piece of \(end - at) bytes")
                    return
                }
                expected.append(end - at)
                at = end
            }
            #expect(recorder.lengths == expected, "\(String(decoding: text, as: UTF8.self).debugDescription)")
        }
    }

    @Test func windowsSplitAsTheRules() {
        var generator = TextGenerator(seed: 21)
        for round in 0..<6_000 {
            let length = 1 + generator.below(round % 7 == 0 ? 300 : 70)
            let text = round % 3 == 0 ? generator.text(length) : generator.ascii(length)
            compare(text, O200KRules.self)
            compare(text, CL100KRules.self)
            compare(text, P50KRules.self)
        }
    }

    private func pieces(_ text: String, _ pattern: SplitPattern) -> [String] {
        var recorder = Recorder()
        let bytes = Array(text.utf8)
        bytes.withUnsafeBufferPointer { view in
            guard let base = view.baseAddress else { return }
            pattern.walk(base, view.count, into: &recorder)
        }
        var from = 0
        return recorder.lengths.map { length in
            defer { from += length }
            return String(decoding: bytes[from..<from + length], as: UTF8.self)
        }
    }

    @Test func splitsAsThePatternsSay() {
        #expect(pieces("don't stop", .o200k) == ["don't", " stop"])
        #expect(pieces("don't stop", .cl100k) == ["don", "'t", " stop"])
        #expect(pieces("don't's", .o200k) == ["don't", "'s"])
        #expect(pieces("DON'T", .p50k) == ["DON", "'", "T"])
        #expect(pieces("helloWorld XMLHttp", .o200k) == ["hello", "World", " XMLHttp"])
        #expect(pieces("helloWorld", .cl100k) == ["helloWorld"])
        #expect(pieces("it'\u{17f} 1234", .o200k) == ["it'\u{17f}", " ", "123", "4"])
        #expect(pieces("f();\n\n    x", .o200k) == ["f", "();\n\n", "   ", " x"])
        #expect(pieces(";\n//x", .o200k) == [";\n//", "x"])
        #expect(pieces(";\n//x", .cl100k) == [";\n", "//", "x"])
        #expect(pieces("a \n  \n ", .o200k) == ["a", " \n  \n", " "])
        #expect(pieces("a \n  \n ", .cl100k) == ["a", " \n  \n "])
        #expect(pieces("a  \u{3000}b", .o200k) == ["a", "  ", "\u{3000}b"])
        #expect(pieces("e\u{301}e", .o200k) == ["e\u{301}e"])
        #expect(pieces("e\u{301}e", .cl100k) == ["e", "\u{301}e"])
    }

    /// Every tail of a text right before memory that nobody may read.
    @Test func nothingBehindTheTextIsRead() throws {
        let page = 4_096
        let mapped = mmap(nil, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        let base = try #require(mapped)
        #expect(base != MAP_FAILED)
        #expect(mprotect(base + page, page, PROT_NONE) == 0)
        defer { munmap(base, 2 * page) }
        var generator = TextGenerator(seed: 22)
        for encoding in BuiltInEncoding.allCases {
            let tokenizer = try #require(BytePairTokenizer(encoding))
            for length in 0..<200 {
                let text = Array(generator.text(200).prefix(length))
                let at = (base + (page - text.count)).assumingMemoryBound(to: UInt8.self)
                at.update(from: text, count: text.count)
                let view = ByteView(start: at, count: text.count)
                var ids = ByteBuffer()
                try tokenizer.encode(view, special: .asTokens, to: &ids)
                #expect(try tokenizer.count(view, special: .asTokens) == ids.count / 4)
            }
        }
    }

    @Test func classesAreThoseOfUnicode16() {
        let table = CharacterTable.shared
        var sizes = [Int](repeating: 0, count: 16)
        for code in UInt32(0)..<0x11_0000 { sizes[Int(table.kind(code))] += 1 }
        #expect(sizes[Int(CharacterClass.white)] == 22)
        #expect(sizes[Int(CharacterClass.blank)] == 1)
        #expect(sizes[Int(CharacterClass.newline)] == 2)
        #expect(sizes[Int(CharacterClass.number)] == 1_911)
        #expect(sizes[Int(CharacterClass.mark)] == 2_501)
        #expect(sizes[Int(CharacterClass.caseless)] == 136_881)
        #expect(sizes[Int(CharacterClass.upper)] == 1_889)
        #expect(sizes[Int(CharacterClass.lower)] == 2_258)
        #expect(table.kind(0x295) == CharacterClass.lower)
        #expect(table.kind(0x200B) == CharacterClass.symbol)
    }
}
