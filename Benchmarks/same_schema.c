/*
 * The library's own schema and work in plain C: the tables, partial indexes, settings and statements of
 * Sources/MemexSQLite, the writers' lock around every transaction, the record's head. What is missing is
 * what Swift and the C interface add: handles, the scan of the JSON, the checksum, the queue.
 *
 *   same_schema append DB DATA COUNT THREADS RUN BATCH [VARIANT...]
 *   same_schema read   DB DATA COUNT THREADS RUN [VARIANT...]   pages read for the last 50, cold and warm
 *
 * Variants, for the decision how rows are laid out and how a commit is made:
 *   rows=runs        (default, the library's) rows in order of insertion, one row of an index per run of a thread
 *   rows=indexed     rows in order of insertion, a unique index over (thread, seq)
 *   rows=clustered   the row's key is thread << 32 | seq, no index
 *   autocommit       one INSERT instead of BEGIN IMMEDIATE, INSERT, COMMIT
 *   nolock           without the writers' lock
 *   cache=N page=N   PRAGMA cache_size, page_size
 *   nosecure         PRAGMA secure_delete = OFF
 *   nopartial        without the partial indexes
 *   checkpoint=N     frames in the log before a checkpoint (default 1000)
 *   spill=0          PRAGMA cache_spill = OFF
 *   exclusive        PRAGMA locking_mode = EXCLUSIVE
 *   memstatus        without SQLite's count of memory
 */
#include <sys/file.h>

#include "sqlite_common.h"

enum { CLUSTERED, INDEXED, RUNS };
static int rows = RUNS, autocommit, no_lock, page = 4096, no_secure, no_partial, checkpoint_at = 1000;
static int spill = 1, exclusive;
static int cache = -16000;

static void options(int n, char **v) {
  for (int i = 0; i < n; i++) {
    const char *o = v[i];
    if (!strcmp(o, "rows=clustered")) rows = CLUSTERED;
    else if (!strcmp(o, "rows=indexed")) rows = INDEXED;
    else if (!strcmp(o, "rows=runs")) rows = RUNS;
    else if (!strcmp(o, "autocommit")) autocommit = 1;
    else if (!strcmp(o, "nolock")) no_lock = 1;
    else if (!strcmp(o, "nosecure")) no_secure = 1;
    else if (!strcmp(o, "nopartial")) no_partial = 1;
    else if (!strncmp(o, "cache=", 6)) cache = (int)number(o + 6);
    else if (!strncmp(o, "page=", 5)) page = (int)number(o + 5);
    else if (!strncmp(o, "checkpoint=", 11)) checkpoint_at = (int)number(o + 11);
    else if (!strcmp(o, "spill=0")) spill = 0;
    else if (!strcmp(o, "exclusive")) exclusive = 1;
    else if (!strcmp(o, "memstatus")) sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    else fail(o, "is no variant");
  }
}

typedef struct {
  int64_t last_seq, last_created_at, last_row;
} State;

typedef struct {
  sqlite3 *db;
  int lock, frames;
  sqlite3_stmt *begin, *commit, *insert, *insert_run, *thread;
  State *states;
  uint32_t version;
  int64_t next_row, run_owner;
} Store;

static int on_commit(void *context, sqlite3 *db, const char *name, int frames) {
  (void)db, (void)name;
  *(int *)context = frames;
  return SQLITE_OK;
}

