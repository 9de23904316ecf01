internal import CMemexShim
#if canImport(Glibc)
    internal import Glibc
#endif
internal import MemexModel
internal import MemexStorage

/// Writes the rows that are left to a new journal, one commit each. The old one keeps its name until the new one
/// is durable.
final class JournalRewriter {
    static let name = "journal.new"
    private static let chunk = 1 << 20

    private let file: JournalFile
    private let path: String
    private var lines = ByteBuffer()
    private var written: Int64 = 0
    private var commit: Int64 = 0
    private var index = FileIndex()
    private let id: UInt64

    init(folder: String, _ environment: Environment) throws(MemexError) {
        path = folder + "/" + Self.name
        // What a killed process left of it is nobody's.
        file = try JournalFile(path: path, flags: O_RDWR | O_CREAT | O_TRUNC)
        let header = JournalFile.header(environment)
        lines.append(header.view)
        id = try JournalFile.id(header.view.slice(0, header.count &- 1))
    }

    func add(_ key: ByteView, _ value: ByteView) throws(MemexError) {
        let start = lines.count
        commit &+= 1
        JournalLine.begin(KeyValueWrite(.put, key, value), to: &lines)
        JournalLine.finish(&lines, from: start, commit: commit, line: 1, isLast: true)
        guard !lines.failed,
            let change = FileIndex.put(
                key, inline: FileIndex.keepsInline(key, value) ? value : nil,
                offset: written &+ Int64(start), count: lines.count &- start &- 1)
        else { throw .noMemory }
        index.apply(change)
        if lines.count >= Self.chunk { try write() }
    }

    private func write() throws(MemexError) {
        let code = file.write(lines.view, at: written)
        guard code == 0 else { throw SystemRefusal.error(code, "the new journal cannot be written") }
        written &+= Int64(lines.count)
        lines.removeAll()
    }

    /// Makes it durable and gives it the journal's name.
    func finish(_ state: FileState) throws(MemexError) {
        try write()
        let code = file.sync()
        guard code == 0 else { throw SystemRefusal.error(code, "the new journal cannot be made durable") }
        guard !index.isIncomplete else { throw .noMemory }
        guard rename(path, state.folder + "/" + JournalFile.name) == 0 else {
            throw SystemRefusal.error(memex_shim_errno(), "the new journal cannot take the old one's place")
        }
        StoreFolder.sync(state.folder)
        var whole = FileIndex()
        swap(&whole, &index)
        state.replace(with: file, whole, id: id, end: written, commit: commit)
    }

    /// Overwrites a journal that has lost its name.
    static func wipe(_ journal: JournalFile) {
        guard let size = try? journal.state().size, let zeros = calloc(1, chunk) else { return }
        defer { free(zeros) }
        var at: Int64 = 0
        while at < size {
            let count = size &- at < Int64(chunk) ? Int(size &- at) : chunk
            let bytes = ByteView(start: zeros.assumingMemoryBound(to: UInt8.self), count: count)
            if journal.write(bytes, at: at) != 0 { return }
            at &+= Int64(count)
        }
        _ = journal.sync()
    }
}
