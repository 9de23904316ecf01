internal import CMemexShim
#if canImport(Glibc)
    internal import Glibc
#endif
package import MemexModel

/// The folder behind a URL, before an engine uses it.
package enum StoreFolder {
    package struct Identity: Sendable, Equatable {
        var device: UInt64
        var inode: UInt64
    }

    /// Creates a missing folder, for its owner alone, or says what is wrong with the path.
    /// - Parameters:
    ///   - mark: the file by which a folder is known to be a store.
    ///   - others: further files that the engine makes.
    package static func prepare(
        _ path: String, mark: String, others: [String], readOnly: Bool, create: Bool
    ) throws(MemexError) -> Identity {
        var (device, inode): (UInt64, UInt64) = (0, 0)
        var isFolder: Int32 = 0
        var code = memex_shim_folder_identity(path, &device, &inode, &isFolder)
        if code == ENOENT, create, !readOnly {
            let made = memex_shim_folder_make(path, 0o700)
            guard made == 0 || made == EEXIST else {
                throw SystemRefusal.error(made, "the store's folder cannot be created")
            }
            sync(parent(of: path))
            code = memex_shim_folder_identity(path, &device, &inode, &isFolder)
        }
        if code == ENOENT {
            throw MemexError(.notFound, "there is no folder at the URL's path, and it is not to be created")
        }
        guard code == 0 else { throw SystemRefusal.error(code, "the store's folder cannot be opened") }
        guard isFolder != 0 else {
            throw MemexError(.invalid, "the URL's path is a file, not a folder; give the path of a folder")
        }
        // Without bytes it is what somebody left who was killed while creating it.
        if memex_shim_file_size(path + "/" + mark) <= 0 {
            try refuseForeign(path, names: [mark] + others, readOnly: readOnly, create: create)
        }
        return Identity(device: device, inode: inode)
    }

    /// A folder without a store: it must be empty, so that no other program's files are mixed with ours.
    private static func refuseForeign(
        _ path: String, names: [String], readOnly: Bool, create: Bool
    ) throws(MemexError) {
        guard create, !readOnly else {
            throw MemexError(
                .notFound, "the folder at the URL's path has no store, and none is to be created")
        }
        var copies: [UnsafeMutablePointer<CChar>?] = names.map { strdup($0) }
        copies.append(nil)
        defer { for copy in copies { free(copy) } }
        let found = copies.withUnsafeBufferPointer { names in
            names.withMemoryRebound(to: UnsafePointer<CChar>?.self) {
                memex_shim_folder_has_others(path, $0.baseAddress)
            }
        }
        guard found >= 0 else { throw SystemRefusal.error(-found, "the store's folder cannot be read") }
        guard found == 0 else {
            throw MemexError(
                .invalid,
                "the folder at the URL's path has files of other programs; give an empty or a new one")
        }
    }

    /// Makes what was created in a folder durable.
    package static func sync(_ path: String) {
        let code = memex_shim_folder_sync(path)
        if code != 0 { Log.write(.warning, "a folder could not be synced (errno \(code))") }
    }

    package static func parent(of path: String) -> String {
        var end = path.utf8.endIndex
        // Slashes at the end are part of the last name.
        while end > path.utf8.startIndex, path.utf8[path.utf8.index(before: end)] == 0x2F {
            end = path.utf8.index(before: end)
        }
        let trimmed = path[..<end]
        guard let slash = trimmed.utf8.lastIndex(of: 0x2F) else { return "." }
        return slash == path.utf8.startIndex ? "/" : String(path[..<slash])
    }
}
