import Foundation
import MemexModel
import MemexTestSupport
import Testing

@testable import MemexTokens

@Suite struct BytePairTokenizerTests {
    private struct Vector: Decodable {
        let text: String
        let ids: [String: [UInt32]]

        init(from decoder: any Decoder) throws {
            struct Key: CodingKey {
                let stringValue: String
                let intValue: Int? = nil
                init(stringValue: String) { self.stringValue = stringValue }
                init?(intValue: Int) { nil }
            }
            let values = try decoder.container(keyedBy: Key.self)
            text = try values.decode(String.self, forKey: Key(stringValue: "text"))
            var ids: [String: [UInt32]] = [:]
            for key in values.allKeys where key.stringValue != "text" {
                ids[key.stringValue] = try values.decode([UInt32].self, forKey: key)
            }
            self.ids = ids
        }
    }

    private struct Truth: Decodable {
        let id: String
        let text: String
        let o200k_base: Int
        let cl100k_base: Int
        let o200k_base_ids: [UInt32]?
        let cl100k_base_ids: [UInt32]?
    }

    private static func vectors() throws -> [Vector] {
        let file = SharedData.repository.appendingPathComponent("Tests/Vectors/tokens.json")
        return try JSONDecoder().decode([Vector].self, from: try Data(contentsOf: file))
    }

