import MemexModel
import MemexTestSupport
import Testing

@testable import MemexTokens

@Suite struct NormalizerTests {
    private func normal(_ text: String, _ step: NormalizerStep) -> (text: String, cut: Bool) {
        var out = ByteBuffer()
        var cut = false
        let bytes = Array(text.utf8)
        let done = bytes.withUnsafeBufferPointer { step.append($0, to: &out, cut: &cut) }
        #expect(done)
        return (String(decoding: Array(out.view), as: UTF8.self), cut)
    }

    /// By scalars: Swift's own comparison would not see the difference.
    private func expect(_ text: String, _ step: NormalizerStep, _ expected: String) {
        let found = normal(text, step).text
        #expect(Array(found.unicodeScalars) == Array(expected.unicodeScalars), "\(text)")
    }

    @Test func normalFormsAreThoseOfUnicode() {
        expect("e\u{301}\u{327}", .form(.nfc), "\u{229}\u{301}")
        expect("\u{e9}\u{327}", .form(.nfd), "e\u{327}\u{301}")
        expect("\u{ac01}", .form(.nfd), "\u{1100}\u{1161}\u{11a8}")
        expect("\u{1100}\u{1161}\u{11a8}", .form(.nfc), "\u{ac01}")
        expect("\u{fb01}\u{2460}\u{ff21}", .form(.nfkc), "fi1A")
        expect("\u{fb01}\u{e9}", .form(.nfkd), "fie\u{301}")
        expect("\u{212b}", .form(.nfc), "\u{c5}")
        expect("\u{958}\u{344}", .form(.nfc), "\u{915}\u{93c}\u{308}\u{301}")
        expect("plain", .form(.nfkc), "plain")
    }

    /// More marks than are sorted one by one.
    @Test func longRunsOfMarksAreSorted() {
        let mixed = "a" + String(repeating: "\u{301}\u{323}", count: 40)
        let sorted = "a" + String(repeating: "\u{323}", count: 40) + String(repeating: "\u{301}", count: 40)
        expect(mixed, .form(.nfd), sorted)
    }

    @Test func charactersAreChangedOneByOne() {
        expect("\u{130}\u{3a3}A\u{df}", .lowercase, "i\u{307}\u{3c3}a\u{df}")
        expect("e\u{301}\u{e33}\u{940}", .stripAccents, "e\u{e33}")
        expect("\u{3000} a b \n", .strip(left: true, right: true), "a b")
        expect(" a ", .strip(left: true, right: false), "a ")
        expect("", .prepend(Array("x".utf8)), "")
        expect("aa  b   c d", .replaceBlanks(Array("_".utf8)), "aa_b_c d")
        expect("aaa", .replace(Array("aa".utf8), Array("b".utf8)), "ba")
    }

    @Test func aCutAtTheBeginningIsKnown() {
        #expect(normal(" a", .strip(left: true, right: false)).cut)
        #expect(!normal("a ", .strip(left: true, right: true)).cut)
        #expect(normal("\u{301}a", .stripAccents).cut)
        #expect(!normal("a\u{301}", .stripAccents).cut)
    }

    /// Mistral puts a blank before the first word, not after a special token.
    @Test func theFirstWordIsThatOfTheText() throws {
        let path = TokenizerFilesTests.path("mistral.json")
        let subject = TokenizerUnderTest(try TextTokenizers.file(path: path))
        for text in ["a</s>b", "</s>b", "a b</s> c"] {
            let ids = try subject.encode(Array(text.utf8), special: .asTokens)
            #expect(String(decoding: try subject.decode(ids), as: UTF8.self) == text)
        }
    }
}
