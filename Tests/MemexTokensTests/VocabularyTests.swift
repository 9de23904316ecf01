import Foundation
import MemexModel
import MemexTestSupport
import Testing

@testable import MemexTokens

@Suite struct VocabularyTests {
    /// The tokens of p50k_base up to a rank: their parts come before them.
    private func tokens(_ count: Int) throws -> [[UInt8]] {
        let subject = try TokenizerUnderTest(.p50kBase)
        return try (0..<count).map { try subject.decode([UInt32($0)]) }
    }

    private func withImage(_ bytes: [UInt8], _ body: (VocabularyImage?) -> Void) {
        let copy = UnsafeMutableRawPointer.allocate(byteCount: bytes.count, alignment: 64)
        defer { copy.deallocate() }
        copy.initializeMemory(as: UInt8.self, from: bytes, count: bytes.count)
        body(VocabularyImage(UnsafeRawPointer(copy), count: bytes.count))
    }

    @Test func builtImagesFindTheirTokens() throws {
        let tokens = try tokens(3_000)
        let bytes = try VocabularyBuilder(tokens).image()
        let again = try VocabularyBuilder(tokens).image()
        #expect(bytes == again, "the same tokens give the same image")
        withImage(bytes) { image in
            guard let image else {
                Issue.record("the image is refused")
                return
            }
            #expect(image.tokens == 3_000 && image.idEnd == 3_000)
            for (id, token) in tokens.enumerated() {
                var text = ByteBuffer()
                #expect(image.append(id, to: &text) && Array(text.view) == token)
                #expect(image.length(id) == token.count)
                if token.count == 1 { #expect(image.bytes[Int(token[0])] == UInt32(id)) }
            }
        }
    }

    @Test func brokenImagesAreRefused() throws {
        let bytes = try VocabularyBuilder(try tokens(300)).image()
        withImage(bytes) { #expect($0 != nil) }
        withImage(Array(bytes.dropLast(64))) { #expect($0 == nil) }
        withImage(Array(bytes.prefix(100))) { #expect($0 == nil) }
        for place in [0, 32, 32 + 4 * VocabularyImage.Field.pairKeys.rawValue] {
            var changed = bytes
            changed[place] ^= 0x5F
            withImage(changed) { #expect($0 == nil, "byte \(place)") }
        }
    }

    @Test func vocabulariesThatBreakTheRulesAreRefused() throws {
        let good = try tokens(300)
        func code(_ tokens: [[UInt8]]) -> MemexError.Code? {
            do {
                _ = try VocabularyBuilder(tokens)
                return nil
            } catch {
                return error.code
            }
        }
        #expect(code(good) == nil)
        #expect(code(good + [good[280]]) == .invalid, "a token twice")
        #expect(code(Array(good.dropFirst())) == .invalid, "a byte without a token")
        #expect(code(good + [Array("\u{1}\u{2}\u{3}".utf8)]) == .unsupported, "a token without merges")
        var swapped = good
        swapped.append(Array("zqx".utf8))
        swapped.append(Array("zq".utf8))
        #expect(code(swapped) == .unsupported, "a token before its part")
    }

    @Test func rankFilesAreRead() throws {
        func parse(_ text: String) throws -> [[UInt8]] {
            var text = text
            return try text.withUTF8 { try RankFile.parse($0) }
        }
        #expect(try parse("YQ== 0\nYmM= 2\r\n\nAP8= 1\n") == [[0x61], [0, 0xFF], [0x62, 0x63]])
        #expect(try parse("") == [])
        for (text, line) in [
            ("YQ== 0\nYQ==", 2), ("Y*== 0", 1), ("YQ== x", 1), ("YQ== 9999999", 1), ("YQ== 0\nYg== 0", 2),
        ] {
            let error = #expect(throws: MemexError.self) { _ = try parse(text) }
            #expect(error?.code == .invalid && error?.details == "{\"line\":\(line)}", "\(text)")
        }
    }
}
