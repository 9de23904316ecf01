import Foundation
import MemexModel
import MemexStorage
import MemexTestSupport
import Testing

@testable import MemexFile

/// What stands in the journal, and what happens to it.
@Suite struct FileStoreTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private var journal: String { folder.path("store/journal.jsonl") }

    private func open(_ change: (inout FileEngines.Options) -> Void = { _ in }) throws -> any StorageEngine {
        var options = FileEngines.Options(path: folder.path("store"))
        options.isFullyDurable = false
        change(&options)
        return try FileEngines.open(options)
    }

    /// As another process would have it: beside the registry.
    private func openBeside() throws -> KeyValueEngine {
        var options = FileEngines.Options(path: folder.path("store"))
        options.isFullyDurable = false
        let identity = try StoreFolder.prepare(
            options.path, mark: JournalFile.name, others: [], readOnly: false, create: true)
        return try KeyValueEngine(groups: try FileStore(options, identity))
    }

    private func bytes() throws -> Data { try Data(contentsOf: URL(fileURLWithPath: journal)) }

    private func write(_ data: Data) throws { try data.write(to: URL(fileURLWithPath: journal)) }

    private func bodies(_ engine: any StorageEngine, _ key: Int64) throws -> [String] {
        var found: [String] = []
        try engine.messages(key, MessageRange()) { (view) throws(MemexError) -> Bool in
            try view.verify()
            found.append(String(decoding: view.body, as: UTF8.self))
            return true
        }
        return found
    }

    @Test("Every line is JSON, and a message's line holds its body as it was given")
    func lines() throws {
        let engine = try open()
        let key = try engine.create("order-17")
        let body = #"{"role":"user","content":"a \"quoted\" ключ 🚀","n":[1, 2.50]}"#
        try engine.add(key, [MessageSpec(body)])
        try engine.add(key, [MessageSpec("{\n  \"role\": \"user\"\n}"), MessageSpec(id: "mine")])
        #expect(try bodies(engine, key)[1] == "{\n  \"role\": \"user\"\n}", "a body of several lines")
        try engine.close()
        let text = String(decoding: try bytes(), as: UTF8.self)
        #expect(text.hasSuffix("\n"))
        for line in text.split(separator: "\n") {
            _ = try JSONSerialization.jsonObject(with: Data(line.utf8))
        }
        #expect(text.contains("\"body\":" + body + ","))
        let again = try open()
        #expect(try bodies(again, key).count == 3)
        try again.expectSound("after reopening")
        try again.close()
    }

    @Test("A write that was cut off anywhere leaves the commits before it; the next writer removes it")
    func torn() throws {
        var engine = try open()
        let key = try engine.create("t")
        try engine.add(key, [MessageSpec("{\"n\":1}")])
        let whole = try bytes()
        try engine.add(key, [MessageSpec("{\"n\":2}"), MessageSpec("{\"n\":3}")])
        let all = try bytes()
        try engine.close()
        try FileManager.default.removeItem(atPath: folder.path("store/closed"))
        for length in whole.count..<all.count {
            try write(all.prefix(length))
            engine = try open()
            #expect(try bodies(engine, key) == ["{\"n\":1}"], "cut at \(length)")
            try engine.add(key, [MessageSpec("{\"n\":4}")])
            #expect(try bodies(engine, key) == ["{\"n\":1}", "{\"n\":4}"], "cut at \(length)")
            try engine.expectSound("cut at \(length)")
            try engine.close()
            try FileManager.default.removeItem(atPath: folder.path("store/closed"))
        }
    }

    @Test("What is missing at the end of a journal that was closed is noticed")
    func cutAfterwards() throws {
        let engine = try open()
        let key = try engine.create("t")
        for number in 0..<5 { try engine.add(key, [MessageSpec("{\"n\":\(number)}")]) }
        try engine.close()
        try write(try bytes().dropLast(30))
        let again = try open()
        #expect(try !again.check(until: .never).isEmpty)
        try again.close()
    }

    @Test("Two processes see each other's commits, in one order")
    func others() throws {
        let first = try open()
        let second = try openBeside()
        let key = try first.create("t")
        try runConcurrently(2) { number in
            for _ in 0..<100 {
                try (number == 0 ? first : second as any StorageEngine).add(
                    key, [MessageSpec("{\"by\":\(number)}")])
            }
        }
        let found = try bodies(first, key)
        #expect(try found.count == 200 && found == bodies(second, key))
        #expect(found.filter { $0 == "{\"by\":1}" }.count == 100)
        try first.expectSound("first")
        try second.expectSound("second")
        try first.close()
        try second.close()
    }

    @Test("What a reader has taken in of others is known to the next writer")
    func readThenWrite() throws {
        let first = try open()
        let second = try openBeside()
        let key = try first.create("t")
        for number in 0..<10 {
            try first.add(key, [MessageSpec("{\"first\":\(number)}")])
            #expect(try bodies(second, key).count == 2 * number + 1)
            try second.add(key, [MessageSpec("{\"second\":\(number)}")])
            #expect(try bodies(first, key).count == 2 * number + 2)
        }
        try second.close()
        try first.close()
    }

    @Test("Erased bytes are in no file, and another process goes on with the new journal")
    func wipe() throws {
        let first = try open()
        let second = try openBeside()
        let key = try first.create("t")
        for number in 0..<20 { try first.add(key, [MessageSpec("{\"text\":\"secret \(number)\"}")]) }
        #expect(try bodies(second, key).count == 20)
        let batch = EngineBatch()
        batch.add(.removeMessages(.key(key), above: 5))
        try batch.commit(first)
        try first.wipe(until: .never)
        #expect(try bytes().range(of: Data("secret 7".utf8)) == nil)
        #expect(try bodies(second, key).count == 5)
        try second.add(key, [MessageSpec("{\"text\":\"after\"}")])
        #expect(try bodies(first, key).last == "{\"text\":\"after\"}")
        try second.expectSound("second")
        try second.close()
        try first.close()
        let again = try open()
        #expect(try bodies(again, key).count == 6)
        try again.expectSound("after reopening")
        try again.close()
    }

    @Test("Flipped bytes are detected or without effect, and other threads stay readable")
    func flips() throws {
        let engine = try open()
        var keys: [Int64] = []
        for thread in 0..<8 { keys.append(try engine.create("t\(thread)")) }
        for number in 0..<25 {
            for key in keys { try engine.add(key, [MessageSpec("{\"of\":\(key),\"n\":\(number)}")]) }
        }
        var truth: [Int64: [String]] = [:]
        for key in keys { truth[key] = try bodies(engine, key) }
        try engine.close()
        let whole = try bytes()
        let rounds = ProcessInfo.processInfo.environment["MEMEX_FLIPS"].flatMap { Int($0) } ?? 500
        var generator = SeededGenerator(seed: 7)
        var (refused, found, hidden) = (0, 0, 0)
        for round in 0..<rounds {
            var damaged = whole
            let place = generator.below(whole.count)
            damaged[place] ^= UInt8(1 << generator.below(8))
            try write(damaged)
            let engine: any StorageEngine
            do throws(MemexError) { engine = try openThrowing() } catch {
                #expect([.corrupt, .newerFormat].contains(error.code), "round \(round): \(error.message)")
                refused += 1
                continue
            }
            var readable = 0
            var isSeen = false
            for key in keys {
                let now = try? bodies(engine, key)
                if now == truth[key] { readable += 1 } else if now == nil { isSeen = true }
            }
            if try !engine.check(until: .never).isEmpty { isSeen = true }
            #expect(
                readable >= keys.count - 1, "round \(round), byte \(place): \(readable) threads are whole")
            #expect(isSeen || readable == keys.count, "round \(round), byte \(place) is not noticed")
            if isSeen { found += 1 } else { hidden += 1 }
            try engine.close()
        }
        print("\(rounds) flips: \(refused) refused at the open, \(found) found, \(hidden) without effect")
    }

    private func openThrowing() throws(MemexError) -> any StorageEngine {
        var options = FileEngines.Options(path: folder.path("store"))
        options.isFullyDurable = false
        return try FileEngines.open(options)
    }

    @Test("A journal that says little any more is rewritten by maintain")
    func compaction() throws {
        let engine = try open()
        let key = try engine.create("t")
        let text = String(repeating: "x", count: 4_000)
        for number in 0..<500 { try engine.add(key, [MessageSpec("{\"n\":\(number),\"x\":\"\(text)\"}")]) }
        let batch = EngineBatch()
        batch.add(.removeMessages(.key(key), above: 10))
        try batch.commit(engine)
        let before = try bytes().count
        try engine.maintain(until: .never)
        #expect(try bytes().count < before / 10)
        #expect(try bodies(engine, key).count == 10)
        try engine.expectSound("after maintain")
        try engine.close()
        let again = try open()
        #expect(try bodies(again, key).count == 10)
        try again.close()
    }
}
