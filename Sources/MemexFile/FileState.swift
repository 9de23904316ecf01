internal import CMemexShim
#if canImport(Glibc)
    internal import Glibc
#endif
internal import MemexModel
internal import MemexStorage
internal import Synchronization

/// The journal and its index, as the readers of a process share them.
///
/// Readers hold a lock that they share. Whoever sees that the journal has grown, or is another file, takes in what
/// is new under the same lock held alone, except while a group of this process is open: what is new then is that
/// group's, and its leader brings it in.
final class FileState: @unchecked Sendable {
    static let damagedIndex = MemexError(.internal, "the index of the journal is damaged; report this")

    let folder: String
    private let flags: Int32
    private let lock: UnsafeMutablePointer<pthread_rwlock_t>
    private let index: UnsafeMutablePointer<FileIndex>
    private(set) var journal: JournalFile
    private(set) var id: UInt64 = 0
    /// The end of the last whole commit, and its number.
    private(set) var end: Int64 = 0
    private(set) var commit: Int64 = 0
    private var seenSize: Int64 = 0
    /// The commit after which this process last wrote, and in which journal.
    private var lastWrite: (commit: Int64, id: UInt64) = (-1, 0)
    private(set) var damages = 0
    private var lacksNewline = false
    /// Up to here the journal is known to be durable: what is wrong there is damage, never a write that did not
    /// come to its end.
    private var durableEnd: Int64 = 0
    private let isWriting = Atomic<Bool>(false)

    init(folder: String, readOnly: Bool) throws(MemexError) {
        self.folder = folder
        flags = readOnly ? O_RDONLY : O_RDWR
        journal = try JournalFile(path: folder + "/" + JournalFile.name, flags: flags)
        index = .allocate(capacity: 1)
        index.initialize(to: FileIndex())
        lock = .allocate(capacity: 1)
        lock.initialize(to: pthread_rwlock_t())
        var attributes = pthread_rwlockattr_t()
        pthread_rwlockattr_init(&attributes)
        pthread_rwlockattr_setkind_np(&attributes, Int32(PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP))
        pthread_rwlock_init(lock, &attributes)
        pthread_rwlockattr_destroy(&attributes)
        try load()
    }

    deinit {
        index.deinitialize(count: 1)
        index.deallocate()
        pthread_rwlock_destroy(lock)
        lock.deallocate()
    }

    // MARK: Taking in what is new

    /// Reads the journal from its first line on. The caller has the lock, or is alone.
    private func load() throws(MemexError) {
        index.pointee = FileIndex()
        damages = 0
        lacksNewline = false
        end = 0
        commit = 0
        seenSize = 0
        var head = ByteBuffer()
        try journal.read(at: 0, 256, into: &head)
        guard let newline = head.view.firstIndex(of: 0x0A) else {
            throw JournalFile.foreign
        }
        id = try JournalFile.id(head.view.slice(0, newline))
        end = Int64(newline) &+ 1
        durableEnd = ClosedMark.read(folder, id: id)
        let size = try journal.state().size
        try scan(to: size)
        if size < durableEnd { damages += 1 }
        if damages > 0 { Log.write(.error, "\(damages) lines of a journal are damaged or missing") }
    }

    private func scan(to size: Int64) throws(MemexError) {
        var scanner = JournalScanner(end: end, commit: commit)
        do throws(MemexError) {
            try scanner.run(journal, to: size, durable: durableEnd, &index.pointee)
        } catch {
            // What was applied stays; the rest is read again.
            (end, commit) = (scanner.end, scanner.commit)
            throw error
        }
        damages += scanner.damages
        if scanner.lacksNewline { lacksNewline = true }
        (end, commit) = (scanner.end, scanner.commit)
        seenSize = size
    }

    /// Takes in what others have written. The caller holds the lock alone.
    private func takeIn() throws(MemexError) {
        let state = try journal.state()
        if !state.isNamed || state.size < end || index.pointee.isIncomplete {
            journal = try JournalFile(path: folder + "/" + JournalFile.name, flags: flags)
            return try load()
        }
        if state.size != seenSize { try scan(to: state.size) }
    }