static void store_open(Store *s, const char *path, uint32_t threads) {
  memset(s, 0, sizeof *s);
  char name[512];
  snprintf(name, sizeof name, "%s-lock", path);
  s->lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  must(NULL, sqlite3_open_v2(path, &s->db,
                             SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                             NULL), path);
  sqlite3 *db = s->db;
  sqlite3_busy_timeout(db, 30000);
  sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
  char text[256];
  snprintf(text, sizeof text, "PRAGMA page_size = %d", page);
  execute(db, text);
  if (exclusive) execute(db, "PRAGMA locking_mode = EXCLUSIVE");
  execute(db, "PRAGMA journal_mode = WAL");
  snprintf(text, sizeof text,
           "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA secure_delete = %s;"
           "PRAGMA cache_size = %d; PRAGMA cache_spill = %s;"
           "PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON",
           no_secure ? "OFF" : "ON", cache, spill ? "ON" : "OFF");
  execute(db, text);
  execute(db,
          "CREATE TABLE IF NOT EXISTS threads(key INTEGER PRIMARY KEY AUTOINCREMENT, tenant TEXT NOT NULL,"
          " id TEXT NOT NULL, title TEXT, metadata TEXT, version INTEGER NOT NULL,"
          " created_at_us INTEGER NOT NULL, updated_at_us INTEGER NOT NULL, activity_at_us INTEGER NOT NULL,"
          " changes INTEGER NOT NULL, deleted INTEGER NOT NULL, floor INTEGER NOT NULL,"
          " base_key INTEGER NOT NULL, base_seq INTEGER NOT NULL, base_rev INTEGER NOT NULL,"
          " root_key INTEGER NOT NULL, forks INTEGER NOT NULL, hidden INTEGER NOT NULL);"
          "CREATE UNIQUE INDEX IF NOT EXISTS thread_ids ON threads(tenant, id) WHERE hidden = 0;"
          "CREATE INDEX IF NOT EXISTS thread_activity ON threads(tenant, activity_at_us, key) WHERE hidden = 0;"
          "CREATE INDEX IF NOT EXISTS thread_creation ON threads(tenant, key) WHERE hidden = 0;"
          "CREATE INDEX IF NOT EXISTS thread_forks ON threads(base_key) WHERE base_key <> 0;"
          "CREATE INDEX IF NOT EXISTS thread_roots ON threads(root_key) WHERE root_key <> 0");
  snprintf(text, sizeof text,
           "CREATE TABLE IF NOT EXISTS messages(%s created_at_us INTEGER NOT NULL, role TEXT NOT NULL,"
           " head BLOB NOT NULL, body TEXT, extra TEXT, id TEXT, idempotency_key TEXT, receipt BLOB,"
           " marked INTEGER)",
           rows == CLUSTERED ? "key INTEGER PRIMARY KEY," : "row INTEGER PRIMARY KEY, key INTEGER NOT NULL,");
  execute(db, text);
  if (!no_partial)
    execute(db,
            "CREATE UNIQUE INDEX IF NOT EXISTS message_ids ON messages(key >> 32, id) WHERE id IS NOT NULL;"
            "CREATE UNIQUE INDEX IF NOT EXISTS message_idempotency_keys ON messages(key >> 32, idempotency_key)"
            " WHERE idempotency_key IS NOT NULL;"
            "CREATE INDEX IF NOT EXISTS message_marks ON messages(key) WHERE marked IS NOT NULL");
  if (rows == INDEXED) execute(db, "CREATE UNIQUE INDEX IF NOT EXISTS message_keys ON messages(key)");
  if (rows == RUNS) execute(db, "CREATE TABLE IF NOT EXISTS runs(key INTEGER PRIMARY KEY, row INTEGER NOT NULL)");
  s->begin = prepare(db, "BEGIN IMMEDIATE");
  s->commit = prepare(db, "COMMIT");
  s->insert = prepare(db, rows == CLUSTERED
                              ? "INSERT INTO messages(key, created_at_us, role, head, body) VALUES(?,?,?,?,?)"
                              : "INSERT INTO messages(key, created_at_us, role, head, body, row) VALUES(?,?,?,?,?,?)");
  if (rows == RUNS) s->insert_run = prepare(db, "INSERT INTO runs(key, row) VALUES(?,?)");
  s->thread = prepare(db,
                      "INSERT INTO threads(tenant, id, title, metadata, version, created_at_us, updated_at_us,"
                      " activity_at_us, changes, deleted, floor, base_key, base_seq, base_rev, root_key, forks,"
                      " hidden) VALUES('', ?, NULL, NULL, 1, ?2, ?2, ?2, 0, 0, 0, 0, 0, 0, 0, 0, 0)");
  sqlite3_wal_hook(db, on_commit, &s->frames);
  s->states = calloc(threads, sizeof *s->states);
  s->next_row = 1;
  s->run_owner = -1;
  run(db, s->begin);
  for (uint32_t t = 0; t < threads; t++) {
    int n = snprintf(text, sizeof text, "0190a0b0-0000-7000-8000-%012u", t);
    sqlite3_bind_text(s->thread, 1, text, n, SQLITE_STATIC);
    sqlite3_bind_int64(s->thread, 2, time_us());
    run(db, s->thread);
  }
  run(db, s->commit);
}

static void lock_take(Store *s) {
  while (!no_lock && flock(s->lock, LOCK_EX | LOCK_NB)) {}
}

static void lock_give(Store *s) {
  if (!no_lock) flock(s->lock, LOCK_UN);
}

