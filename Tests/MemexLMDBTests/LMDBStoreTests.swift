import Foundation
import MemexLMDB
import MemexModel
import MemexStorage
import MemexTestSupport
import Testing

@Suite struct LMDBStoreTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func open(_ change: (inout LMDBEngines.Options) -> Void = { _ in }) throws -> any StorageEngine {
        var options = LMDBEngines.Options(path: folder.path("store"))
        change(&options)
        return try LMDBEngines.open(options)
    }

    private func append(_ engine: any StorageEngine, _ key: Int64, _ body: String) throws {
        try engine.add(key, [MessageSpec(body)])
    }

    @Test("A map that is full grows, in the middle of a group too, and nothing is lost")
    func growth() throws {
        let engine = try open { $0.initialMap = 64 << 10 }
        let writers = 8
        let each = 40
        let keys = try (0..<writers).map { try engine.create("t\($0)") }
        try runConcurrently(writers) { number in
            for index in 0..<each {
                try append(
                    engine, keys[number], "\"\(number) \(index) \(String(repeating: "x", count: 4_000))\"")
            }
        }
        for key in keys {
            var seqs: [Int64] = []
            try engine.messages(key, MessageRange()) { (view) throws(MemexError) -> Bool in
                try view.verify()
                seqs.append(view.seq)
                return true
            }
            #expect(seqs == Array(1...Int64(each)))
        }
        let statistics = try engine.statistics()
        let map = try #require(statistics.firstMatch(of: /"map_bytes":(\d+)/).flatMap { Int($0.1) })
        #expect(map >= 2 << 20)
        try engine.expectSound("after growing")
        try engine.close()
    }

    @Test("A record whose bytes were changed in the file is CORRUPT; the others are readable")
    func damage() throws {
        let engine = try open()
        let key = try engine.create("t")
        for index in 0..<20 { try append(engine, key, "\"message number \(index) here\"") }
        try engine.close()
        let path = folder.path("store/data.mdb")
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        // Pages that a later one replaced hold it, too.
        var from = bytes.startIndex
        while let found = bytes.range(of: Data("message number 7 here".utf8), in: from..<bytes.endIndex) {
            bytes[found.lowerBound] ^= 1
            from = found.upperBound
        }
        try bytes.write(to: URL(fileURLWithPath: path))
        let again = try open()
        var damaged: [Int64] = []
        var whole = 0
        try again.messages(key, MessageRange()) { (view) throws(MemexError) -> Bool in
            do throws(MemexError) { try view.verify() } catch {
                #expect(error.code == .corrupt)
                damaged.append(view.seq)
                return true
            }
            whole += 1
            return true
        }
        #expect(damaged == [8] && whole == 19)
        #expect(try !again.check(until: .never).isEmpty)
        try again.close()
    }

    @Test("Readers see the committed state, at once and together with a writer")
    func manyReaders() throws {
        let engine = try open()
        let key = try engine.create("t")
        try append(engine, key, "1")
        try runConcurrently(40) { number in
            if number == 0 {
                for index in 0..<200 { try append(engine, key, "\(index)") }
                return
            }
            for _ in 0..<50 {
                var last: Int64 = 0
                try engine.messages(key, MessageRange()) { (view) throws(MemexError) -> Bool in
                    #expect(view.seq == last + 1)
                    last = view.seq
                    return true
                }
                #expect(last >= 1)
            }
        }
        try engine.close()
    }
}