    private var isStale: Bool {
        get throws(MemexError) {
            let state = try journal.state()
            return state.size != seenSize || !state.isNamed || index.pointee.isIncomplete
        }
    }

    /// Runs a read on the last committed state.
    func read<Result>(_ body: () throws(MemexError) -> Result) throws(MemexError) -> Result {
        pthread_rwlock_rdlock(lock)
        var isStale = false
        if !isWriting.load(ordering: .acquiring) {
            do throws(MemexError) { isStale = try self.isStale } catch {
                pthread_rwlock_unlock(lock)
                throw error
            }
        }
        if isStale {
            pthread_rwlock_unlock(lock)
            try alone { () throws(MemexError) in
                if !isWriting.load(ordering: .acquiring) { try takeIn() }
            }
            pthread_rwlock_rdlock(lock)
        }
        defer { pthread_rwlock_unlock(lock) }
        do throws(MemexError) { return try body() } catch {
            // Another process that erases overwrites the journal that it has replaced.
            if error.code == .corrupt, let state = try? journal.state(), !state.isNamed {
                throw MemexError(
                    .busy, "another process rewrote the journal while it was read; call again")
            }
            throw error
        }
    }

    private func alone<Result>(_ body: () throws(MemexError) -> Result) throws(MemexError) -> Result {
        pthread_rwlock_wrlock(lock)
        defer { pthread_rwlock_unlock(lock) }
        return try body()
    }

    // MARK: Writing

    /// Before a group: takes in what others have written, and cuts what one of them left half written. The caller
    /// holds the writers' lock. True when nobody has written since the last group.
    func beginWriting() throws(MemexError) -> Bool {
        isWriting.store(true, ordering: .releasing)
        pthread_rwlock_rdlock(lock)
        var isFine = false
        do throws(MemexError) { isFine = try !isStale && seenSize == end && !lacksNewline } catch {
            pthread_rwlock_unlock(lock)
            endWriting()
            throw error
        }
        pthread_rwlock_unlock(lock)
        if isFine { return isLastWriteOurs }
        do throws(MemexError) {
            try alone { () throws(MemexError) in
                // What was cut off may have been replaced by as many bytes.
                if seenSize > end { seenSize = -1 }
                try takeIn()
                if lacksNewline { try putNewline(at: end &- 1) }
                lacksNewline = false
                if seenSize > end { try heal() }
            }
        } catch {
            endWriting()
            throw error
        }
        return isLastWriteOurs
    }

    /// Readers of this process take in what others have written, too: only a commit of ours tells that nobody has.
    private var isLastWriteOurs: Bool { lastWrite.commit == commit && lastWrite.id == id }

    func endWriting() { isWriting.store(false, ordering: .releasing) }

    private func heal() throws(MemexError) {
        let torn = seenSize &- end
        if end < durableEnd {
            // It was whole once. What is left of it stays; a commit that follows shows it to be damaged.
            try putNewline(at: seenSize)
            end = seenSize &+ 1
            damages += 1
        } else {
            let code = journal.cut(end)
            guard code == 0 else { throw SystemRefusal.error(code, "the journal cannot be written") }
            Log.write(.warning, "\(torn) bytes of a write that was cut off were removed from the journal")
        }
        seenSize = end
    }

    private func putNewline(at offset: Int64) throws(MemexError) {
        var newline = ByteBuffer(capacity: 1)
        newline.append(byte: 0x0A)
        let code = journal.write(newline.view, at: offset)
        guard code == 0 else { throw SystemRefusal.error(code, "the journal cannot be written") }
    }

    /// Brings in a group whose lines stand in the journal.
    func bring(_ group: FileGroup, bytes: Int) {
        pthread_rwlock_wrlock(lock)
        group.apply(to: &index.pointee)
        end &+= Int64(bytes)
        commit &+= 1
        seenSize = end
        lastWrite = (commit, id)
        pthread_rwlock_unlock(lock)
    }

