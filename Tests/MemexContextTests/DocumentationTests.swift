import Foundation
import MemexContext
import MemexModel
import MemexTestSupport
import MemexTokens
import Testing

@Suite struct DocumentationTests {
    private func page() throws -> String {
        try String(
            contentsOf: SharedData.repository.appendingPathComponent("docs/reference/context.md"),
            encoding: .utf8)
    }

    private func text(_ value: Any?) throws -> String {
        guard let value else { return "" }
        return String(decoding: try JSONSerialization.data(withJSONObject: value), as: UTF8.self)
    }

    @Test func examplesRun() throws {
        let blocks = try page().components(separatedBy: "```json\n").dropFirst()
        var run = 0
        for block in blocks {
            let source = block.components(separatedBy: "\n```").first ?? ""
            let object = try #require(
                try JSONSerialization.jsonObject(with: Data(source.utf8)) as? [String: Any])
            let opened = try strategy(try text(object["pipeline"]))
            let seqs: [Int]? = try withBytes(try text(object["messages"])) { bytes in
                let source = try ArraySource(bodies: bytes)
                return ChatChecker(try window(source, opened, try text(object["request"])))?.seqs
            }
            #expect(seqs == object["seqs"] as? [Int], "\(source)")
            run += 1
        }
        #expect(run >= 6)
    }

    @Test func rulesReasonsAndStepsAreDocumented() throws {
        let page = try page()
        for rule in OpenAIChatRules.all {
            #expect(page.contains("| `\(rule.id)` |"), "\(rule.id)")
            #expect(page.contains("\(rule.evidence)"), "\(rule.evidence)")
        }
        for reason in LeftOutReason.allCases {
            #expect(page.contains("| `\(reason.name)` |"), "\(reason.name)")
        }
        for reason in KeptReason.allCases { #expect(page.contains("| `\(reason.name)` |"), "\(reason.name)") }
        for step in StrategyRegistry.builtIn { #expect(page.contains("### `\(step)`"), "\(step)") }
    }
}
