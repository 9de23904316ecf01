import MemexContext
import MemexModel
import MemexTestSupport
import Testing

@Suite struct StepTests {
    let talk = TestSource(
        [system("s")] + (0..<10).flatMap { [user("question \($0)"), assistant("answer \($0)")] })

    @Test func withoutAPipelineOrALimitEverythingStays() throws {
        let checker = try checked(talk, "")
        #expect(checker.seqs == Array(1...21))
        #expect(checker.reasons("kept")[1] == "system")
        #expect(checker.reasons("kept")[2] == "recent")
    }

    @Test func fifoCountsWhatIsNotPinned() throws {
        let checker = try checked(talk, #"{"type":"fifo","last":4}"#)
        #expect(checker.seqs == [1, 18, 19, 20, 21])
        let literal = try checked(
            talk, #"[{"type":"pin","roles":[],"flagged":false},{"type":"fifo","last":4}]"#)
        #expect(literal.seqs == [18, 19, 20, 21])
    }

    @Test func fifoNeverCutsAGroup() throws {
        let source = TestSource([
            user("u"), calls("a", "b"), result("b"), result("a"), assistant("w"), user("v"),
        ])
        #expect(try checked(source, #"{"type":"fifo","last":4}"#).seqs == [5, 6])
        #expect(try checked(source, #"{"type":"fifo","last":5}"#).seqs == [2, 3, 4, 5, 6])
    }

    @Test func budgetKeepsTheLongestTailThatFits() throws {
        let one = try checked(talk, #"{"type":"token_budget","max_tokens":64}"#, max: 64)
        let request = try checked(talk, "", #"{"max_tokens":64}"#, max: 64)
        #expect(one.seqs == request.seqs)
        #expect(one.seqs.first == 1)
        #expect(one.seqs.dropFirst().first == 19)
    }

    @Test func theBudgetLeavesRoomForWhatIsPinned() throws {
        var messages = talk.messages
        messages[5].isPinned = true
        let source = TestSource(messages)
        let checker = try checked(source, "", #"{"max_tokens":64}"#, max: 64)
        #expect(checker.seqs == [1, 6, 20, 21])
        #expect(checker.reasons("kept")[6] == "pinned")
    }

    @Test func tooMuchThatMustStayIsALimit() throws {
        let error = #expect(throws: MemexError.self) {
            try window(talk, .standard, #"{"max_tokens":5}"#)
        }
        #expect(error?.code == .limit)
        #expect(error?.details == #"{"needed":12,"limit":5}"#)
    }

    @Test func aPinnedResultBringsItsGroupFromFarBack() throws {
        var messages = [user("u"), calls("a", "b"), result("a"), user("wait"), result("b")]
        messages += (0..<40).map { user("filler \($0)") }
        messages[2].isPinned = true
        let checker = try checked(TestSource(messages), #"{"type":"fifo","last":1}"#)
        #expect(checker.seqs == [2, 3, 5, 45])
        #expect(checker.reasons("kept") == [2: "group", 3: "pinned", 5: "group", 45: "recent"])
    }

    @Test func onlyTheLastInstructionIsInForce() throws {
        var messages = [
            system("old"), user("a"), system("newer"), user("b"),
            TestMessage(body: #"{"role":"developer","content":"d"}"#), user("c"),
        ]
        let checker = try checked(TestSource(messages), "")
        #expect(checker.seqs == [2, 4, 5, 6])
        #expect(checker.reasons("left_out") == [1: "superseded", 3: "superseded"])
        messages[0].isPinned = true
        #expect(try checked(TestSource(messages), "").seqs == [1, 2, 4, 5, 6])
    }

    @Test func whatIsNotExaminedIsOneRange() throws {
        let checker = try checked(talk, "", #"{"examine":3}"#)
        #expect(checker.seqs == [1, 19, 20, 21])
        let text = String(decoding: try window(talk, .standard, #"{"examine":3}"#), as: UTF8.self)
        #expect(text.contains(#""left_out":[{"from_seq":2,"to_seq":18,"count":17,"reason":"not_examined"}]"#))
    }

    @Test func aWindowReadsNoMoreThanItNeeds() throws {
        let source = TestSource([system("s")] + (0..<5_000).map { user("message number \($0)") })
        let checker = try checked(source, "", #"{"max_tokens":1000}"#, max: 1000)
        #expect(checker.seqs.count > 60)
        #expect(source.visited <= checker.seqs.count + 2)
    }

    @Test func unusableMessagesDoNotTakeRoom() throws {
        let bad = (0..<30).map { _ in result("nobody", String(repeating: "x", count: 100)) }
        let source = TestSource((0..<9).map { user("question \($0)") } + bad)
        #expect(try checked(source, "", #"{"max_tokens":60}"#, max: 60).seqs == [6, 7, 8, 9])
        #expect(try checked(source, #"{"type":"fifo","last":2}"#).seqs == [8, 9])
    }

    @Test func anEmptyThreadIsAnEmptyWindow() throws {
        #expect(try checked(TestSource([]), "").seqs == [])
        let deleted = TestSource([TestMessage(body: user("x").body, isDeleted: true)])
        #expect(try checked(deleted, "").seqs == [])
    }
}
