internal import CMemexShim
#if canImport(Glibc)
    internal import Glibc
#endif
internal import MemexModel
internal import MemexStorage

/// An open journal. Its descriptor is closed with the last reference, in the process that opened it.
final class JournalFile: Sendable {
    static let name = "journal.jsonl"
    static let format: Int64 = 1

    let descriptor: Int32
    private let process = getpid()

    init(path: String, flags: Int32) throws(MemexError) {
        let opened = memex_shim_open(path, flags, 0o600)
        guard opened >= 0 else { throw SystemRefusal.error(-opened, "the journal cannot be opened") }
        descriptor = opened
    }

    deinit { if getpid() == process { _ = Glibc.close(descriptor) } }

    /// Its size, and whether it still has a name.
    @inline(__always)
    func state() throws(MemexError) -> (size: Int64, isNamed: Bool) {
        var size: Int64 = 0
        var names: UInt64 = 0
        let code = memex_shim_file_state(descriptor, &size, &names)
        guard code == 0 else { throw SystemRefusal.error(code, "the journal cannot be looked at") }
        return (size, names > 0)
    }

    /// Bytes at an offset, fewer at the end, added to a buffer.
    func read(at offset: Int64, _ count: Int, into buffer: inout ByteBuffer) throws(MemexError) {
        guard let space = malloc(count > 0 ? count : 1) else { throw .noMemory }
        defer { free(space) }
        let got = memex_shim_read_at(descriptor, space, count, offset)
        guard got >= 0 else { throw SystemRefusal.error(Int32(-got), "the journal cannot be read") }
        buffer.append(ByteView(start: space.assumingMemoryBound(to: UInt8.self), count: Int(got)))
        if buffer.failed { throw .noMemory }
    }

    /// The errno, or 0.
    func write(_ bytes: ByteView, at offset: Int64) -> Int32 {
        memex_shim_write_at(descriptor, bytes.baseAddress, bytes.count, offset)
    }

    func sync() -> Int32 { memex_shim_data_sync(descriptor) }

    func cut(_ size: Int64) -> Int32 { memex_shim_cut(descriptor, size) }

    /// The first line of a new journal, with an id by which its index is known.
    static func header(_ environment: Environment) -> ByteBuffer {
        var line = ByteBuffer(capacity: 128)
        var id = ByteBuffer(capacity: 16)
        id.append(bigEndianID: environment.random())
        line.append("{\"memex\":\"journal\",\"format\":")
        line.append(number: format)
        line.append(",\"id\":\"")
        line.append(hex: id.view)
        line.append("\"")
        JournalLine.finish(&line, from: 0, commit: 0, line: 1, isLast: true)
        return line
    }

    static let foreign = MemexError(
        .corrupt, "the journal's first line is damaged, or journal.jsonl is another program's")

    /// The id of a header, which is a line without its newline; throws when it is none of ours.
    static func id(_ line: ByteView) throws(MemexError) -> UInt64 {
        var key = ByteBuffer()
        var value = ByteBuffer()
        guard let summed = JournalLine.summed(line), let found = JournalLine.place(summed),
            case .header(let text, let format) = JournalLine.read(
                found.content, key: &key, value: &value, wantsValue: false)
        else {
            throw foreign
        }
        guard format <= Self.format else {
            throw MemexError(
                .newerFormat,
                "the journal has format \(format); this library reads up to \(Self.format): use a newer one")
        }
        var id: UInt64 = 0
        for byte in text { id = id << 4 | UInt64(LineCursor.digit(byte) ?? 0) }
        return id
    }
}

extension ByteBuffer {
    fileprivate mutating func append(bigEndianID number: UInt64) {
        var shift: UInt64 = 64
        while shift > 0 {
            shift &-= 8
            append(byte: UInt8(truncatingIfNeeded: number >> shift))
        }
    }
}
