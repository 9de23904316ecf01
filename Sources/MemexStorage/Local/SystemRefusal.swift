#if canImport(Glibc)
    internal import Glibc
#endif
package import MemexModel

/// What the system's refusals mean for the caller.
package enum SystemRefusal {
    package static func isFull(_ code: Int32) -> Bool { code == ENOSPC || code == EDQUOT }

    package static func error(_ code: Int32, _ what: String) -> MemexError {
        let kind: MemexError.Code = isFull(code) ? .full : code == ENOMEM ? .noMemory : .io
        return MemexError(kind, "\(what): \(explain(code))", detailMembers: "\"errno\":\(code)")
    }

    private static func explain(_ code: Int32) -> String {
        switch code {
        case ENOENT: "there is no such file or folder; create the folder above it first"
        case ENOTDIR: "a part of the path is not a folder; correct the path"
        case EACCES, EPERM:
            "permission denied; check the permissions and the owner of the folder and its files"
        case EROFS: "the file system is read-only; put the store elsewhere, or open it with read_only"
        case ENOSPC, EDQUOT: "the disk is full; make room and try again"
        case ENAMETOOLONG: "the path is too long"
        case ELOOP: "it is a symbolic link, or has too many on the way; correct the path"
        case EISDIR: "it is a folder; move it away"
        case EMFILE, ENFILE: "too many files are open; close some, or raise the limit"
        case ENOMEM: "memory ran out; free some and try again"
        case EFBIG: "the file reached the largest size that is allowed"
        case EIO: "the disk refused; check it"
        default: "the system refused (errno \(code))"
        }
    }
}