    @Test(arguments: BuiltInEncoding.allCases)
    func givesTheTokensOfTiktoken(_ encoding: BuiltInEncoding) throws {
        let subject = try TokenizerUnderTest(encoding)
        let vectors = try Self.vectors()
        #expect(vectors.count > 150)
        for vector in vectors {
            let bytes = Array(vector.text.utf8)
            let expected = try #require(vector.ids[encoding.rawValue])
            #expect(
                try subject.encode(bytes, special: .asTokens) == expected, "\(vector.text.debugDescription)")
            #expect(try subject.count(bytes, special: .asTokens) == expected.count)
            #expect(try subject.decode(expected) == bytes)
        }
    }

    /// The vectors can fail: another encoding does not pass them.
    @Test func anotherEncodingGivesOtherTokens() throws {
        let subject = try TokenizerUnderTest(.cl100kBase)
        let differing = try Self.vectors().filter {
            try subject.encode(Array($0.text.utf8), special: .asTokens) != $0.ids["o200k_base"]
        }
        #expect(differing.count > 100)
    }

    @Test func countsRealTextsAsTiktoken() throws {
        guard let data = SharedData.decompress("token_truth.jsonl.xz") else { return }
        let subjects = [try TokenizerUnderTest(.o200kBase), try TokenizerUnderTest(.cl100kBase)]
        var texts = 0
        for line in data.split(separator: 0x0A) {
            // JSONSerialization loses a byte order mark at the beginning of a string.
            let truth = try JSONDecoder().decode(Truth.self, from: line)
            let bytes = Array(truth.text.utf8)
            for (subject, count, ids) in [
                (subjects[0], truth.o200k_base, truth.o200k_base_ids),
                (subjects[1], truth.cl100k_base, truth.cl100k_base_ids),
            ] {
                #expect(try subject.count(bytes) == count, "\(subject.tokenizer.name) \(truth.id)")
                if let ids { #expect(try subject.encode(bytes) == ids) }
            }
            texts += 1
        }
        #expect(texts == 1_233)
    }

    @Test(arguments: BuiltInEncoding.allCases)
    func countsEncodesAndDecodesAlike(_ encoding: BuiltInEncoding) throws {
        let subject = try TokenizerUnderTest(encoding)
        var generator = TextGenerator(seed: 11)
        var texts: [[UInt8]] = []
        var counts: [Int] = []
        for round in 0..<600 {
            let text = generator.text(round % 10 == 0 ? 0 : 1 + generator.below(90))
            let ids = try subject.encode(text)
            let count = try subject.count(text)
            #expect(ids.count == count)
            #expect(count <= text.count && (count > 0) == !text.isEmpty)
            #expect(try subject.decode(ids) == text)
            texts.append(text)
            counts.append(count)
        }
        #expect(try subject.count(batch: texts) == counts)
        #expect(try subject.count(batch: []) == [])
    }

    /// A newline ends a piece, whatever letter follows: there a text can be cut and counted in parts.
    @Test(arguments: [BuiltInEncoding.o200kBase, .cl100kBase])
    func countsAddUpAfterANewline(_ encoding: BuiltInEncoding) throws {
        let subject = try TokenizerUnderTest(encoding)
        var generator = TextGenerator(seed: 12)
        for _ in 0..<300 {
            let left = generator.text(1 + generator.below(40)) + Array("x\n".utf8)
            let right = Array("The".utf8) + generator.text(generator.below(40))
            let parts = try subject.count(batch: [left, right])
            #expect(try subject.count(left + right) == parts[0] + parts[1])
        }
    }

    @Test func specialTokensAreTextUnlessAskedFor() throws {
        let subject = try TokenizerUnderTest(.o200kHarmony)
        let text = Array(
            "<|start|>user<|message|>hi<|end|><|reserved_200013|><|endofprompt|><|nonsense|>".utf8)
        let ids = try subject.encode(text, special: .asTokens)
        #expect(Array(ids.prefix(1)) == [200_006])
        #expect(
            ids.contains(200_008) && ids.contains(200_007) && ids.contains(200_013) && ids.contains(200_018))
        #expect(try subject.decode(ids) == text)
        #expect(try subject.count(text, special: .asTokens) == ids.count)
        let plain = try subject.encode(text)
        #expect(plain.allSatisfy { $0 < 199_998 } && plain.count > ids.count)
        #expect(try subject.decode(plain) == text)
        let other = try TokenizerUnderTest(.o200kBase)
        #expect(try other.encode(Array("<|start|>".utf8), special: .asTokens).count > 1)
    }

    @Test func idsThatAreNoneAreNamed() throws {
        let subject = try TokenizerUnderTest(.p50kBase)
        #expect(try subject.decode([50_256]) == Array("<|endoftext|>".utf8))
        for id: UInt32 in [50_281, 1 << 20, .max] {
            let error = #expect(throws: MemexError.self) { try subject.decode([0, id]) }
            #expect(error?.code == .invalid && error?.details == "{\"index\":1}")
        }
    }

    @Test(arguments: BuiltInEncoding.allCases)
    func everyTokenIsItsOwnEncoding(_ encoding: BuiltInEncoding) throws {
        let image = try #require(encoding.image)
        let subject = try TokenizerUnderTest(encoding)
        var tokens = 0
        for id in stride(from: 0, to: image.idEnd, by: 7) {
            guard let bytes = try? subject.decode([UInt32(id)]) else { continue }
            tokens += 1
            let merged = TokenizerScratch.with(tag: 0) { scratch in
                bytes.withUnsafeBufferPointer { text in
                    text.baseAddress.map { PieceMerger(image, scratch).count($0, text.count) }
                }
            }
            #expect(merged == 1, "token \(id) is not reached by merging")
        }
        #expect(tokens > image.tokens / 8)
    }

    @Test func threadsCountAlike() throws {
        let subject = try TokenizerUnderTest(.o200kBase)
        var generator = TextGenerator(seed: 13)
        let texts = (0..<60).map { _ in generator.text(60) }
        let counts = try subject.count(batch: texts)
        try runConcurrently(8) { (index: Int) throws in
            for (text, count) in zip(texts.dropFirst(index), counts.dropFirst(index)) {
                let found = try subject.count(text)
                #expect(found == count)
            }
        }
    }

    /// Without memory of its own a thread uses the process's, and counts the same.
    @Test func theSharedMemoryIsEnough() throws {
        #expect(TokenizerScratch.sharedFits)
        let image = try #require(BuiltInEncoding.o200kBase.image)
        let subject = try TokenizerUnderTest(.o200kBase)
        var generator = TextGenerator(seed: 14)
        for length in [3, 40, 200, 3_000] {
            let text = generator.text(length)
            var count = 0
            TokenizerScratch.withShared { scratch in
                var counter = PieceCounter(image, scratch, into: &count)
                text.withUnsafeBufferPointer { bytes in
                    guard let base = bytes.baseAddress else { return }
                    SplitPattern.o200k.walk(base, bytes.count, into: &counter)
                }
                counter.finish()
            }
            #expect(try subject.count(text) == count)
        }
    }
}
