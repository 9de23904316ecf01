internal import CMemexShim
package import MemexModel
package import MemexStorage

/// Conversations in LMDB. One environment a folder in a process, whoever opens it: LMDB must not be opened
/// twice, and group commit then spans all users.
package enum LMDBEngines {
    package struct Options: Sendable {
        /// Path of the folder.
        package var path: String
        package var readOnly = false
        package var create = true
        /// `full`: an acknowledged commit survives power loss; else the last one may be lost.
        package var isFullyDurable = true
        package var timeout: Int64 = 30_000_000
        /// A copy of LMDB to use when the process and the system have none.
        package var fallbackLibrary: String?
        package var environment = Environment.system
        /// Bytes of address space that are mapped at first; the map grows by itself.
        package var initialMap = 1 << 30

        package init(path: String) { self.path = path }
    }

    private static let engines = SharedEngines()

    package static func open(_ options: Options) throws(MemexError) -> any StorageEngine {
        if let reason = memex_lmdb_load(options.fallbackLibrary) {
            throw MemexError(.unavailable, String(cString: reason))
        }
        let identity = try StoreFolder.prepare(
            options.path, mark: LMDBEnvironment.dataName,
            others: [LMDBEnvironment.lockName, LMDBStore.lockName], readOnly: options.readOnly,
            create: options.create)
        let mode = SharedEngines.Mode(
            isFullyDurable: options.isFullyDurable, isReadOnly: options.readOnly)
        return try engines.open(identity, mode, until: Deadline(after: options.timeout)) {
            () throws(MemexError) -> KeyValueEngine in
            let store = try LMDBStore(options, identity)
            do throws(MemexError) {
                return try KeyValueEngine(groups: store, environment: options.environment)
            } catch {
                store.closeFiles()
                throw error
            }
        }
    }

    static func leave(_ identity: StoreFolder.Identity) -> Bool { engines.leave(identity) }

    static func forget(_ identity: StoreFolder.Identity) { engines.forget(identity) }
}
