import Foundation
import MemexContext
import MemexModel
import MemexTestSupport
import MemexTokens
import Testing

@Suite struct ArraySourceTests {
    @Test func bodiesOfTheCallerAreASource() throws {
        let text =
            #" [ {"role":"system","content":"s"} , {"role":"\u0075ser","content":"u"},{"role":"assistant","content":"w"}]"#
        try withBytes(text) { bytes in
            let source = try ArraySource(bodies: bytes)
            let out = try window(source, .standard, #"{"max_tokens":1000}"#)
            let checker = try #require(ChatChecker(out))
            #expect(checker.seqs == [1, 2, 3])
            #expect(
                String(decoding: out, as: UTF8.self).hasPrefix(
                    #"{"messages":[{"role":"system","content":"s"},{"role":"\u0075ser","content":"u"},"#))
        }
        let empty = try withBytes(" [ ] ") {
            try ArraySource(bodies: $0).lastSeq
        }
        #expect(empty == 0)
        #expect(throws: MemexError.self) {
            try withBytes("[1]") { _ = try ArraySource(bodies: $0) }
        }
    }

    /// 100 real conversations with tools; 25 of them use an id for several calls.
    @Test func realConversationsAreValidAtEveryBudget() throws {
        guard let data = SharedData.decompress("tau-bench-airline-gpt4o.jsonl.xz") else { return }
        var windows = 0
        var conversations = 0
        var random = SeededGenerator(seed: 7)
        for line in data.split(separator: 0x0A) {
            guard let object = try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any],
                let turns = object["traj"] as? [[String: Any]]
            else { continue }
            conversations += 1
            let bodies = try turns.map {
                String(
                    decoding: try JSONSerialization.data(withJSONObject: $0, options: [.sortedKeys]),
                    as: UTF8.self)
            }
            let whole = TestSource(bodies.map { TestMessage(body: $0) })
            if let complaint = ChatChecker.complaint(about: turns) {
                Issue.record("the conversation itself: \(complaint)")
            }
            let all = try checked(whole, "")
            #expect(all.seqs == Array(1...bodies.count))
            for budget in stride(from: 2_200, through: 9_000, by: 170) {
                _ = try checked(whole, "", #"{"max_tokens":\#(budget)}"#, max: budget)
                windows += 1
            }
            for last in 1...min(40, bodies.count) {
                let checker = try checked(whole, #"{"type":"fifo","last":\#(last)}"#)
                #expect(checker.seqs.count <= last + 1)
                windows += 1
            }
            // Cut anywhere: what is left is no valid conversation any more.
            for _ in 0..<10 {
                let from = random.below(bodies.count)
                let part = Array(bodies[from..<(from + 1 + random.below(bodies.count - from))])
                let text = "[" + part.joined(separator: ",") + "]"
                try withBytes(text) { bytes in
                    let source = try ArraySource(bodies: bytes)
                    let checker = try #require(ChatChecker(try window(source, .standard)))
                    let history = TestSource(part.map { TestMessage(body: $0) }).history
                    #expect(checker.complaint(history: history, maxTokens: nil) == nil)
                }
                windows += 1
            }
        }
        print("tau-bench: \(windows) valid windows of \(conversations) conversations")
        #expect(conversations == 100)
    }
}
