package import MemexModel
package import MemexStorage
#if canImport(Glibc)
    internal import Glibc
#endif

/// The databases that this process has open: one engine a file, whoever opens it. Group commit then spans
/// all of them, and no close can drop another's locks.
package enum SQLiteEngines {
    private enum State {
        /// Somebody opens it; others of the same file wait.
        case opening(Turnstile)
        case open(SQLiteEngine)
    }

    private struct Entry {
        let identity: FileWatch.Identity
        let process: Int32
        let isFullyDurable: Bool
        var state: State
        var users: Int
    }

    private static let entries = ProcessWide<[Entry]>([])

    /// What an opener finds, or is to do.
    private enum Step {
        case use(SQLiteEngine)
        case wait(Turnstile)
        case open(Turnstile)
        case fail(MemexError)
    }

    package static func open(_ options: SQLiteEngine.Options) throws(MemexError) -> any StorageEngine {
        guard let path = options.path, !options.readOnly else { return try SQLiteEngine(options) }
        let deadline = Deadline(after: options.timeout, isInterruptible: options.isInterruptible)
        while true {
            let file = try DatabaseFile.prepare(path, readOnly: false, create: options.create)
            // Removed since: the next round says so, or makes it again.
            guard let identity = DatabaseFile.identity(file.path) else { continue }
            switch entries.withLock({ step(&$0, identity, options) }) {
            case .use(let engine): return engine
            case .fail(let error): throw error
            case .wait(let turnstile): try turnstile.wait(until: deadline)
            case .open(let turnstile):
                let result: Result<SQLiteEngine, MemexError>
                do throws(MemexError) { result = .success(try SQLiteEngine(options)) } catch {
                    result = .failure(error)
                }
                entries.withLock { finish(&$0, turnstile, result) }
                turnstile.open()
                return try result.get()
            }
        }
    }

    /// Nothing that takes long happens under the lock: it is held across every fork.
    private static func step(
        _ entries: inout [Entry], _ identity: FileWatch.Identity, _ options: SQLiteEngine.Options
    ) -> Step {
        // What a parent process opened, or was opening, is not ours to use, to wait for or to close.
        entries.removeAll { $0.process != getpid() }
        guard let index = entries.firstIndex(where: { $0.identity == identity }) else {
            let turnstile = Turnstile()
            entries.append(
                Entry(
                    identity: identity, process: getpid(), isFullyDurable: options.isFullyDurable,
                    state: .opening(turnstile), users: 1))
            return .open(turnstile)
        }
        switch entries[index].state {
        case .opening(let turnstile): return .wait(turnstile)
        case .open(let engine):
            guard entries[index].isFullyDurable == options.isFullyDurable else {
                return .fail(
                    MemexError(
                        .invalid,
                        "/durability: this process has the database open with another durability; use the same",
                        detailMembers: "\"path\":\"/durability\""))
            }
            entries[index].users += 1
            return .use(engine)
        }
    }

    private static func finish(
        _ entries: inout [Entry], _ turnstile: Turnstile, _ result: Result<SQLiteEngine, MemexError>
    ) {
        let index = entries.firstIndex {
            if case .opening(let other) = $0.state { return other === turnstile }
            return false
        }
        guard let index else { return }
        if case .success(let engine) = result {
            entries[index].state = .open(engine)
        } else {
            entries.remove(at: index)
        }
    }

    /// True when the last user of the engine left: the caller closes it.
    static func leave(_ engine: SQLiteEngine) -> Bool {
        entries.withLock { entries in
            let index = entries.firstIndex {
                if case .open(let other) = $0.state { return other === engine }
                return false
            }
            guard let index else { return true }
            entries[index].users -= 1
            guard entries[index].users == 0 else { return false }
            entries.remove(at: index)
            return true
        }
    }
}
