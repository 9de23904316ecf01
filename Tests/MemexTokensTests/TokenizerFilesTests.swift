import Foundation
import MemexModel
import MemexTestSupport
import Testing

@testable import MemexTokens

/// Tokenizers from files against what the libraries that made them say.
@Suite struct TokenizerFilesTests {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Vectors/tokenizers")

    static func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    static let families = [
        "albert", "bytes_unigram", "deepseek", "gemma", "gpt2", "llama2", "llama3", "mistral", "o200k",
        "prefixed", "qwen2", "starcoder", "t5", "tekken", "unknown", "unordered",
    ]

    private func subject(_ name: String, _ options: RankFileOptions = RankFileOptions()) throws
        -> TokenizerUnderTest
    {
        TokenizerUnderTest(try TextTokenizers.file(path: Self.path(name), options: options))
    }

    private struct Row {
        let text: [UInt8]
        let plain: [UInt32]
        let special: [UInt32]
        let decoded: [UInt8]
    }

    private func rows(_ family: String) throws -> [Row] {
        let data = try Data(contentsOf: Self.folder.appendingPathComponent("expected.json"))
        let all = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        let texts = try #require(all["texts"] as? [String])
        let found = try #require(all[family] as? [[Any]])
        return try zip(texts, found).map { text, row in
            Row(
                text: Array(text.utf8), plain: try #require(row[0] as? [NSNumber]).map(\.uint32Value),
                special: try #require(row[1] as? [NSNumber]).map(\.uint32Value),
                decoded: Array(try #require(row[2] as? String).utf8))
        }
    }

    @Test(arguments: families)
    func tokensAreThoseOfTheTokenizersLibrary(_ family: String) throws {
        let subject = try subject("\(family).json")
        let rows = try rows(family)
        #expect(rows.count > 20)
        for row in rows {
            #expect(try subject.encode(row.text) == row.plain)
            #expect(try subject.encode(row.text, special: .asTokens) == row.special)
            #expect(try subject.count(row.text) == row.plain.count)
            #expect(try subject.count(row.text, special: .asTokens) == row.special.count)
            #expect(try subject.decode(row.special) == row.decoded)
        }
        #expect(try subject.count(batch: rows.map(\.text)) == rows.map(\.plain.count))
    }

    /// A vocabulary that has an image and one that has none, of the same merges.
    @Test func mergesInAnyOrderAreMerged() throws {
        let ordered = try subject("gpt2.json")
        let unordered = try subject("unordered.json")
        var generator = TextGenerator(seed: 3)
        for _ in 0..<300 {
            let text = generator.text(40)
            for subject in [ordered, unordered] {
                #expect(try subject.decode(try subject.encode(text)) == text)
                #expect(try subject.count(text) == subject.encode(text).count)
            }
        }
    }

    @Test func textThatIsNoUTF8IsCounted() throws {
        var generator = TextGenerator(seed: 4)
        for family in Self.families {
            let subject = try subject("\(family).json")
            for _ in 0..<60 {
                let text = (0..<generator.below(60)).map { _ in UInt8(generator.below(256)) }
                #expect(try subject.count(text) == subject.encode(text).count, "\(family)")
            }
        }
    }

    /// Stored counts are known by it.
    @Test func theIdentityIsThatOfTheContents() throws {
        func identity(_ path: String, _ options: RankFileOptions = RankFileOptions()) throws -> String {
            try TextTokenizers.file(path: path, options: options).identity
        }
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("memex-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: path) }
        try FileManager.default.copyItem(atPath: Self.path("gpt2.json"), toPath: path.path)
        #expect(try identity(path.path) == identity(Self.path("gpt2.json")))
        #expect(try identity(path.path) != identity(Self.path("llama3.json")))
        let ranks = Self.path("small.tiktoken")
        let identities = try [
            RankFileOptions(pattern: "llama"), RankFileOptions(pattern: "qwen"),
            RankFileOptions(pattern: "llama", special: [("x", 9_000)]),
            RankFileOptions(pattern: "llama", special: [("x", 9_001)]),
        ].map { try identity(ranks, $0) }
        #expect(Set(identities).count == 4)
    }

    @Test func rankFilesNeedTheirPattern() throws {
        let error = #expect(throws: MemexError.self) { _ = try subject("small.tiktoken") }
        #expect(error?.code == .invalid && error?.message.contains("\"pattern\"") == true)
        for pattern in TextTokenizers.patterns { #expect(error?.message.contains(pattern) == true) }
        let other = #expect(throws: MemexError.self) {
            _ = try subject("small.tiktoken", RankFileOptions(pattern: "o300k"))
        }
        #expect(other?.code == .notFound)
    }

    @Test func rankFilesCountAsTheSameVocabularyDoes() throws {
        let options = RankFileOptions(pattern: "llama", special: [("<|end|>", 9_000)])
        let ranks = try subject("small.tiktoken", options)
        for row in try rows("llama3") where !row.text.contains(0x3C) {
            #expect(try ranks.encode(row.text) == row.plain)
        }
        let text = Array("a<|end|>b".utf8)
        let ids = try ranks.encode(text, special: .asTokens)
        #expect(ids.contains(9_000) && ids.count == 3)
        #expect(try ranks.decode(ids) == text)
        #expect(try ranks.encode(text).contains(9_000) == false)
        for special in [
            [("x", 300)], [("", 9_000)], [("x", -1)], [("x", 1 << 40)], [("x", 9_000), ("x", 9_001)],
        ] {
            let error = #expect(throws: MemexError.self) {
                _ = try subject("small.tiktoken", RankFileOptions(pattern: "llama", special: special))
            }
            #expect(error?.code == .invalid)
        }
    }
}
