import Foundation
import MemexContext
import MemexModel
import MemexTestSupport
import Testing

@Suite(.serialized) struct PropertyTests {
    static let iterations =
        ProcessInfo.processInfo.environment["MEMEX_FUZZ_ITERATIONS"].flatMap(Int.init) ?? 5_000

    @Test func everyWindowIsValidWhateverTheHistoryAndThePipeline() throws {
        var invalid = 0
        var built = 0
        try withStrategy("test_random", randomStrategy()) {
            for seed in 0..<Self.iterations {
                var random = SeededGenerator(seed: UInt64(seed))
                let source = TestSource(RandomHistory.make(&random))
                let pipeline = RandomPipeline.make(&random)
                let maxTokens = random.below(3) == 0 ? nil : 40 + random.below(900)
                var members = maxTokens.map { ["\"max_tokens\":\($0)"] } ?? []
                if random.below(4) == 0 { members.append("\"examine\":\(1 + random.below(60))") }
                let request = "{" + members.joined(separator: ",") + "}"
                do {
                    let opened = try strategy(pipeline)
                    let bytes = try window(source, opened, request)
                    built += 1
                    guard let checker = ChatChecker(bytes) else { throw TestFailure("no JSON") }
                    if let complaint = checker.complaint(history: source.history, maxTokens: maxTokens) {
                        throw TestFailure(complaint)
                    }
                    if try window(source, opened, request) != bytes {
                        throw TestFailure("other bytes the second time")
                    }
                } catch let error as MemexError
                    where error.code == .limit && error.details.contains("\"needed\"")
                {
                    continue
                } catch {
                    invalid += 1
                    if invalid <= 5 { Issue.record("seed \(seed), \(pipeline), \(request): \(error)") }
                }
            }
        }
        print("windows: \(built) built of \(Self.iterations) histories, \(invalid) invalid")
        #expect(invalid == 0)
        #expect(built > Self.iterations / 2)
    }

    @Test func whatIsKeptDoesNotDependOnHowMuchWasRead() throws {
        let all = ClosureStrategy { input in
            #"{"keep":[\#(ClosureStrategy.seqs(input).map(String.init).joined(separator: ","))]}"#
        }
        try withStrategy("test_all", all) {
            for seed in 0..<Self.iterations / 5 {
                var random = SeededGenerator(seed: UInt64(1_000_000 + seed))
                let source = TestSource(RandomHistory.make(&random))
                let limit =
                    random.below(2) == 0
                    ? #"{"type":"fifo","last":\#(1 + random.below(20))}"#
                    : #"{"type":"token_budget","max_tokens":\#(100 + random.below(600))}"#
                do {
                    let less = ChatChecker(try window(source, try strategy(limit)))
                    let more = ChatChecker(
                        try window(source, try strategy("[\(limit),{\"type\":\"test_all\"}]")))
                    if less?.seqs != more?.seqs {
                        Issue.record("seed \(seed), \(limit): \(less?.seqs ?? []) and \(more?.seqs ?? [])")
                        return
                    }
                } catch let error as MemexError where error.code == .limit {
                    continue
                }
            }
        }
    }
}
