import Foundation
import MemexModel
import MemexStorage
import MemexTestSupport
import Testing

/// Figures, not rules: run with MEMEX_MEASURE=1 in a release build.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["MEMEX_MEASURE"] == "1"), .serialized)
struct MemoryMeasurements {
    @Test(arguments: [1, 4, 100, 1_000])
    func appends(_ threads: Int) throws {
        let engine = try memoryEngine()
        let keys = try (0..<threads).map { try engine.create("thread \($0)") }
        let batches = keys.map { (key) -> EngineBatch in
            let batch = EngineBatch()
            batch.append(.key(key), [MessageSpec(bytes: [UInt8](repeating: 0x61, count: 430))])
            return batch
        }
        var best = Int64.max
        for _ in 0..<8 {
            let count = 50_000
            let start = Environment.system.monotonic()
            for index in 0..<count {
                _ = try engine.commit(batches[index % threads].operations, until: .never)
            }
            best = min(best, Environment.system.monotonic() - start)
        }
        print("append, \(threads) threads: \(best * 1000 / 50_000) ns, \(50_000 * 1_000_000 / best) a second")
    }

    @Test func keyedAppends() throws {
        let engine = try memoryEngine()
        let key = try engine.create("a")
        let batches = (0..<50_000).map { (index) -> EngineBatch in
            let batch = EngineBatch()
            batch.append(
                .key(key), [MessageSpec(bytes: [UInt8](repeating: 0x61, count: 430))], key: "key \(index)")
            return batch
        }
        let start = Environment.system.monotonic()
        for batch in batches { _ = try engine.commit(batch.operations, until: .never) }
        let spent = Environment.system.monotonic() - start
        print("append with an idempotency key: \(spent * 1000 / 50_000) ns")
    }

    @Test func reads() throws {
        let engine = try memoryEngine()
        let key = try engine.create("a")
        for _ in 0..<100 {
            try engine.add(
                key, Array(repeating: MessageSpec(bytes: [UInt8](repeating: 0x61, count: 430)), count: 1000))
        }
        let range = MessageRange(descending: true, limit: 50)
        var start = Environment.system.monotonic()
        var bytes = 0
        for _ in 0..<10_000 {
            try engine.messages(key, range) { (view) throws(MemexError) -> Bool in
                bytes += view.body.count
                return true
            }
        }
        print("last 50 of 100,000: \((Environment.system.monotonic() - start) / 10) ns")
        start = Environment.system.monotonic()
        for _ in 0..<10_000 { _ = try engine.thread(key: key) }
        print("a thread: \((Environment.system.monotonic() - start) / 10) ns")
        start = Environment.system.monotonic()
        try engine.messages(key, MessageRange()) { (view) throws(MemexError) -> Bool in
            bytes += view.body.count
            return true
        }
        print("whole 100,000: \(Environment.system.monotonic() - start) us, \(bytes) bytes")
    }

    /// A million messages of 384 bytes on average, round robin.
    @Test(arguments: [4, 100])
    func memory(_ threads: Int) throws {
        let engine = try memoryEngine()
        let keys = try (0..<threads).map { try engine.create("thread \($0)") }
        var generator = SeededGenerator(seed: 4)
        let batches = keys.flatMap { key in
            (0..<16).map { _ -> EngineBatch in
                let batch = EngineBatch()
                let body = [UInt8](repeating: 0x61, count: 128 + generator.below(513))
                batch.append(.key(key), [MessageSpec(bytes: body)])
                return batch
            }
        }
        let before = resident()
        var raw = 0
        for _ in 0..<1_000_000 {
            let batch = batches[generator.below(batches.count)]
            if case .append(let operation) = batch.operations[0] { raw += operation.drafts[0].body.count }
            _ = try engine.commit(batch.operations, until: .never)
        }
        print(
            "a million messages in \(threads) threads: \(raw / 1_000_000) MB raw, \((resident() - before) / 1000) MB resident"
        )
    }

    /// Kilobytes.
    private func resident() -> Int {
        let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        for line in text.split(separator: "\n") where line.hasPrefix("VmRSS:") {
            return Int(line.split(separator: " ", omittingEmptySubsequences: true).dropFirst().first ?? "")
                ?? 0
        }
        return 0
    }
}

extension MemoryMeasurements {
    @Test(arguments: [2, 8])
    func concurrentAppends(_ writers: Int) throws {
        let engine = try memoryEngine()
        let keys = try (0..<4).map { try engine.create("thread \($0)") }
        let start = Environment.system.monotonic()
        try runConcurrently(writers) { writer in
            let batch = EngineBatch()
            batch.append(.key(keys[writer % 4]), [MessageSpec(bytes: [UInt8](repeating: 0x61, count: 430))])
            for _ in 0..<50_000 { try batch.commit(engine) }
        }
        let spent = Environment.system.monotonic() - start
        print("\(writers) writers: \(Int64(writers) * 50_000 * 1_000_000 / spent) appends a second")
    }
}
