/*
 * What SQLite alone can do for conversations: a minimal schema, prepared statements, nothing else. The
 * reference of most rows.
 *
 *   raw_sqlite append     DB DATA COUNT THREADS RUN BATCH   CPU of durable appends
 *   raw_sqlite load       DB DATA FILL                      last 50, whole thread, window of 8,000 tokens
 *   raw_sqlite concurrent DB DATA WRITERS EACH              group commit by a thread that writes for all
 */
#include <pthread.h>

#include "sqlite_common.h"

typedef struct {
  sqlite3 *db;
  sqlite3_stmt *begin, *commit, *next, *move, *create, *insert, *tail, *all, *newest;
} Store;

static Store store_open(const char *path, const char *synchronous) {
  Store s;
  sqlite3 *db;
  must(NULL, sqlite3_open(path, &db), path);
  s.db = db;
  sqlite3_busy_timeout(db, 60000);
  char pragma[64];
  snprintf(pragma, sizeof pragma, "PRAGMA synchronous=%s", synchronous);
  execute(db, "PRAGMA journal_mode=WAL");
  execute(db, pragma);
  execute(db,
          "CREATE TABLE IF NOT EXISTS threads(id INTEGER PRIMARY KEY, name TEXT UNIQUE,"
          " next_seq INTEGER NOT NULL DEFAULT 0, created_at INTEGER, updated_at INTEGER, metadata TEXT);"
          "CREATE TABLE IF NOT EXISTS messages(id INTEGER PRIMARY KEY, thread_id INTEGER NOT NULL,"
          " seq INTEGER NOT NULL, role TEXT NOT NULL, content TEXT, metadata TEXT, created_at INTEGER,"
          " tokens INTEGER);"
          "CREATE UNIQUE INDEX IF NOT EXISTS message_order ON messages(thread_id, seq)");
#define COLUMNS "seq, role, content, metadata, created_at, tokens"
  s.begin = prepare(db, "BEGIN IMMEDIATE");
  s.commit = prepare(db, "COMMIT");
  s.next = prepare(db, "SELECT next_seq FROM threads WHERE id=?");
  s.move = prepare(db, "UPDATE threads SET next_seq=?2, updated_at=?3 WHERE id=?1");
  s.create = prepare(db,
                     "INSERT INTO threads(id, name, next_seq, created_at, updated_at, metadata)"
                     " VALUES(?1, 't'||?1, 0, ?2, ?2, '{}')");
  s.insert = prepare(db,
                     "INSERT INTO messages(thread_id, seq, role, content, metadata, created_at, tokens)"
                     " VALUES(?,?,?,?,?,?,?)");
  s.tail = prepare(db, "SELECT " COLUMNS " FROM messages WHERE thread_id=? ORDER BY seq DESC LIMIT 50");
  s.all = prepare(db, "SELECT " COLUMNS " FROM messages WHERE thread_id=? ORDER BY seq");
  s.newest = prepare(db, "SELECT " COLUMNS " FROM messages WHERE thread_id=? ORDER BY seq DESC");
  return s;
}

/* Ids from 1: an id of 0 would be legal, and slower to tell from none. */
static void threads_create(Store *s, uint32_t count) {
  run(s->db, s->begin);
  for (uint32_t t = 1; t <= count; t++) {
    sqlite3_bind_int64(s->create, 1, t);
    sqlite3_bind_int64(s->create, 2, time_us());
    run(s->db, s->create);
  }
  run(s->db, s->commit);
}

