import Foundation
import MemexContext
import MemexModel
import MemexTestSupport
import Synchronization

/// Answers by a closure over the parsed input.
final class ClosureStrategy: CustomStrategy {
    private let answer: @Sendable ([String: Any]) throws -> String
    private let onRelease: (@Sendable () -> Void)?

    init(
        onRelease: (@Sendable () -> Void)? = nil,
        _ answer: @escaping @Sendable ([String: Any]) throws -> String
    ) {
        self.answer = answer
        self.onRelease = onRelease
    }

    deinit { onRelease?() }

    func select(input: ByteView, reply: inout ByteBuffer) throws(MemexError) {
        let data = Data(input)
        guard let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else {
            throw MemexError(.callback, "the input is no JSON")
        }
        do {
            reply.append(text: try answer(object))
        } catch {
            throw MemexError(.callback, "it failed")
        }
    }

    static func messages(_ input: [String: Any]) -> [[String: Any]] {
        input["messages"] as? [[String: Any]] ?? []
    }
    static func seqs(_ input: [String: Any]) -> [Int] { messages(input).compactMap { $0["seq"] as? Int } }
}

/// Registers a strategy for the time of a test.
func withStrategy(_ name: String, _ strategy: any CustomStrategy, _ body: () throws -> Void) throws {
    try withBytes(name) { try StrategyRegistry.register($0, strategy) }
    defer { try? withBytes(name) { try StrategyRegistry.unregister($0) } }
    try body()
}

/// Keeps messages at random, in whole groups or not.
func randomStrategy() -> ClosureStrategy {
    ClosureStrategy { input in
        let config = input["config"] as? [String: Any] ?? [:]
        var random = SeededGenerator(seed: UInt64(config["seed"] as? Int ?? 0))
        let share = 1 + random.below(10)
        let kept = ClosureStrategy.seqs(input).filter { _ in random.below(10) < share }
        return #"{"keep":[\#(kept.map(String.init).joined(separator: ","))]}"#
    }
}
