internal import MemexModel
#if canImport(Glibc)
    internal import Glibc
#endif

/// What the system's refusals mean for the caller: which file, why, what to do.
enum SystemFailure {
    /// - Parameters:
    ///   - what: the file's part, "the database".
    ///   - advice: for a reason that means something else here than everywhere.
    static func error(_ code: Int32, _ path: String, _ what: String, advice: String? = nil) -> MemexError {
        let (reason, usual) = explain(code)
        let isFull = code == ENOSPC || code == EDQUOT
        return MemexError(
            isFull ? .full : .io,
            "\(what) \(name(path)) cannot be opened: \(reason); \(advice ?? usual)",
            detailMembers: "\"errno\":\(code)")
    }

    /// The last component of a path, for a message.
    static func name(_ path: String) -> String {
        let last = path.utf8.lastIndex(of: 0x2F).map { path[path.utf8.index(after: $0)...] } ?? path[...]
        let shown = last.unicodeScalars.prefix(64).map {
            $0.value < 0x20 || $0.value == 0x7F ? "?" : String($0)
        }
        return "\"" + shown.joined() + (last.unicodeScalars.count > 64 ? "…" : "") + "\""
    }

    private static func explain(_ code: Int32) -> (reason: String, advice: String) {
        switch code {
        case ENOENT: ("no such file or folder", "its folder does not exist, create it first")
        case ENOTDIR: ("not a folder", "a part of the path is a file, correct the path")
        case EACCES, EPERM:
            ("permission denied", "check the permissions and the owner of the file and of its folder")
        case EROFS: ("read-only file system", "put the database elsewhere, or open it with read_only")
        case ENOSPC, EDQUOT: ("no space left", "make room and open it again")
        case ENAMETOOLONG:
            (
                "name too long",
                "shorten it: names beside the database get up to 8 bytes more, 255 are the most"
            )
        case ELOOP: ("too many levels of symbolic links", "correct the links of the path")
        case EISDIR: ("it is a folder", "move it away")
        case EMFILE, ENFILE: ("too many open files", "close some, or raise the limit")
        case ENOMEM: ("out of memory", "free some and open it again")
        case EIO: ("input/output error", "check the disk")
        default: ("errno \(code)", "check the file and its file system")
        }
    }
}
