import Foundation
import MemexModel
import MemexStorage
import Testing

/// Runs a body on some threads at once and throws the first error.
package func runConcurrently(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws {
    final class Shared: Sendable {
        let errors = Locked<[any Error]>([])
        let done = DispatchGroup()
    }
    let shared = Shared()
    for index in 0..<count {
        shared.done.enter()
        let thread = Thread {
            do { try body(index) } catch { shared.errors.withLock { $0.append(error) } }
            shared.done.leave()
        }
        thread.stackSize = 1 << 20
        thread.start()
    }
    shared.done.wait()
    if let error = shared.errors.withLock({ $0.first }) { throw error }
}

extension StorageEngineChecker {
    func checkWritersOnOneThread(_ engine: any StorageEngine) throws {
        let key = try engine.create("a")
        try checkWriters(engine, [key])
    }

    func checkWritersOnSeveralThreads(_ engine: any StorageEngine) throws {
        try checkWriters(engine, try (0..<5).map { try engine.create("thread \($0)") })
    }

    private func checkWriters(_ engine: any StorageEngine, _ keys: [Int64]) throws {
        let count = appendsPerWriter
        let answers = Locked<[Int64: [Int64]]>([:])
        try runConcurrently(8) { writer in
            for index in 0..<count {
                let key = keys[(writer + index) % keys.count]
                let text = "writer \(writer), message \(index)"
                let result = try engine.add(
                    key, [MessageSpec(text)], idempotencyKey: index % 10 == 0 ? text : "")
                answers.withLock { $0[key, default: []].append(result.firstSeq) }
                if index % 25 == 0 { try engine.update(key) { $0.changesDelta = 1 } }
                if index % 50 == 0 {
                    let again = try engine.add(key, [MessageSpec(text)], idempotencyKey: text)
                    #expect(again.isDuplicate && again.firstSeq == result.firstSeq)
                }
            }
        }
        var texts: Set<String> = []
        var total = 0
        for key in keys {
            let rows = try engine.rows(key)
            #expect(rows.map { $0.seq } == Array(1..<Int64(rows.count + 1)), "dense")
            #expect(
                answers.withLock { ($0[key] ?? []).sorted() } == rows.map { $0.seq },
                "every answer is a row")
            #expect(
                rows.map { $0.createdAt } == rows.map { $0.createdAt }.sorted(), "times never fall")
            #expect(rows.allSatisfy { $0.isIntact })
            texts.formUnion(rows.map { String(decoding: $0.body, as: UTF8.self) })
            total += rows.count
        }
        #expect(total == 8 * count && texts.count == 8 * count, "nothing lost, nothing twice")
        let changes = try keys.map { try engine.record($0).changes }.reduce(0, +)
        #expect(changes == 8 * Int64((count + 24) / 25), "no update lost")
    }

    func checkReadsDuringWrites(_ engine: any StorageEngine) throws {
        let keys = try (0..<3).map { try engine.create("thread \($0)") }
        let count = Int64(appendsPerWriter * 2)
        let flag = Flag()
        try runConcurrently(5) { index in
            if index == 0 {
                defer { flag.set() }
                for number in 1...count {
                    for key in keys {
                        try engine.add(key, [MessageSpec("\(number)"), MessageSpec("\(-number)")])
                    }
                }
                return
            }
            var last: [Int64] = [0, 0, 0]
            var going = true
            while going {
                going = !flag.isSet
                for (place, key) in keys.enumerated() {
                    let record = try engine.record(key)
                    #expect(record.lastSeq >= last[place], "the last seq never falls")
                    #expect(record.lastSeq % 2 == 0, "an append is seen whole")
                    last[place] = record.lastSeq
                    let range = MessageRange(to: record.lastSeq, descending: true, limit: 20)
                    let rows = try engine.rows(key, range)
                    let low = max(record.lastSeq - 19, 1)
                    #expect(
                        rows.map { $0.seq }
                            == Array((low...max(record.lastSeq, low)).reversed()).filter {
                                $0 <= record.lastSeq
                            })
                    #expect(rows.allSatisfy { $0.isIntact }, "no message is seen half")
                }
            }
        }
        for key in keys { #expect(try engine.record(key).lastSeq == count * 2) }
    }
}

/// Lets others run for a moment.
package func pause() { Thread.sleep(forTimeInterval: 0.001) }
