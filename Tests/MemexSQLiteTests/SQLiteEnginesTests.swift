import Foundation
import MemexModel
import MemexSQLite
import MemexStorage
import MemexTestSupport
import Testing

@Suite struct SQLiteEnginesTests {
    /// Another process that writes: a lock of another open file counts as one.
    private final class WritersLock {
        private let descriptor: Int32

        init(_ path: String) throws {
            try SQLiteEngine(.init(path: path)).close()
            descriptor = open(path + "-lock", O_RDWR)
            #expect(flock(descriptor, LOCK_EX) == 0)
        }

        func release() { close(descriptor) }
    }

    /// Threads that open a file, and what became of them.
    private final class Openers: Sendable {
        private let engines = Locked<[any StorageEngine]>([])
        private let errors = Locked<[MemexError]>([])
        private let threads = Locked<[Thread]>([])

        var ended: Int { engines.withLock { $0.count } + errors.withLock { $0.count } }
        var opened: [any StorageEngine] { engines.withLock { $0 } }

        func start(_ path: String, timeout: Int64 = 60_000_000) {
            let thread = Thread { [engines, errors] in
                do throws(MemexError) {
                    var options = SQLiteEngine.Options(path: path)
                    options.timeout = timeout
                    let engine = try SQLiteEngines.open(options)
                    engines.withLock { $0.append(engine) }
                } catch { errors.withLock { $0.append(error) } }
            }
            threads.withLock { $0.append(thread) }
            thread.start()
        }

        func wait(for count: Int) { while ended < count { usleep(1_000) } }
    }

    @Test func openingOneFileHoldsUpNoOther() throws {
        let folder = try TemporaryFolder()
        let lock = try WritersLock(folder.path("busy.db"))
        let openers = Openers()
        for _ in 0..<3 { openers.start(folder.path("busy.db")) }
        usleep(50_000)
        let other = try SQLiteEngines.open(.init(path: folder.path("other.db")))
        #expect(openers.ended == 0, "the others wait as long as the lock is held")
        try other.close()
        lock.release()
        openers.wait(for: 3)
        #expect(openers.opened.count == 3 && openers.opened.allSatisfy { $0 === openers.opened[0] })
        for engine in openers.opened { try engine.close() }
    }

    @Test func whoeverWaitsTriesWhenTheFirstOpenerFails() throws {
        let folder = try TemporaryFolder()
        let lock = try WritersLock(folder.path("busy.db"))
        let openers = Openers()
        openers.start(folder.path("busy.db"), timeout: 300_000)
        usleep(50_000)
        openers.start(folder.path("busy.db"))
        openers.wait(for: 1)
        #expect(openers.opened.isEmpty, "the first one's time is over")
        lock.release()
        openers.wait(for: 2)
        #expect(openers.opened.count == 1, "the second one opens it")
        for engine in openers.opened { try engine.close() }
    }
}
