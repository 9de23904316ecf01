internal import MemexModel
internal import MemexStorage
#if canImport(Glibc)
    internal import Glibc
#endif

/// `memory:name`: one engine a name in this process, kept as long as somebody has it open.
enum SharedMemory {
    private struct Entry {
        let engine: any StorageEngine
        /// Who opened it. A forked child has stores of its own: of its parent's, a thread that the child does not
        /// have may hold the locks.
        let process: Int32
        var users: Int
    }

    private static let entries = ProcessWide<[String: Entry]>([:])

    static func open(_ name: String, create: Bool, _ environment: Environment) throws(MemexError)
        -> any StorageEngine
    {
        let result: Result<any StorageEngine, MemexError> = entries.withLock { entries in
            if var entry = entries[name], entry.process == getpid() {
                entry.users += 1
                entries[name] = entry
                return .success(entry.engine)
            }
            guard create else {
                return .failure(
                    MemexError(
                        .notFound, "no store of this name is open in the process, and it is not to be created"
                    ))
            }
            do throws(MemexError) {
                let engine = try memoryEngine(environment: environment)
                entries[name] = Entry(engine: engine, process: getpid(), users: 1)
                return .success(engine)
            } catch { return .failure(error) }
        }
        return try result.get()
    }

    /// True when the last user left: the caller closes the engine.
    static func leave(_ name: String) -> Bool {
        entries.withLock { entries in
            guard var entry = entries[name] else { return true }
            entry.users -= 1
            entries[name] = entry.users > 0 ? entry : nil
            return entry.users == 0
        }
    }
}
