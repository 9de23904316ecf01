import MemexContext
import MemexTestSupport

/// Histories as bad as they come: orphans, duplicates, reused ids, messages in between, cuts.
struct RandomHistory {
    static func make(_ random: inout SeededGenerator) -> [TestMessage] {
        var messages: [TestMessage] = []
        if random.below(3) > 0 { messages.append(system("be kind \(random.below(10))")) }
        let turns = random.below(14)
        for _ in 0..<turns { turn(&messages, &random) }
        spoil(&messages, &random)
        for index in messages.indices {
            if random.below(25) == 0 { messages[index].isPinned = true }
            if random.below(30) == 0 { messages[index].isIncomplete = true }
            if random.below(40) == 0 { messages[index].isDeleted = true }
            if random.below(40) == 0 { messages[index].format = UInt8([0, 3][random.below(2)]) }
        }
        return messages
    }

    private static func turn(_ messages: inout [TestMessage], _ random: inout SeededGenerator) {
        messages.append(user(String(repeating: "q", count: random.below(120))))
        let pool = ["a", "b", "c", "d"]
        for _ in 0..<random.below(3) {
            var ids: [String] = []
            for _ in 0...random.below(3) {
                let id = pool[random.below(4)]
                // Now and then an id twice in one message, each with a result.
                if !ids.contains(id) || random.below(20) == 0 { ids.append(id) }
            }
            messages.append(calls(ids))
            for id in ids.shuffled(using: &random) {
                if random.below(12) == 0 { messages.append(noise(&random)) }
                messages.append(result(id, String(repeating: "r", count: random.below(200))))
            }
        }
        if random.below(8) > 0 {
            messages.append(assistant(String(repeating: "w", count: random.below(150))))
        }
        if random.below(10) == 0 { messages.append(noise(&random)) }
    }

    private static func noise(_ random: inout SeededGenerator) -> TestMessage {
        let long = String(repeating: "x", count: 41)
        switch random.below(18) {
        case 0: return system("changed \(random.below(10))")
        case 1: return TestMessage(body: #"{"role":"developer","content":"dev"}"#)
        case 2: return TestMessage(body: #"{"role":"assistant","content":null}"#)
        case 3: return TestMessage(body: #"{"role":"assistant","content":"t","tool_calls":[]}"#)
        case 4: return TestMessage(body: #"{"role":"function","name":"f","content":"x"}"#)
        case 5: return TestMessage(body: #"{"role":"tool","content":"no id"}"#)
        case 6: return calls("a", "a")
        case 7: return calls(long)
        case 8: return TestMessage(body: #"{"role":"user","content":[]}"#)
        case 9: return TestMessage(body: #"{"role":"user","content":[{"type":"text","text":"hi"}]}"#)
        case 10: return TestMessage(body: #"{"role":"user","content":"u","tool_calls":[{"id":"a"}]}"#)
        case 11: return TestMessage(body: #"{"content":"nobody"}"#)
        case 12:
            return TestMessage(
                body:
                    #"{"role":"assistant","tool_calls":[{"id":"\u0061","type":"custom","custom":{"name":"g","input":"i"}}]}"#
            )
        case 13:
            return TestMessage(
                body:
                    #"{"role":"assistant","tool_calls":[{"id":"b","type":"function","function":{"name":"no space","arguments":"{}"}}]}"#
            )
        case 14: return result(["a", "b", "c", "zz"][random.below(4)])
        case 15: return calls(["a", "b"][random.below(2)])
        case 16: return assistant("still at it")
        default: return user("are you there?")
        }
    }

    private static func spoil(_ messages: inout [TestMessage], _ random: inout SeededGenerator) {
        for _ in 0..<random.below(4) where !messages.isEmpty {
            let at = random.below(messages.count)
            switch random.below(6) {
            case 0: messages.remove(at: at)
            case 1: messages.insert(messages[at], at: random.below(messages.count))
            case 2: messages.swapAt(at, random.below(messages.count))
            case 3: messages.removeFirst(min(at, messages.count))
            case 4: messages.removeLast(min(random.below(4), messages.count))
            default: messages.insert(noise(&random), at: at)
            }
        }
    }
}

/// A registered strategy that keeps what it likes, by turns sensible and mad.
struct RandomPipeline {
    static func make(_ random: inout SeededGenerator) -> String {
        var steps: [String] = []
        for _ in 0..<random.below(4) {
            switch random.below(6) {
            case 0: steps.append(#"{"type":"fifo","last":\#(1 + random.below(20))}"#)
            case 1: steps.append(#"{"type":"token_budget","max_tokens":\#(60 + random.below(700))}"#)
            case 2: steps.append(#"{"type":"pin","roles":["system"],"flagged":\#(random.below(2) == 0)}"#)
            case 3: steps.append(#"{"type":"pin","roles":[],"flagged":false}"#)
            default:
                steps.append(
                    #"{"type":"test_random","examine":\#(1 + random.below(60)),"seed":\#(random.below(1_000_000))}"#
                )
            }
        }
        return steps.isEmpty ? "" : "[" + steps.joined(separator: ",") + "]"
    }
}
