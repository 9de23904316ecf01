#if canImport(Glibc)
    internal import Glibc
#endif
internal import CMemexShim
internal import MemexModel

/// The file behind a URL, before SQLite sees it.
enum DatabaseFile {
    /// A path that names the file alone, and whether it was there before.
    struct Prepared {
        /// Absolute, without symbolic links: locks and logs lie beside the file, not beside a link to it.
        let path: String
        let existed: Bool
    }

    /// Creates a missing file, readable by its owner alone, or says what is wrong with the path. A file that
    /// exists is never opened here: closing a descriptor of it would drop SQLite's locks.
    static func prepare(_ path: String, readOnly: Bool, create: Bool) throws(MemexError) -> Prepared {
        // Somebody who removes the file again and again does not hold us up for ever.
        for _ in 0..<100 {
            var (device, inode): (UInt64, UInt64) = (0, 0)
            var isRegular: Int32 = 0
            let code = memex_shim_identity(path, &device, &inode, &isRegular)
            if code == 0 {
                guard isRegular != 0 else {
                    throw MemexError(
                        .invalid,
                        "the URL's path \(SystemFailure.name(path)) is not a file; give the path of a file")
                }
                if let resolved = resolve(path) { return Prepared(path: resolved, existed: true) }
                continue
            }
            guard code == ENOENT || code == ENOTDIR else { throw refused(code, path) }
            if memex_shim_is_link(path) != 0 {
                throw SystemFailure.error(
                    code, path, "the database",
                    advice: "it is a symbolic link to nothing, correct or remove the link")
            }
            guard create, !readOnly else {
                throw MemexError(
                    .notFound, "there is no database at the URL's path, and it is not to be created")
            }
            let descriptor = memex_shim_open(path, O_RDWR | O_CREAT | O_EXCL, 0o600)
            if descriptor >= 0 {
                _ = Glibc.close(descriptor)
                if let resolved = resolve(path) { return Prepared(path: resolved, existed: false) }
            } else if descriptor != -EEXIST {
                throw refused(-descriptor, path)
            }
        }
        throw MemexError(
            .io,
            "the database \(SystemFailure.name(path)) is removed again and again while it is opened; "
                + "end the program that does")
    }

    private static func refused(_ code: Int32, _ path: String) -> MemexError {
        SystemFailure.error(code, path, "the database")
    }

    private static func resolve(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// The folder of an absolute path.
    static func folder(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: 0x2F), slash != path.startIndex else { return "/" }
        return String(path[..<slash])
    }

    /// Device and inode: the same file under any name.
    static func identity(_ path: String) -> FileWatch.Identity? {
        var (device, inode): (UInt64, UInt64) = (0, 0)
        var isRegular: Int32 = 0
        return memex_shim_identity(path, &device, &inode, &isRegular) == 0 ? (device, inode) : nil
    }
}
