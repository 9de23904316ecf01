internal import CMemexShim
#if canImport(Glibc)
    internal import Glibc
#endif
internal import MemexModel
internal import MemexStorage

/// A folder with a journal as an ordered store.
final class FileStore: GroupStore, @unchecked Sendable {
    static let lockName = "writers.lock"

    let traits: OrderedStoreTraits
    private let state: FileState
    private let fileGroup: FileGroup
    /// Nil for a store that is only read.
    private let lock: ProcessLock?
    private let interruptions = Interruptions()
    private let identity: StoreFolder.Identity
    private let timeout: Int64
    private let environment: Environment
    private var poison: MemexError?

    init(_ options: FileEngines.Options, _ identity: StoreFolder.Identity) throws(MemexError) {
        self.identity = identity
        timeout = options.timeout
        environment = options.environment
        var traits = OrderedStoreTraits()
        traits.durable = options.isFullyDurable
        traits.isReadOnly = options.readOnly
        traits.erases = true
        self.traits = traits
        let deadline = Deadline(after: options.timeout)
        if options.readOnly {
            lock = nil
        } else {
            let lock = try ProcessLock(
                path: options.path + "/" + Self.lockName, interruptions: interruptions, until: deadline)
            self.lock = lock
            try lock.lock(until: deadline)
            defer { lock.unlock() }
            if memex_shim_file_size(options.path + "/" + JournalFile.name) <= 0 {
                try Self.create(options)
            }
        }
        state = try FileState(folder: options.path, readOnly: options.readOnly)
        fileGroup = FileGroup(state)
    }

    /// A journal is written under another name first: one that is there has its first line.
    private static func create(_ options: FileEngines.Options) throws(MemexError) {
        let path = options.path + "/" + JournalRewriter.name
        let file = try JournalFile(path: path, flags: O_RDWR | O_CREAT | O_TRUNC)
        let header = JournalFile.header(options.environment)
        var code = file.write(header.view, at: 0)
        if code == 0 { code = file.sync() }
        if code == 0, rename(path, options.path + "/" + JournalFile.name) != 0 { code = memex_shim_errno() }
        guard code == 0 else { throw SystemRefusal.error(code, "the journal cannot be created") }
        StoreFolder.sync(options.path)
    }

    // MARK: Reading

    func get(_ key: ByteView, _ visit: (ByteView) throws(MemexError) -> Void) throws(MemexError) -> Bool {
        try state.read { () throws(MemexError) in try state.get(key, visit) }
    }

    func scan(
        from: ByteView, to: ByteView, descending: Bool, limit: Int64,
        _ visit: (ByteView, ByteView) throws(MemexError) -> Bool
    ) throws(MemexError) {
        try state.read { () throws(MemexError) in
            try state.scanIndex(from: from, to: to, descending: descending, limit: limit, visit)
        }
    }

    // MARK: Writing

    var group: any OrderedStore { fileGroup }
    var isGroupBroken: Bool { fileGroup.isBroken }

    func commit(_ writes: UnsafeBufferPointer<KeyValueWrite>) throws(MemexError) -> Bool {
        try commitAlone(writes, until: Deadline(after: timeout))
    }

    func beginGroup(until deadline: Deadline) throws(MemexError) -> Bool {
        guard let lock else {
            throw MemexError(.io, "the store was opened read-only; open it without read_only to write")
        }
        if let poison { throw poison }
        try lock.lock(until: deadline)
        do throws(MemexError) {
            let isContinued = try state.beginWriting()
            fileGroup.begin()
            return isContinued
        } catch {
            lock.unlock()
            throw error
        }
    }

    func endGroup() throws(MemexError) {
        defer {
            state.endWriting()
            lock?.unlock()
        }
        if fileGroup.isEmpty { return }
        do throws(MemexError) {
            let lines = try fileGroup.finished()
            try write(lines)
            state.bring(fileGroup, bytes: lines.count)
        } catch {
            fileGroup.forget()
            throw error
        }
    }

    private func write(_ lines: ByteView) throws(MemexError) {
        let journal = state.journal
        let code = journal.write(lines, at: state.end)
        guard code == 0 else {
            // A part of a commit is none; it is only in the way.
            let cut = journal.cut(state.end)
            if cut != 0 { poison(cut) }
            throw SystemRefusal.error(code, "the journal cannot be written; nothing was stored")
        }
        guard traits.durable else { return }
        let synced = journal.sync()
        guard synced != 0 else { return }
        // A failed sync may have dropped what it was to write: nothing that follows can be trusted.
        poison(synced)
        throw MemexError(
            .outcomeUnknown,
            "the disk refused while committing; open the store again and repeat the call with its "
                + "idempotency key", detailMembers: "\"engine\":\"file\",\"errno\":\(synced)")
    }

    private func poison(_ code: Int32) {
        poison = MemexError(
            .poisoned, "an earlier write to stable storage failed; close the store and open it again",
            detailMembers: "\"engine\":\"file\",\"errno\":\(code)")
    }

    func abandonGroup() {
        fileGroup.forget()
        state.endWriting()
        lock?.unlock()
    }

    func makesRoom(after failure: MemexError) throws(MemexError) -> Bool { false }

    func interrupt() { interruptions.raise() }

    // MARK: Upkeep

    func flush(until deadline: Deadline) throws(MemexError) {
        guard lock != nil, !traits.durable else { return }
        let code = state.journal.sync()
        guard code == 0 else { throw SystemRefusal.error(code, "the journal cannot be made durable") }
    }

    /// Rewrites the journal when more than half of it says nothing any more.
    func maintain(until deadline: Deadline) throws(MemexError) {
        let counts = try state.read { () throws(MemexError) in state.counts }
        guard counts.garbage > counts.bytes / 2, counts.garbage > 1 << 20 else { return }
        try rewrite(until: deadline, wipes: false)
    }

    func wipe(until deadline: Deadline) throws(MemexError) { try rewrite(until: deadline, wipes: true) }

    private func rewrite(until deadline: Deadline, wipes: Bool) throws(MemexError) {
        _ = try beginGroup(until: deadline)
        defer { abandonGroup() }
        let old = state.journal
        let rewriter = try JournalRewriter(folder: state.folder, environment)
        try state.forEach { (key, value) throws(MemexError) -> Void in try rewriter.add(key, value) }
        try rewriter.finish(state)
        if wipes { JournalRewriter.wipe(old) }
    }

    func problems(until deadline: Deadline) throws(MemexError) -> [String] {
        let damages = try state.read { () throws(MemexError) in state.damages }
        if damages == 0 { return [] }
        return ["\(damages) lines of the journal are damaged or missing; restore it from a backup"]
    }

    func statistics() throws(MemexError) -> String {
        let counts = try state.read { () throws(MemexError) in state.counts }
        return "\"entries\":\(counts.entries),\"bytes\":\(counts.bytes),\"garbage_bytes\":\(counts.garbage)"
    }

    func leave() -> Bool { FileEngines.leave(identity) }

    func close() throws(MemexError) {
        if let lock, poison == nil, (try? lock.lock(until: Deadline(after: 1_000_000))) != nil {
            // Others may write with normal durability.
            if state.journal.sync() == 0 {
                ClosedMark.write(state.folder, id: state.id, end: state.end)
            }
            lock.unlock()
        }
        FileEngines.forget(identity)
    }
}
