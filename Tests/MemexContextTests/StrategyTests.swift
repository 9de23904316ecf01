import MemexContext
import MemexModel
import MemexTestSupport
import Synchronization
import Testing

@Suite struct StrategyTests {
    @Test(arguments: [
        ("[]", MemexError.Code.invalid, "/"),
        ("3", .invalid, "/"),
        ("{}", .invalid, "/type"),
        (#"{"type":"fifo"}"#, .invalid, "/last"),
        (#"{"type":"fifo","last":0}"#, .invalid, "/last"),
        (#"[{"type":"pin"},{"type":"fifo","last":2,"first":1}]"#, .invalid, "/1/first"),
        (#"[{"type":"token_budget","max_tokens":"8k"}]"#, .invalid, "/0/max_tokens"),
        (#"{"type":"pin","roles":["user"]}"#, .invalid, "/roles"),
        (#"[{"type":"pin"},{"type":"summary"}]"#, .notFound, "/1/type"),
    ])
    func pipelinesAreStrict(_ pipeline: String, _ code: MemexError.Code, _ path: String) {
        let error = #expect(throws: MemexError.self) { _ = try strategy(pipeline) }
        #expect(error?.code == code)
        #expect(error?.message.hasPrefix(path + ":") == true, "\(error?.message ?? "")")
    }

    @Test(arguments: [
        (#"{"max_tokens":0}"#, MemexError.Code.invalid),
        (#"{"tokens":5}"#, .invalid),
        (#"{"provider":"anthropic"}"#, .unsupported),
        (#"{"examine":0}"#, .invalid),
    ])
    func requestsAreStrict(_ request: String, _ code: MemexError.Code) {
        let error = #expect(throws: MemexError.self) { _ = try window(TestSource([]), .standard, request) }
        #expect(error?.code == code)
    }

    @Test func aCustomStepChoosesAndSaysWhy() throws {
        let strategy = ClosureStrategy { input in
            let config = input["config"] as? [String: Any]
            guard config?["type"] as? String == "test_pick", config?["colour"] as? String == "blue",
                input["max_tokens"] as? Int == 500
            else { throw TestFailure("config") }
            let messages = ClosureStrategy.messages(input)
            guard messages.first?["pinned"] as? Bool == true, messages.count == 5,
                messages.last?["kept"] as? Bool == true, messages[1]["kept"] as? Bool == false
            else { throw TestFailure("messages") }
            return #"{"keep":[5],"reasons":{"5":"because \"so\""}}"#
        }
        try withStrategy("test_pick", strategy) {
            let source = TestSource([system("s"), user("a"), user("b"), user("c"), user("d"), user("e")])
            let checker = try checked(
                source, #"[{"type":"fifo","last":2},{"type":"test_pick","examine":4,"colour":"blue"}]"#,
                #"{"max_tokens":500}"#)
            #expect(checker.seqs == [1, 5])
            #expect(checker.reasons("kept") == [1: "system", 5: "strategy"])
            #expect(checker.reasons("left_out") == [3: "fifo", 4: "fifo", 6: "strategy"])
            let kept = checker.object["kept"] as? [[String: Any]]
            #expect(kept?.last?["detail"] as? String == "because \"so\"")
        }
    }

    @Test func aCustomStepThatCutsAGroupLosesIt() throws {
        try withStrategy("test_cut", ClosureStrategy { _ in #"{"keep":[2,3]}"# }) {
            let checker = try checked(
                TestSource([calls("a"), result("a"), user("u")]), #"{"type":"test_cut"}"#)
            #expect(checker.seqs == [3])
            #expect(checker.reasons("left_out") == [1: "cut", 2: "cut"])
        }
    }

    @Test(arguments: [
        "", "[]", "{}", #"{"keep":[9]}"#, #"{"keep":[1.5]}"#, #"{"keep":[],"more":1}"#,
        #"{"keep":[1],"reasons":{"x":"y"}}"#,
    ])
    func badRepliesAreCallbackErrors(_ reply: String) throws {
        let name = "test_bad_\(reply.utf8.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xFFFF })"
        try withStrategy(name, ClosureStrategy { _ in reply }) {
            let error = #expect(throws: MemexError.self) {
                _ = try window(TestSource([user("u")]), try strategy(#"{"type":"\#(name)"}"#))
            }
            #expect(error?.code == .callback)
        }
    }

    @Test func registrationsAreTakenAndGivenBack() throws {
        let released = Atomic<Int>(0)
        var held: Strategy?
        do {
            let custom = ClosureStrategy(onRelease: {
                // Would deadlock if it ran under the registry's lock.
                _ = StrategyRegistry.names
                released.add(1, ordering: .relaxed)
            }) { _ in #"{"keep":[]}"# }
            try withBytes("test_life") { try StrategyRegistry.register($0, custom) }
        }
        #expect(StrategyRegistry.names.contains("test_life"))
        #expect(throws: MemexError.self) {
            try withBytes("test_life") { try StrategyRegistry.register($0, randomStrategy()) }
        }
        #expect(throws: MemexError.self) {
            try withBytes("fifo") { try StrategyRegistry.register($0, randomStrategy()) }
        }
        held = try strategy(#"{"type":"test_life"}"#)
        try withBytes("test_life") { try StrategyRegistry.unregister($0) }
        #expect(!StrategyRegistry.names.contains("test_life"))
        #expect(released.load(ordering: .relaxed) == 0)
        if let held { #expect(ChatChecker(try window(TestSource([user("u")]), held))?.seqs == []) }
        held = nil
        #expect(released.load(ordering: .relaxed) == 1)
        #expect(throws: MemexError.self) {
            try withBytes("test_life") { try StrategyRegistry.unregister($0) }
        }
    }
}
