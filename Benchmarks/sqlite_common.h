/* What the two programs over SQLite share. */
#ifndef MEMEX_BENCH_SQLITE_H
#define MEMEX_BENCH_SQLITE_H

#include <sqlite3.h>

#include "bench.h"

static inline void must(sqlite3 *db, int code, const char *what) {
  if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE) return;
  fail(what, db ? sqlite3_errmsg(db) : sqlite3_errstr(code));
}

static inline void execute(sqlite3 *db, const char *sql) { must(db, sqlite3_exec(db, sql, 0, 0, 0), sql); }

static inline sqlite3_stmt *prepare(sqlite3 *db, const char *sql) {
  sqlite3_stmt *s;
  must(db, sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &s, 0), sql);
  return s;
}

/* Runs a statement to its first row or end, and resets it. */
static inline void run(sqlite3 *db, sqlite3_stmt *s) {
  must(db, sqlite3_step(s), sqlite3_sql(s));
  sqlite3_reset(s);
}

static inline int64_t value(sqlite3 *db, const char *sql) {
  sqlite3_stmt *s = prepare(db, sql);
  must(db, sqlite3_step(s), sql);
  int64_t v = sqlite3_column_int64(s, 0);
  sqlite3_finalize(s);
  return v;
}

#endif