static int put_number(unsigned char *to, int at, uint32_t v) {
  while (v >= 0x80) to[at++] = (unsigned char)(v | 0x80), v >>= 7;
  to[at++] = (unsigned char)v;
  return at;
}

static void begin(Store *s) {
  lock_take(s);
  if (!autocommit) run(s->db, s->begin);
  uint32_t version = 0;
  sqlite3_file_control(s->db, "main", SQLITE_FCNTL_DATA_VERSION, &version);
  if (version != s->version) s->version = version;
}

static void commit(Store *s) {
  if (!autocommit) run(s->db, s->commit);
  sqlite3_file_control(s->db, "main", SQLITE_FCNTL_DATA_VERSION, &s->version);
  lock_give(s);
}

static void settle(Store *s) {
  if (s->frames < checkpoint_at) return;
  lock_take(s);
  sqlite3_wal_checkpoint_v2(s->db, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
  s->frames = 0;
  lock_give(s);
}

static void put(Store *s, const Message *m, uint32_t thread, int64_t at) {
  State *state = &s->states[thread];
  state->last_seq++;
  state->last_created_at = at > state->last_created_at ? at : state->last_created_at;
  unsigned char head[40] = {1, 0, 0, 1, 8, 0, 0x11, 0x22, 0x33, 0x44};
  int n = put_number(head, 10, m->tokens);
  n = put_number(head, n, 0);
  n = put_number(head, n, m->splice - m->content_len + 1);
  n = put_number(head, n, m->content_len);
  int64_t key = (int64_t)(thread + 1) << 32 | state->last_seq;
  if (rows == RUNS) {
    if (s->run_owner != (int64_t)thread) {
      sqlite3_bind_int64(s->insert_run, 1, key);
      sqlite3_bind_int64(s->insert_run, 2, s->next_row);
      run(s->db, s->insert_run);
      s->run_owner = (int64_t)thread;
    }
  }
  sqlite3_bind_int64(s->insert, 1, key);
  sqlite3_bind_int64(s->insert, 2, state->last_created_at);
  sqlite3_bind_text(s->insert, 3, m->role, (int)m->role_len, SQLITE_STATIC);
  sqlite3_bind_blob(s->insert, 4, head, n, SQLITE_STATIC);
  sqlite3_bind_text(s->insert, 5, m->body, (int)m->body_len, SQLITE_STATIC);
  if (rows != CLUSTERED) sqlite3_bind_int64(s->insert, 6, s->next_row++);
  run(s->db, s->insert);
}

static void append_all(Store *s, size_t count, uint32_t threads, uint32_t length, size_t batch) {
  Scratch scratch;
  for (size_t i = 0; i < count;) {
    begin(s);
    int64_t at = time_us();
    for (size_t k = 0; k < batch && i < count; k++, i++) {
      Message m = message_at(i, &scratch);
      put(s, &m, thread_of(i, threads, length), at);
    }
    commit(s);
    settle(s);
  }
}

static int holds(sqlite3_stmt *one, int64_t row, int64_t key) {
  sqlite3_bind_int64(one, 1, row);
  int found = sqlite3_step(one) == SQLITE_ROW && sqlite3_column_int64(one, 0) == key;
  sqlite3_reset(one);
  return found;
}

/* Messages in a thread's newest run: gallops, then bisects. */
static int64_t run_length(sqlite3_stmt *one, int64_t key, int64_t row) {
  int64_t low = 1, high = 2;
  while (holds(one, row + high - 1, key + high - 1)) low = high, high *= 2;
  while (high - low > 1) {
    int64_t middle = low + (high - low) / 2;
    if (holds(one, row + middle - 1, key + middle - 1)) low = middle;
    else high = middle;
  }
  return low;
}

/* The last 50 of a thread; returns how many were found. */
static int tail(sqlite3 *db, sqlite3_stmt *a, sqlite3_stmt *b, sqlite3_stmt *c, int64_t thread) {
  int found = 0;
  volatile char sink = 0;
  if (rows != RUNS) {
    sqlite3_bind_int64(a, 1, thread << 32);
    sqlite3_bind_int64(a, 2, thread << 32 | 0xFFFFFFFF);
    while (sqlite3_step(a) == SQLITE_ROW) {
      const char *p = sqlite3_column_blob(a, 2);
      sink = (char)(sink + p[0]);
      found++;
    }
    sqlite3_reset(a);
    return found;
  }
  /* Runs, newest first. A run ends where the next one of the thread begins; the end of the newest is searched. */
  int64_t end = INT64_MAX;
  sqlite3_bind_int64(a, 1, thread << 32);
  sqlite3_bind_int64(a, 2, thread << 32 | 0xFFFFFFFF);
  while (found < 50 && sqlite3_step(a) == SQLITE_ROW) {
    int64_t first = sqlite3_column_int64(a, 0), row = sqlite3_column_int64(a, 1);
    int64_t length = end == INT64_MAX ? run_length(c, first, row) : end - first;
    end = first;
    int64_t wanted = length < 50 - found ? length : 50 - found;
    sqlite3_bind_int64(b, 1, row + length - wanted);
    sqlite3_bind_int64(b, 2, row + length - 1);
    while (sqlite3_step(b) == SQLITE_ROW) {
      const char *p = sqlite3_column_blob(b, 2);
      sink = (char)(sink + p[0]);
      found++;
    }
    sqlite3_reset(b);
  }
  sqlite3_reset(a);
  must(db, SQLITE_OK, "tail");
  return found;
}

static void tails(const char *path, uint32_t threads, int warm, double *us, double *pages) {
  double total = 0;
  long read_pages = 0;
  int n = 0;
  sqlite3 *db = NULL;
  sqlite3_stmt *a = NULL, *b = NULL, *c = NULL;
  for (uint32_t t = 0; t < threads; t += 1, n++) {
    if (!db) {
      must(NULL, sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL), path);
      char text[64];
      snprintf(text, sizeof text, "PRAGMA cache_size = %d", cache);
      execute(db, text);
      a = prepare(db, rows == RUNS ? "SELECT key, row FROM runs WHERE key BETWEEN ? AND ? ORDER BY key DESC"
                                   : "SELECT key, role, body, head, created_at_us FROM messages WHERE key BETWEEN ? AND ?"
                                     " ORDER BY key DESC LIMIT 50");
      b = prepare(db, rows == RUNS ? "SELECT key, role, body, head, created_at_us FROM messages WHERE row BETWEEN ? AND ?"
                                   : "SELECT 1");
      c = prepare(db, rows == RUNS ? "SELECT key FROM messages WHERE row = ?" : "SELECT 1");
    }
    if (warm) tail(db, a, b, c, t + 1);
    int before[2], after[2], high;
    sqlite3_db_status(db, SQLITE_DBSTATUS_CACHE_MISS, &before[0], &high, 0);
    double from = now();
    int found = tail(db, a, b, c, t + 1);
    total += now() - from;
    sqlite3_db_status(db, SQLITE_DBSTATUS_CACHE_MISS, &after[0], &high, 0);
    read_pages += after[0] - before[0];
    if (found < 50) expect(found, 50, "messages in a tail");
    if (!warm) {
      sqlite3_finalize(a);
      sqlite3_finalize(b);
      sqlite3_finalize(c);
      sqlite3_close(db);
      db = NULL;
    }
  }
  *us = total * 1e6 / n;
  *pages = (double)read_pages / n;
}

