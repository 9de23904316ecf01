internal import CMemexShim
package import MemexModel
package import MemexStorage
#if canImport(Glibc)
    internal import Glibc
#endif

/// The databases that this process has open: one engine a file, whoever opens it. Group commit then spans
/// all of them, and no close can drop another's locks.
package enum SQLiteEngines {
    private struct Entry {
        let identity: (UInt64, UInt64)
        let process: Int32
        let isFullyDurable: Bool
        let engine: SQLiteEngine
        var users: Int
    }

    private static let entries = ProcessWide<[Entry]>([])

    package static func open(_ options: SQLiteEngine.Options) throws(MemexError) -> any StorageEngine {
        guard let path = options.path, !options.readOnly else { return try SQLiteEngine(options) }
        _ = try DatabaseFile.prepare(path, readOnly: false, create: options.create)
        guard let identity = DatabaseFile.identity(path) else {
            throw MemexError(.io, "the database file vanished while it was opened")
        }
        var result: Result<SQLiteEngine, MemexError> = .failure(.noMemory)
        entries.withLock { entries in
            // What a parent process opened is not ours to use or to close.
            entries.removeAll { $0.process != getpid() }
            if let index = entries.firstIndex(where: { $0.identity == identity }) {
                guard entries[index].isFullyDurable == options.isFullyDurable else {
                    result = .failure(
                        MemexError(
                            .invalid,
                            "/durability: this process has the database open with another durability; "
                                + "use the same", detailMembers: "\"path\":\"/durability\""))
                    return
                }
                entries[index].users += 1
                result = .success(entries[index].engine)
                return
            }
            do throws(MemexError) {
                let engine = try SQLiteEngine(options)
                entries.append(
                    Entry(
                        identity: identity, process: getpid(), isFullyDurable: options.isFullyDurable,
                        engine: engine, users: 1))
                result = .success(engine)
            } catch { result = .failure(error) }
        }
        return try result.get()
    }

    /// True when the last user of the engine left: the caller closes it.
    static func leave(_ engine: SQLiteEngine) -> Bool {
        entries.withLock { entries in
            guard let index = entries.firstIndex(where: { $0.engine === engine }) else { return true }
            entries[index].users -= 1
            guard entries[index].users == 0 else { return false }
            entries.remove(at: index)
            return true
        }
    }
}