static void put(Store *s, const Message *m, uint32_t thread) {
  int64_t at = time_us(), id = (int64_t)thread + 1;
  sqlite3_bind_int64(s->next, 1, id);
  must(s->db, sqlite3_step(s->next), "next_seq");
  int64_t seq = sqlite3_column_int64(s->next, 0);
  sqlite3_reset(s->next);
  sqlite3_bind_int64(s->move, 1, id);
  sqlite3_bind_int64(s->move, 2, seq + 1);
  sqlite3_bind_int64(s->move, 3, at);
  run(s->db, s->move);
  sqlite3_bind_int64(s->insert, 1, id);
  sqlite3_bind_int64(s->insert, 2, seq);
  sqlite3_bind_text(s->insert, 3, m->role, (int)m->role_len, SQLITE_STATIC);
  sqlite3_bind_text(s->insert, 4, m->content, (int)m->content_len, SQLITE_STATIC);
  sqlite3_bind_text(s->insert, 5, m->extra, (int)m->extra_len, SQLITE_STATIC);
  sqlite3_bind_int64(s->insert, 6, at);
  sqlite3_bind_int64(s->insert, 7, m->tokens);
  run(s->db, s->insert);
}

static void fill(Store *s, size_t count) {
  Scratch scratch;
  for (size_t i = 0; i < count; i++) {
    if (i % 5000 == 0) run(s->db, s->begin);
    Message m = message_at(i, &scratch);
    put(s, &m, 0);
    if (i % 5000 == 4999 || i + 1 == count) run(s->db, s->commit);
  }
}

/* Rows as a library must hand them out: copies that the caller owns. */
typedef struct {
  char *texts[3];
  int64_t seq, created_at;
  int tokens;
} Row;

static size_t fetch(sqlite3_stmt *s, uint32_t thread, long budget, Row **out) {
  size_t n = 0, capacity = 64;
  long used = 0;
  Row *rows = malloc(capacity * sizeof *rows);
  sqlite3_bind_int64(s, 1, (int64_t)thread + 1);
  while (sqlite3_step(s) == SQLITE_ROW) {
    int tokens = sqlite3_column_int(s, 5);
    if (budget >= 0 && used + tokens + 4 > budget) break;
    used += tokens + 4;
    if (n == capacity) rows = realloc(rows, (capacity *= 2) * sizeof *rows);
    Row *r = &rows[n++];
    r->seq = sqlite3_column_int64(s, 0);
    r->created_at = sqlite3_column_int64(s, 4);
    r->tokens = tokens;
    for (int i = 0; i < 3; i++) {
      const void *text = sqlite3_column_blob(s, i + 1);
      size_t length = (size_t)sqlite3_column_bytes(s, i + 1);
      r->texts[i] = malloc(length + 1);
      if (length) memcpy(r->texts[i], text, length);
      r->texts[i][length] = 0;
    }
  }
  sqlite3_reset(s);
  *out = rows;
  return n;
}

static void drop(Row *rows, size_t n) {
  for (size_t i = 0; i < n; i++)
    for (int k = 0; k < 3; k++) free(rows[i].texts[k]);
  free(rows);
}

/* Median seconds of a read that must find `wanted` rows (-1: any number but none). */
static double timed_read(sqlite3_stmt *s, long budget, int64_t wanted, size_t times, size_t *found) {
  double *took = malloc(times * sizeof *took);
  for (size_t i = 0; i < times; i++) {
    Row *rows;
    double t = now();
    *found = fetch(s, 0, budget, &rows);
    took[i] = now() - t;
    drop(rows, *found);
    if (wanted >= 0) expect((int64_t)*found, wanted, "rows read");
  }
  if (!*found) fail("read", "found nothing");
  double m = median(took, times);
  free(took);
  return m;
}

/* --- concurrent --------------------------------------------------------------------------------- */

typedef struct Request {
  const Message *message;
  uint32_t thread;
  int done;
} Request;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t queued = PTHREAD_COND_INITIALIZER, finished = PTHREAD_COND_INITIALIZER;
static Request *queue[1024];
static size_t queue_count, each;
static int stop;
static long commits;

