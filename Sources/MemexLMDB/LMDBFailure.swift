internal import CMemexShim
#if canImport(Glibc)
    internal import Glibc
#endif
internal import MemexModel
internal import MemexStorage

/// What LMDB's result codes mean for the caller.
enum LMDBFailure {
    static func error(_ code: Int32, _ doing: StaticString) -> MemexError {
        if code > 0 {
            let refusal = SystemRefusal.error(code, "\(doing)")
            return MemexError(
                refusal.code, refusal.message, detailMembers: "\"engine\":\"lmdb\",\"errno\":\(code)")
        }
        let (kind, advice) = explain(code)
        return MemexError(
            kind, "\(doing): \(advice) (LMDB \(code))",
            detailMembers: "\"engine\":\"lmdb\",\"engine_code\":\(code)")
    }

    private static func explain(_ code: Int32) -> (MemexError.Code, String) {
        switch code {
        case named(MEMEX_LMDB_INVALID), named(MEMEX_LMDB_INCOMPATIBLE):
            (.corrupt, "data.mdb is no LMDB file; check the path of the URL")
        case named(MEMEX_LMDB_VERSION_MISMATCH):
            (.corrupt, "data.mdb was made by another version of LMDB, or on another kind of machine")
        case named(MEMEX_LMDB_CORRUPTED), named(MEMEX_LMDB_PAGE_NOTFOUND), named(MEMEX_LMDB_BAD_TXN):
            (.corrupt, "data.mdb is damaged; restore it from a backup")
        case named(MEMEX_LMDB_PANIC):
            (.poisoned, "an earlier write to stable storage failed; close the store and open it again")
        case named(MEMEX_LMDB_MAP_FULL): (.full, "the map is full")
        case named(MEMEX_LMDB_TXN_FULL):
            (.limit, "this is more than LMDB commits at once; append in smaller pieces, nothing was stored")
        case named(MEMEX_LMDB_READERS_FULL):
            (.busy, "more readers than LMDB has places for; read with fewer threads at once")
        default: (.io, "LMDB refused")
        }
    }

    /// As LMDB returns it.
    @inline(__always)
    static func named(_ code: memex_lmdb_code) -> Int32 { Int32(code.rawValue) }
}
