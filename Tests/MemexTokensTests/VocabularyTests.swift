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

    /// A table of tokens by rank.
    private func table(_ tokens: [[UInt8]]) throws -> TokenTable {
        var table = TokenTable()
        for (rank, token) in tokens.enumerated() where !token.isEmpty {
            let outcome = token.withUnsafeBufferPointer { table.add($0, id: rank) }
            guard case .added = outcome else { throw TokenizerUnderTest.Broken() }
        }
        return table
    }

    private func imageBytes(_ tokens: [[UInt8]]) throws -> [UInt8] {
        let image = try VocabularyBuilder.make(try table(tokens), name: "a").image()
        return Array(image.view)
    }

    private func withImage(_ bytes: [UInt8], _ body: (VocabularyImage?) -> Void) {
        let copy = UnsafeMutableRawPointer.allocate(byteCount: bytes.count, alignment: 64)
        defer { copy.deallocate() }
        copy.initializeMemory(as: UInt8.self, from: bytes, count: bytes.count)
        body(VocabularyImage(UnsafeRawPointer(copy), count: bytes.count))
    }

    @Test func builtImagesFindTheirTokens() throws {
        let tokens = try tokens(3_000)
        let bytes = try imageBytes(tokens)
        let again = try imageBytes(tokens)
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
        let bytes = try imageBytes(try tokens(300))
        withImage(bytes) { #expect($0 != nil) }
        withImage(Array(bytes.dropLast(64))) { #expect($0 == nil) }
        withImage(Array(bytes.prefix(100))) { #expect($0 == nil) }
        for place in [0, 32, 32 + 4 * VocabularyImage.Field.pairKeys.rawValue] {
            var changed = bytes
            changed[place] ^= 0x5F
            withImage(changed) { #expect($0 == nil, "byte \(place)") }
        }
    }

    @Test func vocabulariesThatBreakTheRulesHaveNoImage() throws {
        let good = try tokens(300)
        func hasImage(_ tokens: [[UInt8]]) throws -> Bool {
            try VocabularyBuilder.make(try table(tokens), name: "a").hasImage
        }
        #expect(try hasImage(good))
        #expect(try hasImage(good + [Array("\u{1}\u{2}\u{3}".utf8)]), "a token without merges is a word")
        #expect(try !hasImage(good + [Array("\u{1F642}".utf8)]), "a character without merges")
        #expect(try !hasImage(good + [Array("zqx".utf8), Array("zq".utf8)]), "a token before its part")
        let error = #expect(throws: MemexError.self) { _ = try hasImage(Array(good.dropFirst())) }
        #expect(error?.code == .invalid && error?.message == "a has no token for the byte 33")
    }

    @Test func rankFilesAreRead() throws {
        func parse(_ text: String) throws -> [[UInt8]] {
            var text = text
            return try text.withUTF8 {
                let found = try RankFile.parse($0, name: "ranks.tiktoken")
                return (0..<found.idEnd).map { Array(found.token($0)) }
            }
        }
        #expect(try parse("YQ== 0\nYmM= 2\r\n\nAP8= 1\n") == [[0x61], [0, 0xFF], [0x62, 0x63]])
        #expect(try parse("YQ== 3\n") == [[], [], [], [0x61]], "a gap")
        #expect(try parse("") == [])
        let digits = String(repeating: "9", count: 40)
        for (text, line) in [
            ("YQ== 0\nYQ==", 2), ("Y*== 0", 1), ("YQ== x", 1), ("YQ== 9999999", 1), ("YQ== 0\nYg== 0", 2),
            ("YQ== 0\nYQ== 1", 2), ("YQ= 0", 1), ("YQ== -1", 1), ("YQ== 1000000000", 1), (" 0", 1),
            ("==== 0", 1), ("YQ== \(digits)", 1), ("YR== 0", 1), ("YQ==  0", 1), ("YQ== ", 1), ("\0", 1),
        ] {
            let error = #expect(throws: MemexError.self, "\(text)") { _ = try parse(text) }
            #expect(error?.code == .invalid && error?.details == "{\"line\":\(line)}", "\(text)")
            #expect(error?.message.hasPrefix("line \(line) of ranks.tiktoken ") == true)
        }
    }
}