static void *writer_main(void *argument) {
  Store *s = argument;
  Request *batch[1024];
  pthread_mutex_lock(&mutex);
  for (;;) {
    while (!queue_count && !stop) pthread_cond_wait(&queued, &mutex);
    if (!queue_count) break;
    size_t n = queue_count;
    memcpy(batch, queue, n * sizeof *batch);
    queue_count = 0;
    pthread_mutex_unlock(&mutex);
    run(s->db, s->begin);
    for (size_t i = 0; i < n; i++) put(s, batch[i]->message, batch[i]->thread);
    run(s->db, s->commit);
    commits++;
    pthread_mutex_lock(&mutex);
    for (size_t i = 0; i < n; i++) batch[i]->done = 1;
    pthread_cond_broadcast(&finished);
  }
  pthread_mutex_unlock(&mutex);
  return NULL;
}

static void *client_main(void *argument) {
  uint32_t own = (uint32_t)(uintptr_t)argument;
  for (size_t i = 0; i < each; i++) {
    Request r = {&pool[(own * each + i) % pool_count], own, 0};
    pthread_mutex_lock(&mutex);
    queue[queue_count++] = &r;
    pthread_cond_signal(&queued);
    while (!r.done) pthread_cond_wait(&finished, &mutex);
    pthread_mutex_unlock(&mutex);
  }
  return NULL;
}

static void concurrent(const char *path, uint32_t writers) {
  Store s = store_open(path, "FULL");
  threads_create(&s, writers);
  pthread_t writer, clients[512];
  if (writers > 512) fail("concurrent", "at most 512 writers");
  pthread_create(&writer, NULL, writer_main, &s);
  Mark from = mark();
  for (uintptr_t i = 0; i < writers; i++) pthread_create(&clients[i], NULL, client_main, (void *)i);
  for (uint32_t i = 0; i < writers; i++) pthread_join(clients[i], NULL);
  report(from, writers * each);
  pthread_mutex_lock(&mutex);
  stop = 1;
  pthread_cond_signal(&queued);
  pthread_mutex_unlock(&mutex);
  pthread_join(writer, NULL);
  printf(",\"commits\":%ld}\n", commits);
  expect(value(s.db, "SELECT count(*) FROM messages"), (int64_t)(writers * each), "messages stored");
}

int main(int argc, char **argv) {
  pin();
  if (argc < 5) fail(argv[0], "append|growth|load|concurrent DB DATA ...");
  const char *command = argv[1], *path = argv[2];
  messages_load(argv[3]);
  if (!strcmp(command, "append") && argc == 8) {
    size_t count = (size_t)number(argv[4]), batch = (size_t)number(argv[7]);
    uint32_t threads = (uint32_t)number(argv[5]), length = (uint32_t)number(argv[6]);
    Store s = store_open(path, "FULL");
    threads_create(&s, threads);
    Scratch scratch;
    Mark from = mark();
    for (size_t i = 0; i < count;) {
      run(s.db, s.begin);
      for (size_t k = 0; k < batch && i < count; k++, i++) {
        Message m = message_at(i, &scratch);
        put(&s, &m, thread_of(i, threads, length));
      }
      run(s.db, s.commit);
    }
    report(from, count);
    printf("}\n");
    expect(value(s.db, "SELECT count(*) FROM messages"), (int64_t)count, "messages stored");
    expect(value(s.db, "SELECT sum(next_seq) FROM threads"), (int64_t)count, "sum of seqs");
  } else if (!strcmp(command, "load") && argc == 5) {
    size_t at = (size_t)number(argv[4]), found;
    Store s = store_open(path, "OFF");
    threads_create(&s, 1);
    fill(&s, at);
    printf("{\"tail_us\":%.2f", timed_read(s.tail, -1, 50, 4000, &found) * 1e6);
    printf(",\"all_ms\":%.3f", timed_read(s.all, -1, (int64_t)at, 25, &found) * 1e3);
    printf(",\"window_ms\":%.4f", timed_read(s.newest, 8000, -1, 1001, &found) * 1e3);
    printf(",\"window_messages\":%zu}\n", found);
  } else if (!strcmp(command, "concurrent") && argc == 6) {
    each = (size_t)number(argv[5]);
    concurrent(path, (uint32_t)number(argv[4]));
  } else {
    fail(argv[0], "wrong arguments; see the head of raw_sqlite.c");
  }
  return 0;
}
