package import MemexModel
package import MemexStorage

/// Conversations in a journal of JSON lines. One engine a folder in a process, whoever opens it: group commit then
/// spans all of them.
package enum FileEngines {
    package struct Options: Sendable {
        /// Path of the folder.
        package var path: String
        package var readOnly = false
        package var create = true
        /// `full`: an acknowledged commit survives power loss; else it survives the process.
        package var isFullyDurable = true
        package var timeout: Int64 = 30_000_000
        package var environment = Environment.system

        package init(path: String) { self.path = path }
    }

    private static let engines = SharedEngines()

    package static func open(_ options: Options) throws(MemexError) -> any StorageEngine {
        let identity = try StoreFolder.prepare(
            options.path, mark: JournalFile.name,
            others: [FileStore.lockName, JournalRewriter.name, ClosedMark.name, ClosedMark.name + ".new"],
            readOnly: options.readOnly, create: options.create)
        let mode = SharedEngines.Mode(
            isFullyDurable: options.isFullyDurable, isReadOnly: options.readOnly)
        return try engines.open(identity, mode, until: Deadline(after: options.timeout)) {
            () throws(MemexError) -> KeyValueEngine in
            try KeyValueEngine(groups: try FileStore(options, identity), environment: options.environment)
        }
    }

    static func leave(_ identity: StoreFolder.Identity) -> Bool { engines.leave(identity) }

    static func forget(_ identity: StoreFolder.Identity) { engines.forget(identity) }
}