    /// Puts a journal with the same rows in place of this one. The caller holds the writers' lock, with a group
    /// begun.
    func replace(
        with next: JournalFile, _ newIndex: consuming FileIndex, id: UInt64, end: Int64, commit: Int64
    ) {
        pthread_rwlock_wrlock(lock)
        journal = next
        index.pointee = newIndex
        self.id = id
        self.end = end
        self.commit = commit
        seenSize = end
        durableEnd = end
        damages = 0
        pthread_rwlock_unlock(lock)
    }

    /// Every entry in order, with its value; the caller holds the writers' lock, with a group begun.
    func forEach(_ visit: (ByteView, ByteView) throws(MemexError) -> Void) throws(MemexError) {
        guard var place = index.pointee.tree.position(ByteView(start: nil, count: 0)) else { return }
        while let block = index.pointee.tree.forward(&place) {
            _ = try show(block) { (key, value) throws(MemexError) -> Bool in
                try visit(key, value)
                return true
            }
        }
    }

    // MARK: Inside

    func get(_ key: ByteView, _ visit: (ByteView) throws(MemexError) -> Void) throws(MemexError) -> Bool {
        guard let block = index.pointee.tree.find(key) else { return false }
        _ = try show(block) { (_, value) throws(MemexError) -> Bool in
            try visit(value)
            return true
        }
        return true
    }

    func position(_ key: ByteView) -> MemoryTree.Position? { index.pointee.tree.position(key) }

    func next(
        _ position: inout MemoryTree.Position?, _ from: ByteView, _ to: ByteView, _ descending: Bool
    ) -> MemoryBlock? {
        guard var place = position else { return nil }
        defer { position = place }
        let found = descending ? index.pointee.tree.backward(&place) : index.pointee.tree.forward(&place)
        guard let block = found else { return nil }
        let isInside = descending ? block.key.compare(from) >= 0 : block.key.compare(to) < 0
        return isInside ? block : nil
    }

    func scanIndex(
        from: ByteView, to: ByteView, descending: Bool, limit: Int64,
        _ visit: (ByteView, ByteView) throws(MemexError) -> Bool
    ) throws(MemexError) {
        guard limit > 0, from.compare(to) < 0 else { return }
        var place = position(descending ? to : from)
        var left = limit
        while left > 0, let block = next(&place, from, to, descending) {
            guard try show(block, visit) else { return }
            left &-= 1
        }
    }

    /// Shows an entry's value, read from its line if it stands there.
    func show(
        _ block: MemoryBlock, _ visit: (ByteView, ByteView) throws(MemexError) -> Bool
    ) throws(MemexError) -> Bool {
        guard let entry = FileIndex.read(block.value) else { throw Self.damagedIndex }
        switch entry {
        case .inline(let value): return try visit(block.key, value)
        case .line(let offset, let count):
            var line = ByteBuffer()
            try journal.read(at: offset, count, into: &line)
            var key = ByteBuffer(capacity: 32)
            var value = ByteBuffer()
            guard let summed = JournalLine.summed(line.view), let found = JournalLine.place(summed),
                case .put? = JournalLine.read(found.content, key: &key, value: &value, wantsValue: true),
                key.view.equals(block.key)
            else {
                if key.failed || value.failed { throw .noMemory }
                throw Self.damaged(block.key)
            }
            if value.failed { throw .noMemory }
            return try visit(block.key, value.view)
        }
    }

    private static func damaged(_ key: ByteView) -> MemexError {
        guard let place = MessageRowParts.place(key) else {
            return MemexError(.corrupt, "a line of the journal is damaged; restore it from a backup")
        }
        return MemexError(
            .corrupt,
            "message \(place.seq) is damaged: the checksum of its line does not agree; restore it from a backup",
            detailMembers: "\"seq\":\(place.seq)")
    }

    var counts: (entries: Int, bytes: Int64, garbage: Int64) {
        (index.pointee.tree.count, end, index.pointee.garbage)
    }
}
