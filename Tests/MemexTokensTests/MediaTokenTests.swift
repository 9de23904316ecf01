import Foundation
import MemexModel
import Testing

@testable import MemexTokens

/// Images by the published pixel rules, sound by its duration; never by the length of their base64.
@Suite struct MediaTokenTests {
    private func tokens(_ model: String, _ part: String) throws -> Int {
        let count = try ChatCount(model)
        return count.message("{\"role\":\"user\",\"content\":[\(part)]}")
            - count.message(#"{"role":"user","content":""}"#)
    }

    private static func image(_ bytes: [UInt8], detail: String = "auto", padding: Int = 0) -> String {
        let data = Data(bytes + [UInt8](repeating: 0, count: padding)).base64EncodedString()
        return
            "{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,\(data)\",\"detail\":\"\(detail)\"}}"
    }

    private static func big(_ value: Int, _ length: Int) -> [UInt8] {
        (0..<length).reversed().map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }

    private static func png(_ width: Int, _ height: Int) -> [UInt8] {
        [0x89] + Array("PNG\r\n\u{1a}\n".utf8) + big(13, 4) + Array("IHDR".utf8) + big(width, 4)
            + big(height, 4)
    }

    /// Sizes and counts of the provider's guide; those of gpt-5-mini from recordings.
    @Test(arguments: [
        ("gpt-4o", 1024, 1024, "high", 765), ("gpt-4o", 2048, 4096, "high", 1105),
        ("gpt-4o", 4096, 8192, "low", 85), ("gpt-4.1", 512, 512, "auto", 255),
        ("gpt-4o-mini", 1024, 1024, "high", 25501), ("gpt-4o-mini", 10, 10, "low", 2833),
        ("o1", 512, 512, "high", 225), ("gpt-5", 512, 512, "high", 210),
        ("gpt-5-mini", 597, 566, "auto", 412), ("gpt-5-mini", 400, 301, "auto", 157),
    ])
    func imagesCountByTheirPixels(
        _ model: String, _ width: Int, _ height: Int, _ detail: String, _ expected: Int
    ) throws {
        #expect(try tokens(model, Self.image(Self.png(width, height), detail: detail)) == expected)
    }

    @Test func patchesAreAtMost1536() {
        #expect(
            ImageRule.patches(hundredths: 100).tokens(PixelSize(width: 1800, height: 2400), detail: .high)
                == 1453)
        for (width, height) in [(1 << 30, 1), (1, 1 << 30), (Int.max, Int.max), (0, -5), (2049, 2049)] {
            for rule in [
                ImageRule.patches(hundredths: 246), .tiles(base: 85, tile: 170), .area, .gemini,
            ] {
                let count = rule.tokens(PixelSize(width: width, height: height), detail: .high)
                #expect(count >= 0 && count < 10_000_000, "\(rule) \(width) \(height) \(count)")
            }
        }
    }

    @Test func sizesAreReadFromTheHeader() throws {
        let jpeg: [UInt8] =
            [0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 1, 2, 0xFF, 0xC2, 0, 17, 8] + Self.big(301, 2) + Self.big(400, 2)
        let gif = Array("GIF89a".utf8) + [0x90, 0x01, 0x2D, 0x01]
        let extended =
            Array("RIFF....WEBPVP8X".utf8) + [UInt8](repeating: 0, count: 8) + [0x8F, 0x01, 0, 0x2C, 0x01, 0]
        let lossy =
            Array("RIFF....WEBPVP8 ".utf8) + [UInt8](repeating: 0, count: 10) + [0x90, 0x01, 0x2D, 0x01]
        let bits = 399 | 300 << 14
        let lossless =
            Array("RIFF....WEBPVP8L".utf8) + [0, 0, 0, 0, 0x2F] + Self.big(bits, 4).reversed()
        for bytes in [Self.png(400, 301), jpeg, gif, extended, lossy, lossless] {
            let data = Data(bytes + [0, 0, 0, 0]).base64EncodedString()
            var text = data
            let size = text.withUTF8 { MediaHeader.size(Base64Bytes($0)) }
            #expect(size == PixelSize(width: 400, height: 301))
            // Cut anywhere, it is unknown or right.
            for length in 0..<data.utf8.count {
                var cut = String(data.prefix(length))
                let size = cut.withUTF8 { MediaHeader.size(Base64Bytes($0)) }
                #expect(size == nil || size == PixelSize(width: 400, height: 301))
            }
        }
    }

    @Test func unknownSizesAreAssumed() throws {
        let remote = #"{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}"#
        #expect(try tokens("gpt-4o", remote) == 765)
        #expect(try tokens("gpt-4o", Self.image([1, 2, 3])) == 765)
        #expect(try tokens("gpt-4o", Self.image([], detail: "low")) == 85)
    }

    @Test func theLengthOfBase64DoesNotMatter() throws {
        let short = try tokens("gpt-4o", Self.image(Self.png(100, 100)))
        #expect(try tokens("gpt-4o", Self.image(Self.png(100, 100), padding: 300_000)) == short)
        func file(_ length: Int) -> String {
            let data = Data(repeating: 7, count: length).base64EncodedString()
            return
                "{\"type\":\"file\",\"file\":{\"filename\":\"a.pdf\",\"file_data\":\"data:application/pdf;base64,\(data)\"}}"
        }
        #expect(try tokens("gpt-4o", file(10)) == tokens("gpt-4o", file(100_000)))
        func source(_ length: Int) -> String {
            let data = Data(Self.png(100, 100) + [UInt8](repeating: 0, count: length)).base64EncodedString()
            return
                "{\"type\":\"image\",\"source\":{\"type\":\"base64\",\"media_type\":\"image/png\",\"data\":\"\(data)\"}}"
        }
        #expect(try tokens("gpt-4o", source(10)) == short)
        #expect(try tokens("gpt-4o", source(100_000)) == short)
        let inline = source(5).replacingOccurrences(of: "\"source\"", with: "\"inlineData\"")
            .replacingOccurrences(of: "media_type", with: "mimeType")
        #expect(try tokens("gpt-4o", inline) == short)
    }

    @Test func soundCountsByItsDuration() throws {
        func audio(_ bytes: [UInt8]) throws -> Int {
            let data = Data(bytes).base64EncodedString()
            return try tokens(
                "gpt-4o-audio-preview",
                "{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"\(data)\",\"format\":\"wav\"}}")
        }
        // 16,000 bytes a second.
        let wav =
            Array("RIFF....WAVEfmt ".utf8) + [16, 0, 0, 0, 1, 0, 1, 0] + [0x40, 0x1F, 0, 0]
            + [0x80, 0x3E, 0, 0] + [UInt8](repeating: 0, count: 12)
        #expect(try audio(wav + [UInt8](repeating: 1, count: 32_000)) == 20)
        // MPEG-1 layer III of 64,000 bits a second.
        let mp3: [UInt8] = [0xFF, 0xFB, 0x50, 0xC4]
        #expect(try audio(mp3 + [UInt8](repeating: 1, count: 8_000 - 4)) == 10)
        #expect(try audio([1, 2, 3]) == 0)
        #expect(try audio([]) == 0)
    }
}
