#ifndef MEMEX_SHIM_LMDB_H
#define MEMEX_SHIM_LMDB_H

#include <lmdb.h>

/* LMDB's functions, found at run time. The types are those of lmdb.h: the compiler checks them. */
#define MEMEX_SHIM_LMDB_FUNCTIONS(X)                                                              \
  X(version) X(strerror) X(env_create) X(env_open) X(env_close) X(env_set_mapsize)                \
  X(env_set_maxreaders) X(env_get_maxkeysize) X(env_info) X(env_sync) X(reader_check)             \
  X(txn_begin) X(txn_commit) X(txn_abort) X(txn_reset) X(txn_renew) X(txn_id) X(dbi_open)         \
  X(stat) X(get) X(put) X(del) X(cursor_open) X(cursor_close) X(cursor_renew) X(cursor_get)

typedef struct memex_shim_lmdb {
#define MEMEX_SHIM_FIELD(name) __typeof__(&mdb_##name) name;
  MEMEX_SHIM_LMDB_FUNCTIONS(MEMEX_SHIM_FIELD)
#undef MEMEX_SHIM_FIELD
} memex_shim_lmdb;

/* Finds the LMDB that is in the process already, else the system's, else the copy at fallback (a path, or
   NULL). NULL on success, else why there is none. Done once. */
const char *memex_lmdb_load(const char *fallback);

/* Valid after a successful load. */
extern memex_shim_lmdb memex_shim_lmdb_functions;
#define MEMEX_SHIM_LMDB memex_shim_lmdb_functions

/* Macros with a sign or a cast, which Swift does not import. */
typedef enum memex_lmdb_code {
  MEMEX_LMDB_NOTFOUND = MDB_NOTFOUND,
  MEMEX_LMDB_CORRUPTED = MDB_CORRUPTED,
  MEMEX_LMDB_PAGE_NOTFOUND = MDB_PAGE_NOTFOUND,
  MEMEX_LMDB_PANIC = MDB_PANIC,
  MEMEX_LMDB_VERSION_MISMATCH = MDB_VERSION_MISMATCH,
  MEMEX_LMDB_INVALID = MDB_INVALID,
  MEMEX_LMDB_MAP_FULL = MDB_MAP_FULL,
  MEMEX_LMDB_READERS_FULL = MDB_READERS_FULL,
  MEMEX_LMDB_TXN_FULL = MDB_TXN_FULL,
  MEMEX_LMDB_MAP_RESIZED = MDB_MAP_RESIZED,
  MEMEX_LMDB_INCOMPATIBLE = MDB_INCOMPATIBLE,
  MEMEX_LMDB_BAD_TXN = MDB_BAD_TXN,
  MEMEX_LMDB_BAD_RSLOT = MDB_BAD_RSLOT
} memex_lmdb_code;

static inline const char *memex_lmdb_version(void) { return MEMEX_SHIM_LMDB.version(0, 0, 0); }
static inline int memex_lmdb_env_create(MDB_env **env) { return MEMEX_SHIM_LMDB.env_create(env); }
static inline int memex_lmdb_env_open(MDB_env *env, const char *path, unsigned flags, unsigned mode) {
  return MEMEX_SHIM_LMDB.env_open(env, path, flags, (mdb_mode_t)mode);
}
static inline void memex_lmdb_env_close(MDB_env *env) { MEMEX_SHIM_LMDB.env_close(env); }
static inline int memex_lmdb_set_map_size(MDB_env *env, size_t size) {
  return MEMEX_SHIM_LMDB.env_set_mapsize(env, size);
}
static inline int memex_lmdb_set_readers(MDB_env *env, unsigned n) {
  return MEMEX_SHIM_LMDB.env_set_maxreaders(env, n);
}
static inline int memex_lmdb_max_key(MDB_env *env) { return MEMEX_SHIM_LMDB.env_get_maxkeysize(env); }
static inline int memex_lmdb_info(MDB_env *env, MDB_envinfo *info) { return MEMEX_SHIM_LMDB.env_info(env, info); }
static inline int memex_lmdb_sync(MDB_env *env) { return MEMEX_SHIM_LMDB.env_sync(env, 1); }
static inline int memex_lmdb_reader_check(MDB_env *env, int *dead) { return MEMEX_SHIM_LMDB.reader_check(env, dead); }
static inline int memex_lmdb_begin(MDB_env *env, unsigned flags, MDB_txn **txn) {
  return MEMEX_SHIM_LMDB.txn_begin(env, 0, flags, txn);
}
static inline int memex_lmdb_commit(MDB_txn *txn) { return MEMEX_SHIM_LMDB.txn_commit(txn); }
static inline void memex_lmdb_abort(MDB_txn *txn) { MEMEX_SHIM_LMDB.txn_abort(txn); }
static inline void memex_lmdb_reset(MDB_txn *txn) { MEMEX_SHIM_LMDB.txn_reset(txn); }
static inline int memex_lmdb_renew(MDB_txn *txn) { return MEMEX_SHIM_LMDB.txn_renew(txn); }
static inline size_t memex_lmdb_txn_id(MDB_txn *txn) { return MEMEX_SHIM_LMDB.txn_id(txn); }
/* The unnamed database. */
static inline int memex_lmdb_main(MDB_txn *txn, MDB_dbi *dbi) { return MEMEX_SHIM_LMDB.dbi_open(txn, 0, 0, dbi); }
static inline int memex_lmdb_stat(MDB_txn *txn, MDB_dbi dbi, MDB_stat *stat) {
  return MEMEX_SHIM_LMDB.stat(txn, dbi, stat);
}
static inline int memex_lmdb_get(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *value) {
  return MEMEX_SHIM_LMDB.get(txn, dbi, key, value);
}
static inline int memex_lmdb_put(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *value) {
  return MEMEX_SHIM_LMDB.put(txn, dbi, key, value, 0);
}
static inline int memex_lmdb_delete(MDB_txn *txn, MDB_dbi dbi, MDB_val *key) {
  return MEMEX_SHIM_LMDB.del(txn, dbi, key, 0);
}
static inline int memex_lmdb_cursor_open(MDB_txn *txn, MDB_dbi dbi, MDB_cursor **cursor) {
  return MEMEX_SHIM_LMDB.cursor_open(txn, dbi, cursor);
}
static inline void memex_lmdb_cursor_close(MDB_cursor *cursor) { MEMEX_SHIM_LMDB.cursor_close(cursor); }
static inline int memex_lmdb_cursor_renew(MDB_txn *txn, MDB_cursor *cursor) {
  return MEMEX_SHIM_LMDB.cursor_renew(txn, cursor);
}
static inline int memex_lmdb_cursor_get(MDB_cursor *cursor, MDB_val *key, MDB_val *value, MDB_cursor_op op) {
  return MEMEX_SHIM_LMDB.cursor_get(cursor, key, value, op);
}

#endif
