internal import CMemexShim
#if canImport(Glibc)
    internal import Glibc
#endif
internal import MemexModel
internal import MemexStorage

/// How much of the journal was durable when its last user closed it. Without it nothing is wrong, but the end of a
/// damaged journal cannot be told from a write that was cut off.
enum ClosedMark {
    static let name = "closed"

    /// 0 when there is none of this journal.
    static func read(_ folder: String, id: UInt64) -> Int64 {
        guard let file = try? JournalFile(path: folder + "/" + name, flags: O_RDONLY) else { return 0 }
        var text = ByteBuffer()
        guard (try? file.read(at: 0, 256, into: &text)) != nil, text.count > 0,
            text.view[text.count &- 1] == 0x0A,
            let summed = JournalLine.summed(text.view.slice(0, text.count &- 1))
        else { return 0 }
        var cursor = LineCursor(summed)
        cursor.expect("{\"journal\":\"")
        var name = ByteBuffer()
        cursor.hex(into: &name)
        var found: UInt64 = 0
        for byte in name.view { found = found << 8 | UInt64(byte) }
        cursor.expect(",\"durable\":")
        let end = cursor.number()
        return cursor.isComplete && found == id && end >= 0 ? end : 0
    }

    static func write(_ folder: String, id: UInt64, end: Int64) {
        var text = ByteBuffer(capacity: 128)
        text.append("{\"journal\":\"")
        text.append(hex: UInt32(truncatingIfNeeded: id >> 32))
        text.append(hex: UInt32(truncatingIfNeeded: id))
        text.append("\",\"durable\":")
        text.append(number: end)
        let checksum = memex_shim_crc32c(0, text.view.baseAddress, text.count)
        text.append(",\"crc\":\"")
        text.append(hex: checksum)
        text.append("\"}\n")
        let path = folder + "/" + name
        guard !text.failed,
            let file = try? JournalFile(path: path + ".new", flags: O_RDWR | O_CREAT | O_TRUNC),
            file.write(text.view, at: 0) == 0, file.sync() == 0
        else { return }
        _ = rename(path + ".new", path)
    }
}
