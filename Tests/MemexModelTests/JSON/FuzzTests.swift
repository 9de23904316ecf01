import CJansson
import Foundation
import MemexTestSupport
import Testing

@testable import MemexModel

/// Mutated messages: whatever the scanner takes, jansson takes, and both tell the same facts.
@Suite("Body fuzzing")
struct FuzzTests {
    static let iterations =
        ProcessInfo.processInfo.environment["MEMEX_FUZZ_ITERATIONS"].flatMap { Int($0) } ?? 200_000
    static let seed =
        ProcessInfo.processInfo.environment["MEMEX_FUZZ_SEED"].flatMap { UInt64($0) } ?? 1

    @Test("the scanner takes a subset of what jansson takes", arguments: 0..<2)
    func subset(worker: Int) {
        var mutator = Mutator(seed: Self.seed &* 1000 &+ UInt64(worker), inputs: Messages.all)
        var accepted = 0
        var inspected = 0
        let rounds = Self.iterations / 2
        for round in 0..<rounds {
            let bytes = mutator.next()
            let verdict = withView(bytes) { Self.check($0) }
            accepted += verdict.scanned ? 1 : 0
            inspected += verdict.inspected ? 1 : 0
            if let complaint = verdict.complaint {
                let text = String(decoding: bytes, as: UTF8.self)
                Issue.record(
                    "seed \(Self.seed) worker \(worker) round \(round): \(complaint): \(text)")
                return
            }
        }
        print("fuzz: \(rounds) mutations, \(accepted) scanned, \(inspected) accepted in all")
        #expect(accepted > rounds / 5)
        #expect(inspected > accepted)
    }

    @Test("no message that is cut off is taken")
    func prefixes() {
        for message in Messages.own + Messages.real.prefix(20) {
            let end = message.lastIndex(of: 0x7D) ?? 0
            for length in 0...min(end, 3_000) where length <= end {
                withView(Array(message.prefix(length))) { view in
                    #expect(scan(view) == nil)
                    guard case .failure(let error) = inspect(view) else {
                        Issue.record("taken: \(view.text)")
                        return
                    }
                    #expect(offset(error) <= length)
                }
            }
        }
    }

    private struct Verdict {
        var scanned = false
        var inspected = false
        var complaint: String?
    }

    private static func check(_ view: ByteView) -> Verdict {
        var verdict = Verdict()
        let judge = Jansson(view)
        let facts = scan(view)
        verdict.scanned = facts != nil
        if facts != nil, !judge.accepted { verdict.complaint = "scanned, refused by jansson" }

        let result = inspect(view)
        switch result {
        case .success(let found):
            verdict.inspected = true
            if !judge.accepted, !judge.overflowed {
                verdict.complaint = "taken, refused by jansson"
            }
            if judge.accepted, let complaint = compare(found, view, judge) {
                verdict.complaint = complaint
            }
            var slow = BodyFacts()
            let end = try? SlowBody.inspect(view, from: 0, facts: &slow, wanted: .notAnObject)
            slow.flags &= ~BodyFacts.declined
            var fast = found
            fast.flags &= ~BodyFacts.declined
            if end == nil || slow != fast { verdict.complaint = "the slow way has other facts" }
            if !survives(view) { verdict.complaint = "an empty patch changes it" }
        case .failure(let error):
            let place = offset(error)
            if place < 0 || place > view.count {
                verdict.complaint = "offset \(place)"
            } else if judge.isObject, place == view.count || view[place] != 0 {
                // jansson takes a NUL for the end of the text.
                verdict.complaint = "refused, taken by jansson: \(error.message)"
            }
        }
        walk(view)
        return verdict
    }

    /// Facts against jansson's tree.
    private static func compare(_ facts: BodyFacts, _ view: ByteView, _ judge: Jansson) -> String? {
        let role = facts.role(in: view).flatMap { try? decoded($0) }
        let content = facts.content(in: view).flatMap { try? decoded($0) }
        if role != judge.string("role") { return "role" }
        if content != judge.string("content") { return "content" }
        let calls = judge.member("tool_calls").map { $0.pointee.type != JSON_NULL } ?? false
        if facts.has(BodyFacts.toolCalls) != calls { return "tool_calls" }
        if facts.has(BodyFacts.toolCallID) != (judge.string("tool_call_id") != nil) {
            return "tool_call_id"
        }
        let simple = judge.size == 2 && role != nil && content != nil
        if facts.has(BodyFacts.simple) != simple { return "simple" }
        var members = RawMembers(view)
        var count = 0
        while members.next() != nil { count += 1 }
        return count == judge.size && !members.isBroken ? nil : "members"
    }

    /// A body is still the same value after a patch that changes nothing.
    private static func survives(_ view: ByteView) -> Bool {
        var merged = ByteBuffer()
        do throws(MemexError) {
            try MergePatch.apply(target: view, patch: RawCursor.bytes("{}"), to: &merged)
            let before = try JSONDocument(parsing: view)
            let after = try JSONDocument(parsing: merged.view)
            return before.root.equals(after.root)
        } catch { return false }
    }

    /// Raw access must survive any bytes.
    private static func walk(_ view: ByteView) {
        var members = RawMembers(view)
        while let member = members.next() {
            _ = member.isNamed("role")
            var elements = RawElements(member.value)
            while elements.next() != nil {}
        }
    }
}
