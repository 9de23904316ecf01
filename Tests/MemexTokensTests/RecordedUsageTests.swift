import Foundation
import MemexModel
import MemexTestSupport
import Testing

@testable import MemexTokens

/// Our counts against what OpenAI billed for recorded requests, which are not part of this repository.
@Suite struct RecordedUsageTests {
    @Test func openAIsBillsAreMet() throws {
        let root = SharedData.repository
        let python = root.appendingPathComponent(".venv/bin/python").path
        let script = root.appendingPathComponent("Benchmarks/recorded_usage.py").path
        guard SharedData.folder != nil, FileManager.default.isExecutableFile(atPath: python),
            let output = SharedData.run(python, [script, "--openai"])
        else {
            print("note: the recorded usage is not compared: ../shared/data or .venv is absent")
            return
        }
        var good = 0
        var misses: [String] = []
        for line in String(decoding: output, as: UTF8.self).split(separator: "\n") {
            let fields = line.split(separator: "\t", maxSplits: 2)
            guard fields.count == 3, let billed = Int(fields[1]) else { continue }
            let count = try ChatCount(String(fields[0])).request(String(fields[2]))
            if abs(count - billed) <= max(3, billed / 100) {
                good += 1
            } else {
                misses.append("\(fields[0]): \(count) of \(billed)")
            }
        }
        #expect(good + misses.count > 200)
        #expect(misses.count * 100 <= good + misses.count, "\(misses)")
    }
}
