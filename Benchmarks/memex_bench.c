/*
 * The library through its C interface, on the work that raw_sqlite.c and same_schema.c do.
 *
 *   memex_bench append     DB DATA COUNT THREADS RUN BATCH json|text   (DB "memory:" for the memory
 *                                                   store, "lmdb:///PATH" for other engines)
 *   memex_bench growth     DB DATA FILL BLOCKS      blocks of 100, by turns into a thread of FILL and a new one
 *   memex_bench load       DB DATA FILL             last 50, whole thread
 *   memex_bench window     DB DATA FILL LARGE       window of 8,000 tokens over FILL and over LARGE messages
 *   memex_bench concurrent DB DATA WRITERS EACH own|same
 *   memex_bench processes  DB DATA PROCESSES THREADS EACH own|same
 *   memex_bench memory     DATA COUNT               memory store: rate and resident memory
 *
 * What was stored is read again and compared; a difference ends the program with 4.
 */
#include <errno.h>
#include <memex.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/wait.h>

#include "sqlite_common.h"

static void check(memex_status status, memex_error *error, const char *what) {
  if (status == MEMEX_OK) return;
  fprintf(stderr, "%s: %s: %s\n", what, memex_status_name(status), error ? memex_error_message(error) : "");
  exit(3);
}
#define CALL(call)                    \
  do {                                \
    memex_error *error = NULL;        \
    check((call), error, #call);      \
  } while (0)

static int is_url(const char *path) { return strstr(path, ":///") != NULL; }

static memex_store *store_open(const char *path) {
  char config[1024];
  memex_store *store;
  snprintf(config, sizeof config, "{\"url\":\"%s%s\"}",
           !strncmp(path, "memory:", 7) || is_url(path) ? "" : "sqlite:///", path);
  CALL(memex_store_open(config, MEMEX_NTS, &store, &error));
  return store;
}

static memex_thread *thread_create(memex_store *store, uint32_t number) {
  char init[64];
  memex_thread *thread;
  snprintf(init, sizeof init, "{\"id\":\"t%u\"}", number);
  CALL(memex_thread_create(store, init, MEMEX_NTS, &thread, &error));
  return thread;
}

static memex_thread *thread_open(memex_store *store, uint32_t number) {
  char id[32];
  memex_thread *thread;
  snprintf(id, sizeof id, "t%u", number);
  CALL(memex_thread_open(store, id, MEMEX_NTS, &thread, &error));
  return thread;
}

static int64_t append(memex_thread *thread, const char *json, size_t length) {
  memex_receipt receipt = {.struct_size = sizeof receipt};
  CALL(memex_thread_append(thread, json, length, NULL, 0, &receipt, &error));
  return receipt.last_seq;
}

static int64_t append_text(memex_thread *thread, const Message *m) {
  memex_receipt receipt = {.struct_size = sizeof receipt};
  CALL(memex_thread_append_text(thread, m->role, m->role_len, m->content, m->content_len, NULL, 0, &receipt, &error));
  return receipt.last_seq;
}

static void expect_body(memex_thread *thread, int64_t seq, const char *body, size_t length) {
  memex_message *message;
  memex_bytes bytes = {0};
  CALL(memex_message_at(thread, seq, &message, &error));
  CALL(memex_message_body(message, &bytes, &error));
  if (bytes.len != length || memcmp(bytes.data, body, length)) {
    fprintf(stderr, "message %lld came back other than it was given:\n%.*s\n%s\n", (long long)seq, (int)length, body,
            bytes.data);
    exit(4);
  }
  memex_bytes_free(&bytes);
  memex_message_free(message);
}

static void expect_count(memex_thread *thread, int64_t wanted) {
  int64_t count;
  CALL(memex_thread_count(thread, &count, &error));
  expect(count, wanted, "messages in a thread");
}

static void fill(memex_thread *thread, size_t count) {
  Scratch scratch;
  size_t used = 0, in_page = 0, capacity = 8 << 20;
  char *page = malloc(capacity);
  for (size_t i = 0; i < count; i++) {
    Message m = message_at(i, &scratch);
    page[used] = in_page++ ? ',' : '[';
    memcpy(page + used + 1, m.body, m.body_len);
    used += 1 + m.body_len;
    if (in_page == 1000 || i + 1 == count) {
      page[used++] = ']';
      append(thread, page, used);
      used = in_page = 0;
    }
  }
  free(page);
  expect_count(thread, (int64_t)count);
}

/* --- one writer ----------------------------------------------------------------------------------- */

static void append_main(char **v) {
  size_t count = (size_t)number(v[4]), batch = (size_t)number(v[7]);
  uint32_t threads = (uint32_t)number(v[5]), length = (uint32_t)number(v[6]);
  int text = !strcmp(v[8], "text");
  memex_store *store = store_open(v[2]);
  memex_thread **handles = malloc(threads * sizeof *handles);
  for (uint32_t t = 0; t < threads; t++) handles[t] = thread_create(store, t);
  Scratch scratch;
  size_t capacity = batch * 8192;
  char *page = malloc(capacity);
  Mark from = mark();
  if (batch == 1) {
    for (size_t i = 0; i < count; i++) {
      Message m = message_at(i, &scratch);
      memex_thread *thread = handles[thread_of(i, threads, length)];
      if (text) append_text(thread, &m);
      else append(thread, m.body, m.body_len);
    }
  } else {
    for (size_t i = 0; i < count;) {
      size_t used = 0;
      memex_thread *thread = handles[thread_of(i, threads, length)];
      for (size_t k = 0; k < batch && i < count; k++, i++) {
        Message m = message_at(i, &scratch);
        page[used] = k ? ',' : '[';
        memcpy(page + used + 1, m.body, m.body_len);
        used += 1 + m.body_len;
      }
      page[used++] = ']';
      append(thread, page, used);
    }
  }
  report(from, count);
  printf("}\n");
  int64_t *seqs = calloc(threads, sizeof *seqs);
  for (size_t i = 0; i < count; i++) {
    uint32_t t = thread_of(i, threads, length);
    seqs[t]++;
    if (i % 97 && i + threads < count) continue;
    /* Text alone has no tool calls, so its body is known for plain messages only. */
    Message m = message_at(i, &scratch);
    if (!text || m.extra_len == 2) expect_body(handles[t], seqs[t], m.body, m.body_len);
  }
  for (uint32_t t = 0; t < threads; t++) {
    expect_count(handles[t], seqs[t]);
    memex_thread_free(handles[t]);
  }
  CALL(memex_store_close(store, &error));
}

/* A thread of FILL messages and new threads take turns, block by block, so that both see the same machine.
 * Each has a database of its own, or the small one would lie at the end of the large one's tree. */
static void growth_main(char **v) {
  enum { BLOCK = 100 };
  size_t at = (size_t)number(v[4]), blocks = (size_t)number(v[5]);
  char path[1024];
  snprintf(path, sizeof path, "%s-new.db", v[2]);
  memex_store *store = store_open(v[2]), *other = store_open(path);
  memex_thread *thread = thread_create(store, 0);
  if (at) fill(thread, at);
  double *grown = malloc(blocks * sizeof *grown), *fresh = malloc(blocks * sizeof *fresh);
  Scratch scratch;
  for (size_t b = 0; b < blocks; b++) {
    memex_thread *new_thread = thread_create(other, (uint32_t)b);
    double t = cpu();
    for (size_t i = 0; i < BLOCK; i++) {
      Message m = message_at(at + b * BLOCK + i, &scratch);
      append(thread, m.body, m.body_len);
    }
    grown[b] = (cpu() - t) / BLOCK;
    t = cpu();
    for (size_t i = 0; i < BLOCK; i++) {
      Message m = message_at(at + b * BLOCK + i, &scratch);
      append(new_thread, m.body, m.body_len);
    }
    fresh[b] = (cpu() - t) / BLOCK;
    expect_count(new_thread, BLOCK);
    memex_thread_free(new_thread);
  }
  size_t total = at + blocks * BLOCK;
  expect_count(thread, (int64_t)total);
  Message m = message_at(total - 1, &scratch);
  expect_body(thread, (int64_t)total, m.body, m.body_len);
  printf("{\"grown_us\":%.3f,\"fresh_us\":%.3f}\n", median(grown, blocks) * 1e6, median(fresh, blocks) * 1e6);
  CALL(memex_store_close(store, &error));
  CALL(memex_store_close(other, &error));
}

/* --- reading -------------------------------------------------------------------------------------- */

/* Reads with a query; keeps the pages' sizes together, and the last page's end to compare. */
static size_t read_pages(memex_thread *thread, const char *query, char *last, size_t last_size) {
  memex_cursor *cursor;
  size_t total = 0;
  CALL(memex_thread_messages(thread, query, MEMEX_NTS, &cursor, &error));
  for (;;) {
    memex_bytes page = {0};
    memex_error *error = NULL;
    memex_status status = memex_cursor_next(cursor, &page, &error);
    if (status == MEMEX_DONE) break;
    check(status, error, "memex_cursor_next");
    total += page.len;
    if (last) {
      size_t n = page.len < last_size ? page.len : last_size;
      memcpy(last, page.data + page.len - n, n);
      last[n] = 0;
    }
    memex_bytes_free(&page);
  }
  memex_cursor_free(cursor);
  return total;
}

/* Bytes that the bodies [from, to) take as JSON pages of `page` messages. */
static size_t bodies_size(size_t from, size_t to, size_t page) {
  Scratch scratch;
  size_t total = 0;
  for (size_t i = from; i < to; i++) total += message_at(i, &scratch).body_len + 1;
  return total + (to - from + page - 1) / page;
}

static double timed_read(memex_thread *thread, const char *query, size_t wanted, size_t at, size_t times) {
  double *took = malloc(times * sizeof *took);
  static char end[8192];
  Scratch scratch;
  Message m = message_at(at - 1, &scratch);
  for (size_t i = 0; i < times; i++) {
    double t = now();
    size_t size = read_pages(thread, query, NULL, 0);
    took[i] = now() - t;
    expect((int64_t)size, (int64_t)wanted, "bytes of bodies read");
  }
  read_pages(thread, query, end, m.body_len + 1);
  if (memcmp(end, m.body, m.body_len)) fail(query, "the last body differs");
  double middle = median(took, times);
  free(took);
  return middle;
}

static void load_main(char **v) {
  size_t at = (size_t)number(v[4]);
  memex_store *store = store_open(v[2]);
  memex_thread *thread = thread_create(store, 0);
  fill(thread, at);
  printf("{\"tail_us\":%.2f", timed_read(thread, "{\"last\":50,\"layout\":\"bodies\"}",
                                         bodies_size(at - 50, at, 250), at, 4000) * 1e6);
  printf(",\"all_ms\":%.3f}\n",
         timed_read(thread, "{\"layout\":\"bodies\"}", bodies_size(0, at, 250), at, 25) * 1e3);
  CALL(memex_store_close(store, &error));
}

/* Builds a window once; checks that it is one. */
static double window_of(memex_thread *thread, memex_strategy *strategy, size_t at, int checked) {
  memex_bytes out = {0};
  double t = now();
  CALL(memex_context_build(thread, strategy, "{\"max_tokens\":8000}", MEMEX_NTS, &out, &error));
  t = now() - t;
  if (checked) {
    Scratch scratch;
    Message m = message_at(at - 1, &scratch);
    if (!memmem(out.data, out.len, m.body, m.body_len)) fail("window", "the newest message is not in it");
    if (!memmem(out.data, out.len, pool[0].body, pool[0].body_len)) fail("window", "the system message is not in it");
    /* Messages have "tokens", too: the largest is the window's. */
    long used = 0;
    for (const char *p = out.data; (p = strstr(p, "\"tokens\":")); p++)
      if (atol(p + 9) > used) used = atol(p + 9);
    if (used < 7000 || used > 8000) fail("window", "is not about 8,000 tokens");
  }
  memex_bytes_free(&out);
  return t;
}

/* A small and a large thread, each in a store of its own, take turns. */
static void window_main(char **v) {
  enum { TIMES = 1001 };
  static double took[2][TIMES];
  size_t at[2] = {(size_t)number(v[4]), (size_t)number(v[5])};
  char path[1024];
  snprintf(path, sizeof path, "%s-large.db", v[2]);
  memex_store *stores[2] = {store_open(v[2]), store_open(path)};
  memex_thread *threads[2];
  memex_strategy *strategy;
  CALL(memex_strategy_open("[{\"type\":\"pin\",\"roles\":[\"system\"]},{\"type\":\"token_budget\",\"max_tokens\":8000}]",
                           MEMEX_NTS, &strategy, &error));
  for (int k = 0; k < 2; k++) {
    threads[k] = thread_create(stores[k], 0);
    fill(threads[k], at[k]);
    window_of(threads[k], strategy, at[k], 1);
  }
  for (int i = 0; i < TIMES; i++)
    for (int k = 0; k < 2; k++) took[k][i] = window_of(threads[k], strategy, at[k], 0);
  printf("{\"window_ms\":%.4f,\"large_ms\":%.4f}\n", median(took[0], TIMES) * 1e3, median(took[1], TIMES) * 1e3);
  memex_strategy_free(strategy);
  for (int k = 0; k < 2; k++) CALL(memex_store_close(stores[k], &error));
}

/* --- many writers --------------------------------------------------------------------------------- */

typedef struct {
  memex_thread *thread;
  uint32_t writer;
  size_t each;
  double worst;
  int out_of_order;
} Client;

/* The body of a writer's i-th message: a message of the pool whose content ends in its name. */
static uint32_t named_body(char *to, uint32_t writer, size_t i, size_t each) {
  const Message *m = &pool[(writer * each + i) % pool_count];
  memcpy(to, m->body, m->splice);
  int n = snprintf(to + m->splice, 48, " <w%u:%zu>", writer, i);
  memcpy(to + m->splice + n, m->body + m->splice, m->body_len - m->splice);
  return m->body_len + (uint32_t)n;
}

static void *client_main(void *argument) {
  Client *c = argument;
  char body[8192];
  int64_t before = 0;
  for (size_t i = 0; i < c->each; i++) {
    uint32_t n = named_body(body, c->writer, i, c->each);
    double t = now();
    int64_t seq = append(c->thread, body, n);
    double took = now() - t;
    if (took > c->worst) c->worst = took;
    if (seq <= before) c->out_of_order++;
    before = seq;
  }
  return NULL;
}

static void clients_run(Client *clients, uint32_t count) {
  pthread_t threads[512];
  if (count > 512) fail("clients", "at most 512");
  for (uint32_t i = 0; i < count; i++) pthread_create(&threads[i], NULL, client_main, &clients[i]);
  for (uint32_t i = 0; i < count; i++) pthread_join(threads[i], NULL);
  for (uint32_t i = 0; i < count; i++)
    if (clients[i].out_of_order) fail("receipts", "out of order");
}

/* With SQLite alone: seqs dense, every message of every writer there once, whole, in its writer's order. */
static void verify(const char *path, uint32_t writers, size_t each) {
  sqlite3 *db;
  must(NULL, sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), path);
  sqlite3_stmt *s = prepare(db, "SELECT thread, seq, body FROM conversations ORDER BY thread, seq");
  size_t *next = calloc(writers, sizeof *next), total = 0;
  char thread[64] = "", wanted[8192];
  int64_t seq = 0;
  while (sqlite3_step(s) == SQLITE_ROW) {
    const char *id = (const char *)sqlite3_column_text(s, 0);
    if (strcmp(id, thread)) snprintf(thread, sizeof thread, "%s", id), seq = 0;
    expect(sqlite3_column_int64(s, 1), ++seq, "seq (a gap)");
    const char *body = (const char *)sqlite3_column_text(s, 2);
    const char *name = strstr(body, " <w");
    unsigned writer;
    size_t i;
    if (!name || sscanf(name, " <w%u:%zu>", &writer, &i) != 2 || writer >= writers) fail(body, "nobody wrote this");
    expect((int64_t)i, (int64_t)next[writer]++, "a writer's message (lost or out of order)");
    uint32_t n = named_body(wanted, writer, i, each);
    if ((uint32_t)sqlite3_column_bytes(s, 2) != n || memcmp(wanted, body, n)) fail(body, "differs from what was given");
    total++;
  }
  expect((int64_t)total, (int64_t)(writers * each), "messages stored");
  sqlite3_finalize(s);
  s = prepare(db, "PRAGMA quick_check");
  sqlite3_step(s);
  if (strcmp((const char *)sqlite3_column_text(s, 0), "ok")) fail("quick_check", "the database is damaged");
  sqlite3_finalize(s);
  sqlite3_close(db);
  free(next);
}

