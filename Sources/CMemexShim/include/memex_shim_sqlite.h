#ifndef MEMEX_SHIM_SQLITE_H
#define MEMEX_SHIM_SQLITE_H

#include <sqlite3.h>

/* SQLite's functions, found at run time. The types are those of sqlite3.h: the compiler checks them. */
#define MEMEX_SHIM_SQLITE_FUNCTIONS(X)                                                            \
  X(libversion) X(libversion_number) X(threadsafe) X(initialize) X(open_v2) X(close) X(close_v2)  \
  X(errmsg) X(extended_errcode) X(extended_result_codes) X(system_errno) X(errstr) X(busy_timeout)\
  X(exec) X(prepare_v3) X(step) X(reset) X(finalize) X(clear_bindings) X(bind_int64) X(bind_null) \
  X(bind_text64) X(bind_blob64) X(bind_text) X(column_int64) X(column_blob) X(column_text)        \
  X(column_bytes) X(column_type) X(changes) X(last_insert_rowid) X(wal_hook)                      \
  X(wal_checkpoint_v2) X(file_control) X(get_autocommit) X(interrupt) X(limit) X(free)

typedef struct memex_shim_sqlite {
#define MEMEX_SHIM_FIELD(name) __typeof__(&sqlite3_##name) name;
  MEMEX_SHIM_SQLITE_FUNCTIONS(MEMEX_SHIM_FIELD)
#undef MEMEX_SHIM_FIELD
} memex_shim_sqlite;

/* The functions of the SQLite that is in the process already, else of the system's, else of the copy at
   fallback (a path, or NULL). NULL when there is none; *reason then says why. Loaded once. */
const memex_shim_sqlite *memex_shim_sqlite_load(const char *fallback, const char **reason);

/* db_config with an int argument is variadic. */
int memex_shim_sqlite_no_checkpoint_on_close(const memex_shim_sqlite *api, sqlite3 *db);

#endif
