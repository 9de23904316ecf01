import Memex
import MemexModel
import MemexTestSupport
import Testing

@Suite struct StoreOptionsTests {
    private func read(_ text: String) throws -> StoreOptions {
        try withText(text) { bytes in
            var reader = try OptionReader(bytes, what: "config")
            let options = try StoreOptions(&reader)
            try reader.finish()
            return options
        }
    }

    @Test func defaults() throws {
        let options = try read("{\"url\":\"memory:\"}")
        #expect(
            options.isFullyDurable && options.create && !options.readOnly && options.timeout == 30_000_000)
        #expect(options.target == .memory && options.url == "memory:")
    }

    @Test func everyOption() throws {
        let options = try read(
            """
            {"url":"sqlite:///a.db","durability":"normal","timeout_us":0,"create":false,"read_only":true,
             "tokenizer":"estimate"}
            """)
        #expect(!options.isFullyDurable && !options.create && options.readOnly && options.timeout == 0)
        #expect(options.target == .sqlite(path: "a.db"))
        #expect(try read("{\"url\":\"memory:\",\"durability\":\"full\"}").isFullyDurable)
    }

    @Test func wrongOnesNameTheirPath() throws {
        let wrong = [
            ("{}", "/url"), ("{\"url\":null}", "/url"), ("{\"url\":7}", "/url"), ("{\"url\":\"\"}", "/url"),
            ("{\"url\":\"memory:\",\"durability\":\"fast\"}", "/durability"),
            ("{\"url\":\"memory:\",\"durability\":true}", "/durability"),
            ("{\"url\":\"memory:\",\"timeout_us\":-1}", "/timeout_us"),
            ("{\"url\":\"memory:\",\"timeout_us\":1.5}", "/timeout_us"),
            ("{\"url\":\"memory:\",\"timeout_us\":86400000001}", "/timeout_us"),
            ("{\"url\":\"memory:\",\"create\":1}", "/create"),
            ("{\"url\":\"memory:\",\"read_only\":\"yes\"}", "/read_only"),
            ("{\"url\":\"memory:\",\"tokenizer\":\"words\"}", "/tokenizer"),
            ("{\"url\":\"memory:\",\"readonly\":true}", "/readonly"),
            ("{\"url\":\"memory:\",\"a/b\":true}", "/a~1b"),
        ]
        for (text, path) in wrong {
            do {
                _ = try read(text)
                Issue.record("\(text) is accepted")
            } catch let error as MemexError {
                #expect(error.code == .invalid, "\(text)")
                #expect(error.details.contains("\"path\":\"\(path)\""), "\(text): \(error.details)")
            }
        }
        for text in [
            "", "[]", "{\"url\":\"memory:\"", "{\"url\":\"memory:\",\"url\":\"memory:\"}", "nonsense",
        ] {
            expectError(.invalid, text) { _ = try read(text) }
        }
        expectError(.invalid, "a scheme that nobody registered") {
            _ = try Store.open(read("{\"url\":\"nobody://x\"}"))
        }
    }
}