int main(int argc, char **argv) {
  pin();
  if (argc < 7) fail(argv[0], "append|read DB DATA COUNT THREADS RUN ...");
  const char *command = argv[1], *path = argv[2];
  size_t count = (size_t)number(argv[4]);
  uint32_t threads = (uint32_t)number(argv[5]), length = (uint32_t)number(argv[6]);
  Store s;
  if (!strcmp(command, "append") && argc >= 8) {
    options(argc - 8, argv + 8);
    messages_load(argv[3]);
    store_open(&s, path, threads);
    Mark from = mark();
    append_all(&s, count, threads, length, (size_t)number(argv[7]));
    report(from, count);
    printf(",\"pages\":%lld}\n", (long long)value(s.db, "PRAGMA page_count"));
  } else if (!strcmp(command, "read")) {
    options(argc - 7, argv + 7);
    messages_load(argv[3]);
    store_open(&s, path, threads);
    append_all(&s, count, threads, length, 1);
    sqlite3_wal_checkpoint_v2(s.db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    double us, pages;
    tails(path, threads, 0, &us, &pages);
    printf("{\"cold_us\":%.2f,\"cold_pages\":%.1f", us, pages);
    tails(path, threads, 1, &us, &pages);
    printf(",\"warm_us\":%.2f,\"pages\":%lld}\n", us, (long long)value(s.db, "PRAGMA page_count"));
  } else {
    fail(argv[0], "wrong arguments; see the head of same_schema.c");
  }
  expect(value(s.db, "SELECT count(*) FROM messages"), (int64_t)count, "messages stored");
  return 0;
}