/* The same through the library, for its other engines: writers have a thread each. */
static void verify_by_library(memex_thread *thread, uint32_t writer, size_t each) {
  char wanted[8192];
  expect_count(thread, (int64_t)each);
  for (size_t i = 0; i < each; i++) {
    uint32_t n = named_body(wanted, writer, i, each);
    expect_body(thread, (int64_t)i + 1, wanted, n);
  }
}

static double figure(memex_store *store, const char *name) {
  memex_bytes bytes = {0};
  char member[64];
  snprintf(member, sizeof member, "\"%s\":", name);
  CALL(memex_store_command(store, "stats", MEMEX_NTS, NULL, 0, &bytes, &error));
  const char *at = strstr(bytes.data, member);
  if (!at) fail(name, "is not among the statistics");
  double value = atof(at + strlen(member));
  memex_bytes_free(&bytes);
  return value;
}

static void concurrent_main(char **v) {
  uint32_t writers = (uint32_t)number(v[4]);
  size_t each = (size_t)number(v[5]);
  int same = !strcmp(v[6], "same");
  memex_store *store = store_open(v[2]);
  Client *clients = calloc(writers, sizeof *clients);
  for (uint32_t i = 0; i < writers; i++) {
    memex_thread *thread = same && i ? clients[0].thread : thread_create(store, i);
    clients[i] = (Client){thread, i, each, 0, 0};
  }
  int url = is_url(v[2]);
  double groups = url ? figure(store, "commits") : 0;
  Mark from = mark();
  clients_run(clients, writers);
  report(from, writers * each);
  double worst = 0;
  for (uint32_t i = 0; i < writers; i++) worst = clients[i].worst > worst ? clients[i].worst : worst;
  if (url) printf(",\"commits\":%.0f", figure(store, "commits") - groups);
  printf(",\"worst_ms\":%.2f}\n", worst * 1e3);
  if (url && !same)
    for (uint32_t i = 0; i < writers; i++) verify_by_library(clients[i].thread, i, each);
  CALL(memex_store_close(store, &error));
  if (!url) verify(v[2], writers, each);
}

