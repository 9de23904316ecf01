internal import CMemexShim
internal import MemexModel

#if canImport(Glibc)
    import Glibc
#endif

/// The bytes of a file.
enum FileContents {
    /// More than any published tokenizer has.
    static let limit = 256 << 20

    /// Reads a regular file of at most `limit` bytes.
    static func read(_ path: String) throws(MemexError) -> ByteBuffer {
        let descriptor = path.withCString { memex_shim_open($0, O_RDONLY | O_NONBLOCK, 0) }
        guard descriptor >= 0 else {
            let missing = descriptor == -ENOENT || descriptor == -ENOTDIR
            throw fault(missing ? .notFound : .io, path, "cannot be opened (\(reason(0 &- descriptor)))")
        }
        defer { close(descriptor) }
        var state = stat()
        guard fstat(descriptor, &state) == 0 else {
            throw fault(.io, path, "cannot be read (\(reason(memex_shim_errno())))")
        }
        guard state.st_mode & S_IFMT == S_IFREG else {
            let isFolder = state.st_mode & S_IFMT == S_IFDIR
            throw fault(.invalid, path, isFolder ? "is a folder, not a file" : "is not a regular file")
        }
        guard state.st_size <= limit else {
            throw MemexError(
                .limit, "\(path) has \(state.st_size) bytes; at most \(limit) are allowed",
                detailMembers: "\"file\":\(JSONText.quoted(path)),\"limit\":\(limit)")
        }
        var contents = ByteBuffer(capacity: max(1, Int(state.st_size)))
        let block = 1 << 16
        guard let room = malloc(block) else { throw MemexError.noMemory }
        defer { free(room) }
        while true {
            let count = Glibc.read(descriptor, room, block)
            if count < 0 {
                let code = memex_shim_errno()
                if code == EINTR { continue }
                throw fault(.io, path, "cannot be read (\(reason(code)))")
            }
            if count == 0 { break }
            contents.append(ByteView(start: room.assumingMemoryBound(to: UInt8.self), count: count))
            if contents.count > limit {
                throw fault(.limit, path, "grows while it is read, over \(limit) bytes")
            }
        }
        if contents.failed { throw MemexError.noMemory }
        if contents.count == 0 { throw fault(.invalid, path, "is empty") }
        return contents
    }

    static func fault(_ code: MemexError.Code, _ path: String, _ what: String) -> MemexError {
        MemexError(code, "\(path) \(what)", detailMembers: "\"file\":\(JSONText.quoted(path))")
    }

    private static func reason(_ code: Int32) -> String { strerror(code).map { String(cString: $0) } ?? "" }
}
