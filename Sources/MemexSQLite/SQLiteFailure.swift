internal import CMemexShim
#if canImport(Glibc)
    internal import Glibc
#endif
internal import MemexModel

/// What SQLite's result codes mean for the caller.
enum SQLiteFailure {
    static func error(_ code: Int32, _ database: OpaquePointer?, _ doing: StaticString) -> MemexError {
        let extended = memex_sqlite_code(database)
        let precise = extended & 0xFF == code & 0xFF ? extended : code
        let systemError = memex_sqlite_errno(database)
        let members =
            "\"engine\":\"sqlite\",\"engine_code\":\(precise)"
            + (systemError != 0 ? ",\"errno\":\(systemError)" : "")
        if precise == SQLITE_ERROR, lacksSomething(database) { return foreignSchema(members) }
        let (kind, advice) = explain(precise, systemError)
        return MemexError(kind, "\(doing): \(advice) (SQLite \(precise))", detailMembers: members)
    }

    /// The tables are not those that the library makes.
    static func foreignSchema(_ members: String = "\"engine\":\"sqlite\"") -> MemexError {
        MemexError(
            .corrupt,
            "tables, columns or indexes of the database are missing or changed, or have triggers: another program "
                + "did that, or made the file; drop the triggers or restore it from a backup",
            detailMembers: members)
    }

    /// A statement of ours names what is not there; SQLite has no code for it.
    private static func lacksSomething(_ database: OpaquePointer?) -> Bool {
        guard let text = memex_sqlite_message(database) else { return false }
        let signs: [StaticString] = [
            "no such table", "no such column", "no such index", "has no column named",
        ]
        return signs.contains {
            strstr(text, UnsafeRawPointer($0.utf8Start).assumingMemoryBound(to: CChar.self)) != nil
        }
    }

    private static func explain(_ code: Int32, _ systemError: Int32) -> (MemexError.Code, String) {
        switch code & 0xFF {
        case SQLITE_BUSY, SQLITE_LOCKED:
            return (.busy, "another program holds the database; try again or raise timeout_us")
        case SQLITE_FULL:
            return (.full, "the disk is full; make room and try again, nothing was changed")
        case SQLITE_NOMEM: return (.noMemory, "memory ran out; nothing was changed")
        case SQLITE_CORRUPT: return (.corrupt, "the database file is damaged; restore it from a backup")
        case SQLITE_NOTADB:
            return (.corrupt, "the file is not a SQLite database; check the path of the URL")
        case SQLITE_READONLY:
            return (.io, "the database is read-only; check the permissions of the file and its folder")
        case SQLITE_CANTOPEN:
            return (.io, "the database file cannot be opened; check the path and the permissions")
        case SQLITE_PERM, SQLITE_AUTH: return (.io, "permission denied; check the permissions of the file")
        case SQLITE_INTERRUPT: return (.cancelled, "interrupted")
        case SQLITE_TOOBIG: return (.limit, "a value is too large for SQLite")
        case SQLITE_IOERR:
            // ENOSPC and EDQUOT reach us as a failed write.
            if systemError == 28 || systemError == 122 {
                return (.full, "the disk is full; make room and try again")
            }
            return (.io, "the system refused a read or a write; check the disk")
        default: return (.io, "SQLite refused")
        }
    }
}
