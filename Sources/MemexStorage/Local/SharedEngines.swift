internal import CMemexShim
#if canImport(Glibc)
    internal import Glibc
#endif
package import MemexModel

/// The stores that this process has open: one engine a folder, whoever opens it, so that group commit spans
/// all of them. What a parent process opened is not ours to use or to close.
package final class SharedEngines: Sendable {
    /// How a store is open; all who share it must want the same.
    package struct Mode: Sendable, Equatable {
        package var isFullyDurable: Bool
        package var isReadOnly: Bool

        package init(isFullyDurable: Bool, isReadOnly: Bool) {
            self.isFullyDurable = isFullyDurable
            self.isReadOnly = isReadOnly
        }
    }

    private struct Entry {
        let identity: StoreFolder.Identity
        let process: Int32
        let mode: Mode
        /// Nil while it is being opened or closed.
        var engine: KeyValueEngine?
        var users: Int
    }

    private enum Answer {
        case found(KeyValueEngine)
        case mine
        case wait
        case refused(MemexError)
    }

    private let entries = ProcessWide<[Entry]>([])

    package init() {}

    package func open(
        _ identity: StoreFolder.Identity, _ mode: Mode, until deadline: Deadline,
        _ make: () throws(MemexError) -> KeyValueEngine
    ) throws(MemexError) -> KeyValueEngine {
        while true {
            switch ask(identity, mode) {
            case .found(let engine): return engine
            case .refused(let error): throw error
            case .wait:
                if deadline.isPast {
                    throw MemexError(.timeout, "another thread is opening or closing this store; call again")
                }
                memex_shim_sleep_us(500)
            case .mine:
                do throws(MemexError) {
                    let engine = try make()
                    change(identity) { $0.engine = engine }
                    return engine
                } catch {
                    forget(identity)
                    throw error
                }
            }
        }
    }

    private func ask(_ identity: StoreFolder.Identity, _ mode: Mode) -> Answer {
        entries.withLock { entries in
            entries.removeAll { $0.process != getpid() }
            guard let index = entries.firstIndex(where: { $0.identity == identity }) else {
                entries.append(
                    Entry(identity: identity, process: getpid(), mode: mode, engine: nil, users: 1))
                return .mine
            }
            guard let engine = entries[index].engine else { return .wait }
            let open = entries[index].mode
            // Writing is refused by the store that was opened read-only, not by the engine it shares.
            if open.isReadOnly, !mode.isReadOnly {
                return .refused(
                    MemexError(
                        .invalid,
                        "/read_only: this process has the store open read-only; close that first",
                        detailMembers: "\"path\":\"/read_only\""))
            }
            guard mode.isReadOnly || open.isFullyDurable == mode.isFullyDurable else {
                return .refused(
                    MemexError(
                        .invalid,
                        "/durability: this process has the store open with another durability; use the same",
                        detailMembers: "\"path\":\"/durability\""))
            }
            entries[index].users += 1
            return .found(engine)
        }
    }

    private func change(_ identity: StoreFolder.Identity, _ body: (inout Entry) -> Void) {
        entries.withLock { entries in
            guard let index = entries.firstIndex(where: { $0.identity == identity }) else { return }
            body(&entries[index])
        }
    }

    /// True when the last user of the engine left: the caller closes it, and calls `forget` then.
    package func leave(_ identity: StoreFolder.Identity) -> Bool {
        var isLast = true
        change(identity) { entry in
            entry.users -= 1
            isLast = entry.users == 0
            if isLast { entry.engine = nil }
        }
        return isLast
    }

    package func forget(_ identity: StoreFolder.Identity) {
        entries.withLock { entries in entries.removeAll { $0.identity == identity } }
    }
}
