import MemexContext
import MemexTestSupport
import Testing

@Suite struct ValidatorTests {
    @Test func resultsWithoutACallAreLeftOut() throws {
        let checker = try checked(
            TestSource([result("a"), user("u"), calls("a"), result("a"), result("a")]), "")
        #expect(checker.seqs == [2, 3, 4])
        #expect(checker.reasons("left_out") == [1: "no_call", 5: "no_call"])
    }

    @Test func callsWithoutAllResultsGoWithThoseTheyGot() throws {
        let checker = try checked(TestSource([user("u"), calls("a", "b"), result("a"), user("v")]), "")
        #expect(checker.seqs == [1, 4])
        #expect(checker.reasons("left_out") == [2: "unanswered", 3: "unanswered"])
    }

    @Test func anIdUsedAgainBelongsToTheLastCall() throws {
        let source = TestSource([calls("a"), result("a", "one"), calls("a"), result("a", "two"), user("u")])
        #expect(try checked(source, "").seqs == [1, 2, 3, 4, 5])
        #expect(try checked(source, #"{"type":"fifo","last":3}"#).seqs == [3, 4, 5])
        let open = TestSource([calls("a"), user("never mind"), calls("a"), result("a"), user("u")])
        #expect(try checked(open, "").seqs == [2, 3, 4, 5])
    }

    @Test(arguments: [
        #"{"role":"assistant","content":null,"refusal":"I cannot help with that."}"#,
        #"{"role":"assistant","audio":{"id":"audio_1"}}"#,
        #"{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}}"#,
    ])
    func answersWithoutAContentStay(_ body: String) throws {
        #expect(
            try checked(TestSource([user("u"), TestMessage(body: body), user("v")]), "").seqs == [1, 2, 3])
    }

    @Test func messagesInBetweenFollowTheResults() throws {
        let source = TestSource([
            user("u"), calls("a", "b"), result("b"), user("hurry"), result("a"), assistant("w"),
        ])
        let checker = try checked(source, "")
        #expect(checker.seqs == [1, 2, 3, 5, 4, 6])
        let changed = checker.object["changed"] as? [[String: Any]]
        #expect(changed?.count == 1)
        #expect(changed?.first?["seq"] as? Int == 5)
        #expect(changed?.first?["after_seq"] as? Int == 3)
        #expect(changed?.first?["change"] as? String == "moved")
    }

    @Test func anInstructionBetweenCallAndResultDoesNoHarm() throws {
        let checker = try checked(TestSource([calls("a"), system("new"), result("a"), user("u")]), "")
        #expect(checker.seqs == [1, 3, 2, 4])
    }

    @Test(arguments: [
        (#"{"role":"assistant","content":null}"#, "malformed"),
        (#"{"role":"assistant","content":"x","tool_calls":[]}"#, "malformed"),
        (
            #"{"role":"assistant","content":[],"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":""}}]}"#,
            "malformed"
        ),
        (#"{"role":"function","name":"f","content":"x"}"#, "role"),
        (#"{"role":"tool","content":"x"}"#, "malformed"),
        (#"{"role":"user"}"#, "malformed"),
        (#"{"content":"x"}"#, "role"),
    ])
    func whatOpenAIRefusesIsLeftOut(_ body: String, _ reason: String) throws {
        let checker = try checked(TestSource([user("u"), TestMessage(body: body), user("v")]), "")
        #expect(checker.seqs == [1, 3])
        #expect(checker.reasons("left_out")[2] == reason)
    }

    @Test func incompleteAndForeignMessagesAreLeftOut() throws {
        var messages = [user("u"), assistant("half"), user("v"), assistant("w")]
        messages[1].isIncomplete = true
        messages[3].format = 3
        let checker = try checked(TestSource(messages), "")
        #expect(checker.seqs == [1, 3])
        #expect(checker.reasons("left_out") == [2: "incomplete", 4: "format"])
    }

    @Test func aCallWhoseResultIsIncompleteGoesToo() throws {
        var messages = [calls("a"), result("a"), user("u")]
        messages[1].isIncomplete = true
        #expect(
            try checked(TestSource(messages), "").reasons("left_out") == [1: "unanswered", 2: "incomplete"])
    }

    @Test func idsAreComparedDecoded() throws {
        let call = TestMessage(
            body:
                #"{"role":"assistant","tool_calls":[{"id":"\u0061","type":"function","function":{"name":"f","arguments":"{}"}}]}"#
        )
        #expect(try checked(TestSource([call, result("a")]), "").seqs == [1, 2])
    }

    @Test func groupsAtTheEdgeOfTheExaminedRangeAreWhole() throws {
        let source = TestSource([user("u"), calls("a", "b"), result("a"), result("b"), user("v")])
        for examine in 1...5 {
            let checker = try checked(source, "", #"{"examine":\#(examine)}"#)
            #expect(checker.seqs == (examine < 4 ? [5] : Array((6 - examine)...5)))
            if examine == 2 { #expect(checker.reasons("left_out")[4] == "call_not_examined") }
        }
    }

    @Test func aResultNeverAnswersACallFromBeforeWhatWasNotRead() throws {
        var messages = [calls("a")] + (0..<300).map { user("filler \($0)") }
        messages +=
            [calls("c"), result("c")] + (0..<40).map { user("more \($0)") } + [result("a"), user("u")]
        messages[0].isPinned = true
        let checker = try checked(TestSource(messages), #"{"type":"fifo","last":1}"#)
        #expect(checker.seqs == [messages.count])
        #expect(checker.reasons("left_out")[1] == "unanswered")
        let two = try checked(TestSource(messages), #"{"type":"fifo","last":2}"#)
        #expect(two.seqs == [messages.count - 2, messages.count])
    }

    @Test func theIndependentCheckerSeesFaults() {
        let call: [String: Any] = [
            "role": "assistant",
            "tool_calls": [["id": "a", "type": "function", "function": ["name": "f", "arguments": ""]]],
        ]
        let user: [String: Any] = ["role": "user", "content": "u"]
        let result: [String: Any] = ["role": "tool", "tool_call_id": "a", "content": "r"]
        #expect(ChatChecker.complaint(about: [user, call, result, user]) == nil)
        #expect(ChatChecker.complaint(about: [call]) != nil)
        #expect(ChatChecker.complaint(about: [call, user, result]) != nil)
        #expect(ChatChecker.complaint(about: [result]) != nil)
        #expect(ChatChecker.complaint(about: [call, result, result]) != nil)
    }
}
