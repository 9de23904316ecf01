import MemexContext
import MemexModel
import MemexTestSupport
import Testing

/// Deleted messages part nothing: a window is that of the history without them.
@Suite(.serialized) struct DeletedMessageTests {
    private func deleted(_ message: TestMessage) -> TestMessage {
        var message = message
        message.isDeleted = true
        return message
    }

    @Test func promptsWithADeletedMessageBetweenThemAreOnePrompt() throws {
        let source = TestSource([system("a"), deleted(user("u")), deleted(user("v")), system("b"), user("w")])
        #expect(try checked(source, #"{"type":"fifo","last":1}"#).seqs == [1, 4, 5])
    }

    @Test func anotherMessagePartsPromptsAlsoBesideADeletedOne() throws {
        let source = TestSource([system("a"), user("u"), deleted(user("v")), system("b"), user("w")])
        #expect(try checked(source, "").reasons("left_out") == [1: "superseded"])
    }

    @Test func aGroupReachesOverDeletedMessages() throws {
        var call = calls("a", "b")
        call.isPinned = true
        let gap = Array(repeating: deleted(user("gone")), count: 300)
        let source = TestSource(
            [user("u"), call] + gap + [result("a")] + gap + [result("b"), user("v"), user("w")])
        #expect(try checked(source, #"{"type":"fifo","last":1}"#).seqs == [2, 303, 604, 606])
    }

    @Test func aWindowIsThatOfTheHistoryWithoutThem() throws {
        var compared = 0
        try withStrategy("test_random", randomStrategy()) {
            for seed in 0..<PropertyTests.iterations {
                var random = SeededGenerator(seed: UInt64(2_000_000 + seed))
                var messages = RandomHistory.make(&random)
                for index in messages.indices where random.below(3) == 0 { messages[index].isDeleted = true }
                let pipeline = RandomPipeline.make(&random)
                var members = random.below(2) == 0 ? [] : ["\"max_tokens\":\(40 + random.below(600))"]
                if random.below(3) == 0 { members.append("\"examine\":\(1 + random.below(20))") }
                let request = "{" + members.joined(separator: ",") + "}"
                let live = messages.indices.filter { !messages[$0].isDeleted }
                let one = Outcome(TestSource(messages), pipeline, request, live.map { $0 + 1 })
                let other = Outcome(
                    TestSource(live.map { messages[$0] }), pipeline, request, Array(1..<live.count + 1))
                if one != other {
                    Issue.record("seed \(seed), \(pipeline), \(request): \(one) where \(other) is right")
                    return
                }
                if one.error.isEmpty { compared += 1 }
            }
        }
        #expect(compared > PropertyTests.iterations / 2)
    }
}

/// A window or the error, with the places of messages among the live ones for their seqs.
private struct Outcome: Equatable {
    var error = ""
    var tokens = 0
    var entries: [String] = []

    init(_ source: TestSource, _ pipeline: String, _ request: String, _ live: [Int]) {
        let places = Dictionary(uniqueKeysWithValues: live.enumerated().map { ($1, $0 + 1) })
        do {
            guard let checker = ChatChecker(try window(source, try strategy(pipeline), request)) else {
                throw TestFailure("no JSON")
            }
            if let complaint = checker.complaint(history: source.history, maxTokens: nil) {
                throw TestFailure(complaint)
            }
            tokens = checker.tokens
            for list in ["kept", "left_out", "changed"] {
                for entry in checker.object[list] as? [[String: Any]] ?? [] {
                    entries.append("\(list) \(Self.text(entry, places))")
                }
            }
        } catch {
            self.error = "\(error)"
        }
    }

    private static func text(_ entry: [String: Any], _ places: [Int: Int]) -> String {
        let names = entry.keys.filter { $0 != "from_seq" && $0 != "to_seq" }.sorted()
        var parts = names.map { name in
            let value = entry[name] ?? ""
            let place = name.hasSuffix("seq") ? (value as? Int).flatMap { places[$0] } : nil
            return "\(name)=\(place.map { "\($0)" } ?? "\(value)")"
        }
        if let from = entry["from_seq"] as? Int, let to = entry["to_seq"] as? Int {
            parts.append("of \(places.filter { (from...max(from, to)).contains($0.key) }.values.sorted())")
        }
        return parts.joined(separator: " ")
    }
}
