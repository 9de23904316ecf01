import MemexModel
import MemexTestSupport
import Testing

@testable import MemexTokens

@Suite struct TextTokenizersTests {
    private func encoding(_ name: String) throws -> any TextTokenizer {
        var name = name
        return try name.withUTF8 { try TextTokenizers.encoding($0) }
    }

    private func model(_ name: String) throws -> any TextTokenizer {
        var name = name
        return try name.withUTF8 { try TextTokenizers.model($0) }
    }

    @Test func encodingsHaveTheirNames() throws {
        #expect(
            TextTokenizers.names == [
                "o200k_base", "o200k_harmony", "cl100k_base", "p50k_base", "estimate", "estimate:claude",
                "estimate:claude-4.7", "estimate:gemini",
            ])
        for name in TextTokenizers.names { #expect(try encoding(name).name == name) }
        let error = #expect(throws: MemexError.self) { _ = try encoding("o300k") }
        #expect(error?.code == .notFound)
        #expect(error?.message.contains("o200k_base") == true && error?.message.contains("estimate") == true)
        #expect(error?.details == "{\"encoding\":\"o300k\"}")
    }

    @Test(arguments: [
        ("gpt-4o", "o200k_base"), ("gpt-4o-2024-05-13", "o200k_base"), ("gpt-4.1-mini", "o200k_base"),
        ("gpt-5-nano", "o200k_base"), ("o3-mini", "o200k_base"), ("gpt-4", "cl100k_base"),
        ("gpt-4-turbo", "cl100k_base"), ("gpt-3.5-turbo-0125", "cl100k_base"),
        ("gpt-oss-120b", "o200k_harmony"),
        ("ft:gpt-4o-mini:x", "o200k_base"), ("text-davinci-003", "p50k_base"),
        ("text-embedding-3-small", "cl100k_base"),
    ])
    func modelsHaveTheirEncoding(_ name: String, _ encoding: String) throws {
        #expect(try model(name).name == encoding)
    }

    @Test func unknownModelsAreErrorsThatNameTheChoices() throws {
        for name in ["claude-sonnet-4", "gemini-2.5-pro", "", "gpt-4x", "estimate"] {
            let error = #expect(throws: MemexError.self) { _ = try model(name) }
            #expect(error?.code == .notFound, "\(name)")
            for choice in ["gpt-4o", "gpt-oss-*", "cl100k_base", "estimate"] {
                #expect(error?.message.contains(choice) == true)
            }
        }
        let error = #expect(throws: MemexError.self) { _ = try model("gpt2") }
        #expect(error?.code == .unsupported && error?.message.contains("gpt2") == true)
    }

    @Test func theEstimateOnlyCounts() throws {
        let estimate = try encoding("estimate")
        let text = Array("some text".utf8)
        try text.withUnsafeBufferPointer { view in
            #expect(try estimate.count(view, special: .asText) == 3)
            var counts = [0, 0]
            try [view, view].withUnsafeBufferPointer { views in
                try estimate.count(batch: views, special: .asText, to: &counts)
            }
            #expect(counts == [3, 3])
            var ids = ByteBuffer()
            let error = #expect(throws: MemexError.self) {
                try estimate.encode(view, special: .asText, to: &ids)
            }
            #expect(error?.code == .unsupported)
        }
    }
}
