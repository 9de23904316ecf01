#ifndef MEMEX_SHIM_SQLITE_H
#define MEMEX_SHIM_SQLITE_H

#include <sqlite3.h>

/* SQLite's functions, found at run time. The types are those of sqlite3.h: the compiler checks them. */
#define MEMEX_SHIM_SQLITE_FUNCTIONS(X)                                                            \
  X(libversion) X(libversion_number) X(threadsafe) X(open_v2) X(close) X(errmsg)                  \
  X(extended_errcode) X(system_errno) X(busy_timeout) X(exec) X(prepare_v3) X(step) X(reset)      \
  X(finalize) X(bind_int64) X(bind_null) X(bind_text64) X(bind_blob64) X(column_int64)            \
  X(column_blob) X(column_bytes) X(column_type) X(changes) X(last_insert_rowid) X(wal_hook)       \
  X(wal_checkpoint_v2) X(file_control) X(get_autocommit) X(interrupt) X(db_config)

typedef struct memex_shim_sqlite {
#define MEMEX_SHIM_FIELD(name) __typeof__(&sqlite3_##name) name;
  MEMEX_SHIM_SQLITE_FUNCTIONS(MEMEX_SHIM_FIELD)
#undef MEMEX_SHIM_FIELD
} memex_shim_sqlite;

/* Finds the SQLite that is in the process already, else the system's, else the copy at fallback (a path,
   or NULL). NULL on success, else why there is none. Done once. */
const char *memex_sqlite_load(const char *fallback);

/* A composed macro that Swift does not import. */
#define MEMEX_SQLITE_CONSTRAINT_UNIQUE 2067

/* Valid after a successful load. */
extern memex_shim_sqlite memex_shim_sqlite_functions;
#define MEMEX_SHIM_SQLITE memex_shim_sqlite_functions

static inline const char *memex_sqlite_version(void) { return MEMEX_SHIM_SQLITE.libversion(); }
static inline int memex_sqlite_version_number(void) { return MEMEX_SHIM_SQLITE.libversion_number(); }
static inline int memex_sqlite_threadsafe(void) { return MEMEX_SHIM_SQLITE.threadsafe(); }
static inline int memex_sqlite_open(const char *path, sqlite3 **db, int flags) {
  return MEMEX_SHIM_SQLITE.open_v2(path, db, flags, 0);
}
static inline int memex_sqlite_close(sqlite3 *db) { return MEMEX_SHIM_SQLITE.close(db); }
static inline const char *memex_sqlite_message(sqlite3 *db) { return MEMEX_SHIM_SQLITE.errmsg(db); }
static inline int memex_sqlite_code(sqlite3 *db) { return MEMEX_SHIM_SQLITE.extended_errcode(db); }
static inline int memex_sqlite_errno(sqlite3 *db) { return MEMEX_SHIM_SQLITE.system_errno(db); }
static inline int memex_sqlite_busy_timeout(sqlite3 *db, int ms) { return MEMEX_SHIM_SQLITE.busy_timeout(db, ms); }
static inline int memex_sqlite_exec(sqlite3 *db, const char *sql) {
  return MEMEX_SHIM_SQLITE.exec(db, sql, 0, 0, 0);
}
static inline int memex_sqlite_prepare(sqlite3 *db, const char *sql, int length, sqlite3_stmt **out) {
  return MEMEX_SHIM_SQLITE.prepare_v3(db, sql, length, SQLITE_PREPARE_PERSISTENT, out, 0);
}
static inline int memex_sqlite_step(sqlite3_stmt *s) { return MEMEX_SHIM_SQLITE.step(s); }
static inline int memex_sqlite_reset(sqlite3_stmt *s) { return MEMEX_SHIM_SQLITE.reset(s); }
static inline int memex_sqlite_finalize(sqlite3_stmt *s) { return MEMEX_SHIM_SQLITE.finalize(s); }
static inline int memex_sqlite_bind_int64(sqlite3_stmt *s, int i, int64_t v) {
  return MEMEX_SHIM_SQLITE.bind_int64(s, i, v);
}
static inline int memex_sqlite_bind_null(sqlite3_stmt *s, int i) { return MEMEX_SHIM_SQLITE.bind_null(s, i); }
/* The bytes must stay valid until the statement is reset. */
static inline int memex_sqlite_bind_text(sqlite3_stmt *s, int i, const void *p, uint64_t n) {
  return MEMEX_SHIM_SQLITE.bind_text64(s, i, p ? (const char *)p : "", n, SQLITE_STATIC, SQLITE_UTF8);
}
static inline int memex_sqlite_bind_blob(sqlite3_stmt *s, int i, const void *p, uint64_t n) {
  return MEMEX_SHIM_SQLITE.bind_blob64(s, i, p ? p : "", n, SQLITE_STATIC);
}
static inline int64_t memex_sqlite_column_int64(sqlite3_stmt *s, int i) { return MEMEX_SHIM_SQLITE.column_int64(s, i); }
static inline const void *memex_sqlite_column_blob(sqlite3_stmt *s, int i) { return MEMEX_SHIM_SQLITE.column_blob(s, i); }
static inline int memex_sqlite_column_bytes(sqlite3_stmt *s, int i) { return MEMEX_SHIM_SQLITE.column_bytes(s, i); }
static inline int memex_sqlite_column_type(sqlite3_stmt *s, int i) { return MEMEX_SHIM_SQLITE.column_type(s, i); }
static inline int memex_sqlite_changes(sqlite3 *db) { return MEMEX_SHIM_SQLITE.changes(db); }
static inline int64_t memex_sqlite_last_rowid(sqlite3 *db) { return MEMEX_SHIM_SQLITE.last_insert_rowid(db); }
static inline void memex_sqlite_wal_hook(sqlite3 *db, int (*fn)(void *, sqlite3 *, const char *, int), void *p) {
  MEMEX_SHIM_SQLITE.wal_hook(db, fn, p);
}
static inline int memex_sqlite_checkpoint(sqlite3 *db, int mode, int *log, int *done) {
  return MEMEX_SHIM_SQLITE.wal_checkpoint_v2(db, "main", mode, log, done);
}
/* Of the main database. */
static inline int memex_sqlite_data_version(sqlite3 *db, uint32_t *out) {
  return MEMEX_SHIM_SQLITE.file_control(db, 0, SQLITE_FCNTL_DATA_VERSION, out);
}
/* Whether the path of the main file leads to another file than the open one. */
static inline int memex_sqlite_has_moved(sqlite3 *db, int *out) {
  return MEMEX_SHIM_SQLITE.file_control(db, "main", SQLITE_FCNTL_HAS_MOVED, out);
}
static inline int memex_sqlite_autocommit(sqlite3 *db) { return MEMEX_SHIM_SQLITE.get_autocommit(db); }
static inline void memex_sqlite_interrupt(sqlite3 *db) { MEMEX_SHIM_SQLITE.interrupt(db); }
/* The last close would checkpoint without the writers' lock. */
static inline int memex_sqlite_no_checkpoint_on_close(sqlite3 *db) {
  return MEMEX_SHIM_SQLITE.db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)0);
}

#endif
