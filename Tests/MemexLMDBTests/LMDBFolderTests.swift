import Foundation
import MemexModel
import MemexStorage
import MemexTestSupport
import Testing

@testable import MemexLMDB

/// What may be wrong with a folder, and what must not be touched.
@Suite struct LMDBFolderTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        // What follows may go past the function that loads LMDB.
        try LMDBEngines.open(.init(path: folder.path("first"))).close()
    }

    private func open(_ name: String, _ change: (inout LMDBEngines.Options) -> Void = { _ in }) throws
        -> any StorageEngine
    {
        var options = LMDBEngines.Options(path: folder.path(name))
        options.timeout = 200_000
        change(&options)
        return try LMDBEngines.open(options)
    }

    private func write(_ bytes: [UInt8], to name: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: folder.path(name)))
    }

    @Test("A folder is made, one level, for its owner alone")
    func made() throws {
        try open("new").close()
        let attributes = try FileManager.default.attributesOfItem(atPath: folder.path("new"))
        #expect(attributes[.posixPermissions] as? Int == 0o700)
        for name in ["data.mdb", "lock.mdb", "writers.lock"] {
            let file = try FileManager.default.attributesOfItem(atPath: folder.path("new/" + name))
            #expect(file[.posixPermissions] as? Int == 0o600, "\(name)")
        }
        expectError(.io, "a missing parent") { _ = try open("no/such") }
        expectError(.notFound, "not to be created") { _ = try open("other") { $0.create = false } }
        expectError(.notFound, "only to be read") { _ = try open("other") { $0.readOnly = true } }
        #expect(!FileManager.default.fileExists(atPath: folder.path("other")))
    }

    private func makeFolder(_ name: String) throws {
        try FileManager.default.createDirectory(
            atPath: folder.path(name), withIntermediateDirectories: false)
    }

    @Test("What is not ours is refused and stays as it is")
    func foreign() throws {
        try write([1], to: "file")
        expectError(.invalid, "a file") { _ = try open("file") }
        try makeFolder("used")
        try write([1], to: "used/notes.txt")
        expectError(.invalid, "other files") { _ = try open("used") }
        expectError(.notFound, "other files, not to be created") {
            _ = try open("used") { $0.create = false }
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path("used")) == ["notes.txt"])

        try makeFolder("junk")
        try write([UInt8](repeating: 7, count: 20_000), to: "junk/data.mdb")
        expectError(.corrupt, "no LMDB") { _ = try open("junk") }
    }

    /// A store with entries put behind the engine's back.
    private func make(_ name: String, _ entries: [(String, [UInt8])]) throws {
        let path = folder.path(name)
        try makeFolder(name)
        let options = LMDBEngines.Options(path: path)
        let identity = try StoreFolder.prepare(
            path, mark: "data.mdb", others: [], readOnly: false, create: true)
        let store = try LMDBStore(options, identity)
        defer { store.closeFiles() }
        let batch = KeyValueBatch()
        for (key, value) in entries { batch.add(.put, Array(key.utf8), value) }
        #expect(try batch.commit(store))
    }

    @Test("Another program's database and a newer format are refused")
    func others() throws {
        try make("other", [("key", [1])])
        expectError(.invalid, "another program's") { _ = try open("other") }
        try make("newer", [("!format", Array("memex-kv".utf8) + [9, 0, 0, 0])])
        expectError(.newerFormat, "newer") { _ = try open("newer") }
        try make("damaged", [("!format", [1, 2, 3])])
        expectError(.corrupt, "damaged") { _ = try open("damaged") }
    }

    @Test("A file that was cut is CORRUPT, and not read beyond its end")
    func cut() throws {
        let engine = try open("cut")
        for number in 0..<50 {
            var record = ThreadRecord()
            record.id = "thread \(number)"
            record.metadata = [UInt8](repeating: 0x20, count: 5_000)
            _ = try engine.commit([.createThread(record)], until: .never)
        }
        try engine.close()
        let path = folder.path("cut/data.mdb")
        let size = try #require(try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
        let file = try #require(FileHandle(forWritingAtPath: path))
        try file.truncate(atOffset: UInt64(size - 40_960))
        try file.close()
        expectError(.corrupt, "cut") { _ = try open("cut") }
    }

    @Test("Read-only reads, refuses writes, and shares the folder with what is open")
    func readOnly() throws {
        var record = ThreadRecord()
        record.id = "t"
        let writer = try open("store")
        _ = try writer.commit([.createThread(record)], until: .never)
        let shared = try open("store") { $0.readOnly = true }
        #expect(try shared.thread(tenant: "", id: "t") != nil)
        try shared.close()
        try writer.close()

        let reader = try open("store") { $0.readOnly = true }
        #expect(reader.capabilities.isReadOnly)
        #expect(try reader.thread(tenant: "", id: "t") != nil)
        record.id = "u"
        expectError(.io, "a write") { _ = try reader.commit([.createThread(record)], until: .never) }
        expectError(.invalid, "writing beside it") { _ = try open("store") }
        try reader.close()
        try open("store").close()
    }

    @Test("One engine a folder, of one durability, whatever path leads there")
    func shared() throws {
        let first = try open("store")
        try FileManager.default.createSymbolicLink(
            atPath: folder.path("link"), withDestinationPath: folder.path("store"))
        let second = try open("link")
        #expect(first === second)
        expectError(.invalid, "another durability") { _ = try open("store") { $0.isFullyDurable = false } }
        try first.close()
        var record = ThreadRecord()
        record.id = "t"
        _ = try second.commit([.createThread(record)], until: .never)
        try second.close()
        let again = try open("store") { $0.isFullyDurable = false }
        #expect(try again.thread(tenant: "", id: "t") != nil)
        #expect(!again.capabilities.durable)
        try again.flush(until: .never)
        try again.close()
    }

    @Test("Waiting for another process ends at the deadline, and by an interruption")
    func waiting() throws {
        let engine = try open("store")
        defer { try? engine.close() }
        // Another descriptor is as good as another process.
        let other = try ProcessLock(
            path: folder.path("store/writers.lock"), interruptions: Interruptions(), until: .never)
        try other.lock(until: .never)
        var record = ThreadRecord()
        record.id = "t"
        expectError(.timeout, "a write") {
            _ = try engine.commit([.createThread(record)], until: Deadline(after: 50_000))
        }
        let failure = Locked<MemexError?>(nil)
        let isDone = Locked(false)
        let thread = Thread { [record] in
            do { _ = try engine.commit([.createThread(record)], until: Deadline(after: 20_000_000)) } catch {
                failure.withLock { $0 = error as? MemexError }
            }
            isDone.withLock { $0 = true }
        }
        thread.start()
        while !isDone.withLock({ $0 }) {
            engine.interrupt()
            usleep(2_000)
        }
        #expect(failure.withLock { $0?.code } == .cancelled)
        other.unlock()
        _ = try engine.commit([.createThread(record)], until: .never)
    }
}