/* A child of `processes`: waits for the starting shot on its standard input. */
static void child_main(char **v) {
  uint32_t process = (uint32_t)number(v[4]), threads = (uint32_t)number(v[5]);
  size_t each = (size_t)number(v[6]);
  int same = !strcmp(v[7], "same");
  memex_store *store = store_open(v[2]);
  Client *clients = calloc(threads, sizeof *clients);
  for (uint32_t i = 0; i < threads; i++) {
    uint32_t writer = process * threads + i;
    clients[i] = (Client){thread_open(store, same ? 0 : writer), writer, each, 0, 0};
  }
  char shot;
  while (read(0, &shot, 1) < 0 && errno == EINTR) {}
  clients_run(clients, threads);
  CALL(memex_store_close(store, &error));
}

static void processes_main(char **v) {
  uint32_t processes = (uint32_t)number(v[4]), threads = (uint32_t)number(v[5]);
  size_t each = (size_t)number(v[6]);
  int same = !strcmp(v[7], "same"), gate[2];
  memex_store *store = store_open(v[2]);
  for (uint32_t i = 0; i < (same ? 1 : processes * threads); i++) memex_thread_free(thread_create(store, i));
  CALL(memex_store_close(store, &error));
  pid_t children[64];
  if (processes > 64 || pipe(gate)) fail("processes", "cannot start");
  extern char **environ;
  for (uint32_t i = 0; i < processes; i++) {
    char name[16];
    snprintf(name, sizeof name, "%u", i);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, gate[0], 0);
    posix_spawn_file_actions_addclose(&actions, gate[1]);
    char *args[] = {v[0], (char *)"child", v[2], v[3], name, v[5], v[6], v[7], NULL};
    if (posix_spawn(&children[i], "/proc/self/exe", &actions, NULL, args, environ)) fail("spawn", strerror(errno));
    posix_spawn_file_actions_destroy(&actions);
  }
  usleep(300000);
  double from = now();
  close(gate[1]);
  for (uint32_t i = 0; i < processes; i++) {
    int status;
    if (waitpid(children[i], &status, 0) < 0 || status) fail("a process", "failed");
  }
  double took = now() - from;
  size_t n = (size_t)processes * threads * each;
  printf("{\"n\":%zu,\"rate\":%.1f}\n", n, (double)n / took);
  verify(v[2], processes * threads, each);
}

