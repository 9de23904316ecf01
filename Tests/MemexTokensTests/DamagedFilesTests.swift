import Foundation
import MemexModel
import MemexTestSupport
import Testing

@testable import MemexTokens

/// Files that are no tokenizers, or nearly: an error that names the file, or a tokenizer that works.
@Suite struct DamagedFilesTests {
    private let options = RankFileOptions(pattern: "cl100k_base")

    private func withFile<Result>(_ bytes: [UInt8], _ body: (String) throws -> Result) throws -> Result {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("memex-\(UUID().uuidString)")
        try Data(bytes).write(to: path)
        defer { try? FileManager.default.removeItem(at: path) }
        return try body(path.path)
    }

    private func fault(_ path: String) -> MemexError? {
        do {
            _ = try TextTokenizers.file(path: path, options: options)
            return nil
        } catch {
            return error
        }
    }

    @Test func whatIsNoFileIsRefused() throws {
        #expect(fault("/nowhere/tokenizer.json")?.code == .notFound)
        #expect(fault("/tmp")?.code == .invalid)
        #expect(fault("/dev/zero")?.code == .invalid)
        let pipe = FileManager.default.temporaryDirectory.appendingPathComponent("memex-\(UUID().uuidString)")
            .path
        #expect(mkfifo(pipe, 0o600) == 0)
        defer { unlink(pipe) }
        #expect(fault(pipe)?.code == .invalid, "and it does not wait for a writer")
        try withFile([]) { #expect(fault($0)?.code == .invalid) }
        try withFile(Array("YQ== 0\n".utf8)) { path in
            #expect(fault(path)?.message.contains(path) == true, "bytes without a token")
        }
        try withFile([]) { path in
            #expect(truncate(path, 300 << 20) == 0)
            #expect(fault(path)?.code == .limit)
        }
    }

    private func minimal(
        model: String = #"{"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]}"#, _ more: String = ""
    ) -> [UInt8] { Array("{\"model\":\(model)\(more)}".utf8) }

    @Test func unknownComponentsAreUnsupportedByName() throws {
        try withFile(minimal()) { #expect(fault($0) == nil) }
        for (more, name) in [
            (#","normalizer":{"type":"Sideways"}"#, "Sideways"),
            (#","normalizer":{"type":"Sequence","normalizers":[{"type":"Upside"}]}"#, "Upside"),
            (#","pre_tokenizer":{"type":"UnicodeScripts"}"#, "UnicodeScripts"),
            (
                #","pre_tokenizer":{"type":"Split","pattern":{"Regex":"a+b"},"behavior":"Isolated","invert":false}"#,
                "a+b"
            ),
            (#","normalizer":{"type":"Replace","pattern":{"Regex":"x*"},"content":""}"#, "x*"),
            (#","decoder":{"type":"CTC"}"#, "CTC"),
        ] {
            try withFile(minimal(more)) { path in
                let error = fault(path)
                #expect(error?.code == .unsupported, "\(more)")
                #expect(error?.message.contains(name) == true && error?.message.contains(path) == true)
            }
        }
        for model in [
            #"{"type":"WordPiece","vocab":{"a":0}}"#,
            #"{"type":"BPE","dropout":0.1,"vocab":{"a":0},"merges":[]}"#,
            #"{"type":"BPE","end_of_word_suffix":"</w>","vocab":{"a":0},"merges":[]}"#,
        ] {
            try withFile(minimal(model: model)) { #expect(fault($0)?.code == .unsupported, "\(model)") }
        }
    }

    @Test(arguments: [
        #"{"type":"BPE","vocab":{"a":-1},"merges":[]}"#, #"{"type":"BPE","vocab":{"a":1e3},"merges":[]}"#,
        #"{"type":"BPE","vocab":{"a":99999999999999999999},"merges":[]}"#,
        #"{"type":"BPE","vocab":{"a":0,"a":1},"merges":[]}"#,
        #"{"type":"BPE","vocab":{"a":0,"b":0},"merges":[]}"#,
        #"{"type":"BPE","vocab":{"a":0},"merges":["a b"]}"#,
        #"{"type":"BPE","vocab":{"a":0},"merges":["a"]}"#,
        #"{"type":"BPE","vocab":{"a":0},"merges":[["a"]]}"#, #"{"type":"BPE","vocab":{"a":0},"merges":{}}"#,
        #"{"type":"BPE","vocab":[],"merges":[]}"#, #"{"type":"BPE","merges":[]}"#,
        #"{"type":"BPE","vocab":{"a":0},"merges":[],"unk_token":"u"}"#,
        #"{"type":"BPE","vocab":{"a":0},"merges":[],"ignore_merges":1}"#,
        #"{"type":"Unigram","vocab":[]}"#, #"{"type":"Unigram","vocab":[["a"]]}"#,
        #"{"type":"Unigram","vocab":[["a","b"]]}"#, #"{"type":"Unigram","vocab":[["a",0],["a",0]]}"#,
        #"{"type":"Unigram","vocab":[["a",0]],"unk_id":1}"#, #"{"type":"Unigram","vocab":{"a":0}}"#, "[]",
        "1",
    ])
    func brokenModelsAreInvalid(_ model: String) throws {
        try withFile(minimal(model: model)) { path in
            let error = fault(path)
            #expect(error?.code == .invalid && error?.message.contains(path) == true, "\(error as Any)")
        }
    }

    /// Bytes flipped, cut, doubled, and values of other types.
    private func damaged(_ bytes: [UInt8], _ generator: inout TextGenerator) -> [UInt8] {
        var bytes = bytes
        for _ in 0...generator.below(3) {
            let at = generator.below(bytes.count)
            switch generator.below(6) {
            case 0: bytes[at] ^= UInt8(1 << generator.below(8))
            case 1: bytes.removeLast(bytes.count - max(1, at))
            case 2: bytes.removeSubrange(at..<min(bytes.count, at + 1 + generator.below(20)))
            case 3: bytes.insert(contentsOf: bytes[at..<min(bytes.count, at + 30)], at: at)
            default:
                let values = [
                    "null", "-1", "1e999", "[]", "{}", "\"\"", "true", "4294967296", "\u{0}", "\"\\ud800\"",
                ]
                var digit = at
                while digit < bytes.count, !(0x30...0x3A).contains(bytes[digit]) { digit += 1 }
                let end = min(bytes.count, digit + 1)
                bytes.replaceSubrange(
                    min(digit, end)..<end, with: Array(values[generator.below(values.count)].utf8))
            }
        }
        return bytes
    }

    @Test(arguments: TokenizerFilesTests.families.map { "\($0).json" } + ["small.tiktoken"])
    func damagedFilesAreRefusedOrWork(_ name: String) throws {
        let bytes = [UInt8](try Data(contentsOf: TokenizerFilesTests.folder.appendingPathComponent(name)))
        var generator = TextGenerator(seed: 11)
        var refused = 0
        for _ in 0..<120 {
            try withFile(damaged(bytes, &generator)) { path in
                do {
                    let subject = TokenizerUnderTest(try TextTokenizers.file(path: path, options: options))
                    for _ in 0..<3 {
                        let text = generator.text(30)
                        do {
                            #expect(try subject.count(text) == subject.encode(text).count)
                            _ = try subject.decode(try subject.encode(text, special: .asTokens))
                        } catch let error as MemexError {
                            #expect(error.code == .invalid)
                        }
                    }
                } catch let error as MemexError {
                    refused += 1
                    #expect(error.message.contains(path), "\(error.message)")
                    #expect([.invalid, .unsupported, .limit].contains(error.code), "\(error.message)")
                }
            }
        }
        #expect(refused > 20)
    }
}
