#if canImport(Glibc)
    internal import Glibc
#endif
internal import CMemexShim
internal import MemexModel

/// The file behind a URL, before SQLite sees it.
enum DatabaseFile {
    /// Creates a missing file, readable by its owner alone, or says what is wrong with the path. A file that
    /// exists is never opened here: closing a descriptor of it would drop SQLite's locks. True when it existed.
    static func prepare(_ path: String, readOnly: Bool, create: Bool) throws(MemexError) -> Bool {
        var (device, inode): (UInt64, UInt64) = (0, 0)
        var isRegular: Int32 = 0
        let code = memex_shim_identity(path, &device, &inode, &isRegular)
        if code == 0 {
            guard isRegular != 0 else {
                throw MemexError(.invalid, "the URL's path is not a file; give the path of a file")
            }
            return true
        }
        guard code == ENOENT || code == ENOTDIR else { throw refused(code) }
        guard create, !readOnly else {
            throw MemexError(.notFound, "there is no database at the URL's path, and it is not to be created")
        }
        let descriptor = memex_shim_open(path, O_RDWR | O_CREAT | O_EXCL, 0o600)
        if descriptor >= 0 {
            _ = Glibc.close(descriptor)
            return false
        } else if descriptor != -EEXIST {
            throw refused(-descriptor)
        }
        return true
    }

    private static func refused(_ code: Int32) -> MemexError {
        let advice: String
        switch code {
        case ENOENT, ENOTDIR: advice = "its folder does not exist; create it first"
        case EACCES, EPERM: advice = "permission denied; check the permissions of the folder"
        case EROFS: advice = "the file system is read-only"
        case ENOSPC, EDQUOT:
            return MemexError(
                .full, "the database cannot be created: the disk is full", detailMembers: "\"errno\":\(code)")
        case ENAMETOOLONG: advice = "the path is too long"
        default: advice = "the system refused"
        }
        return MemexError(.io, "the database cannot be opened: \(advice)", detailMembers: "\"errno\":\(code)")
    }

    /// Device and inode: the same file under any name.
    static func identity(_ path: String) -> (UInt64, UInt64)? {
        var (device, inode): (UInt64, UInt64) = (0, 0)
        var isRegular: Int32 = 0
        return memex_shim_identity(path, &device, &inode, &isRegular) == 0 ? (device, inode) : nil
    }
}