/* --- memory store and the library itself ---------------------------------------------------------- */

static void memory_main(char **v) {
  size_t count = (size_t)number(v[3]);
  enum { PER_THREAD = 100 };
  long before = resident_kb();
  memex_store *store = store_open("memory:");
  memex_thread *thread = NULL;
  Scratch scratch;
  size_t bytes = 0;
  Message m = {0};
  Mark from = mark();
  for (size_t i = 0; i < count; i++) {
    if (i % PER_THREAD == 0) {
      memex_thread_free(thread);
      thread = thread_create(store, (uint32_t)(i / PER_THREAD));
    }
    m = message_at(i, &scratch);
    append(thread, m.body, m.body_len);
    bytes += m.body_len;
  }
  report(from, count);
  printf(",\"resident_mb\":%.1f,\"raw_mb\":%.1f}\n", (double)(resident_kb() - before) / 1024.0, (double)bytes / 1e6);
  expect_body(thread, (int64_t)((count - 1) % PER_THREAD + 1), m.body, m.body_len);
  for (size_t t = 0; t * PER_THREAD < count; t += 97) {
    memex_thread *one = thread_open(store, (uint32_t)t);
    size_t rest = count - t * PER_THREAD;
    expect_count(one, (int64_t)(rest < PER_THREAD ? rest : PER_THREAD));
    Message first = message_at(t * PER_THREAD, &scratch);
    expect_body(one, 1, first.body, first.body_len);
    memex_thread_free(one);
  }
  CALL(memex_store_close(store, &error));
}

int main(int argc, char **argv) {
  pin();
  struct {
    const char *name;
    int arguments;
    void (*main)(char **);
    int data;
  } commands[] = {{"append", 9, append_main, 3},         {"growth", 6, growth_main, 3}, {"load", 5, load_main, 3},
                  {"window", 6, window_main, 3},         {"memory", 4, memory_main, 2},
                  {"concurrent", 7, concurrent_main, 3}, {"child", 8, child_main, 3},   {"processes", 8, processes_main, 3}};
  for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
    if (argc == commands[i].arguments && !strcmp(argv[1], commands[i].name)) {
      messages_load(argv[commands[i].data]);
      commands[i].main(argv);
      return 0;
    }
  fail(argv[0], "wrong arguments; see the head of memex_bench.c");
}
