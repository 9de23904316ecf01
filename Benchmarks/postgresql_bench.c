/*
 * Durable appends to PostgreSQL: through the library, and through libpq alone with the same statement. Both
 * write into a schema that the library made; it is dropped at the end.
 *
 *   postgresql_bench append URL DATA COUNT THREADS RUN ours|raw
 *   postgresql_bench growth URL DATA FILL BLOCKS     blocks of 100, by turns into a thread of FILL and a new one
 *
 * The time of growth is the wall's, with commits that do not wait for the disk: what grows, grows in the
 * server. It is its own text of one message that libpq sends: the head's numbers are those of the library.
 */
#if __has_include(<postgresql/libpq-fe.h>)
#include <postgresql/libpq-fe.h>
#else
#include <libpq-fe.h>
#endif

#include "memex_bench/calls.h"

static char schema[64], url[1024];

static memex_store *store_at(const char *durability) {
  char config[1500];
  memex_store *store;
  snprintf(config, sizeof config, "{\"url\":\"%s\",\"durability\":\"%s\"}", url, durability);
  CALL(memex_store_open(config, MEMEX_NTS, &store, &error));
  return store;
}

static void set_up(const char *base) {
  snprintf(schema, sizeof schema, "bench_%d", (int)getpid());
  snprintf(url, sizeof url, "%s%cschema=%s", base, strchr(base, '?') ? '&' : '?', schema);
}

static PGresult *run(PGconn *c, const char *sql) {
  PGresult *r = PQexec(c, sql);
  ExecStatusType status = PQresultStatus(r);
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) fail(sql, PQerrorMessage(c));
  return r;
}

static void tear_down(const char *base) {
  PGconn *c = PQconnectdb(base);
  char sql[160];
  snprintf(sql, sizeof sql, "SET client_min_messages = error; DROP SCHEMA %s CASCADE", schema);
  PQclear(run(c, sql));
  PQfinish(c);
}

/* -------------------------------------------------------------------------- libpq's binary arrays -- */

static char *put32(char *p, uint32_t v) {
  v = __builtin_bswap32(v);
  memcpy(p, &v, 4);
  return p + 4;
}
static char *put64(char *p, uint64_t v) {
  v = __builtin_bswap64(v);
  memcpy(p, &v, 8);
  return p + 8;
}
static char *head(char *p, uint32_t type, uint32_t count) {
  p = put32(p, 1), p = put32(p, 0), p = put32(p, type);
  p = put32(p, count);
  return put32(p, 1);
}
static int numbers(char *to, const int64_t *values, uint32_t count) {
  char *p = head(to, 20, count);
  for (uint32_t i = 0; i < count; i++) p = put32(p, 8), p = put64(p, (uint64_t)values[i]);
  return (int)(p - to);
}
static int single(char *to, uint32_t type, const char *bytes, uint32_t length) {
  char *p = put32(head(to, type, 1), length);
  memcpy(p, bytes, length);
  return (int)(p + length - to);
}

static void append_raw(const char *base, size_t count, uint32_t threads, uint32_t length) {
  PGconn *c = PQconnectdb(base);
  if (PQstatus(c) != CONNECTION_OK) fail("libpq", PQerrorMessage(c));
  char sql[256];
  int64_t *keys = malloc(threads * sizeof *keys);
  for (uint32_t t = 0; t < threads; t++) {
    snprintf(sql, sizeof sql, "SELECT key FROM %s.threads WHERE tenant = '' AND id = 't%u'", schema, t);
    PGresult *r = run(c, sql);
    keys[t] = atoll(PQgetvalue(r, 0, 0));
    PQclear(r);
  }
  snprintf(sql, sizeof sql, "SELECT %s.append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)", schema);
  PQclear(PQprepare(c, "append", sql, 0, NULL));
  char *space = malloc(5 * 16384);
  const char *values[10] = {space, space + 16384, space + 2 * 16384, space + 3 * 16384, space + 4 * 16384};
  int lengths[10] = {8}, formats[10] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  Scratch scratch;
  Mark from = mark();
  for (size_t i = 0; i < count; i++) {
    Message m = message_at(i, &scratch);
    int64_t about[8] = {time_us(), 1, m.tokens, 8, 28, m.content_len, 0, (int64_t)i};
    int64_t how[4] = {0, 30000, 0, 1};
    put64(space, (uint64_t)keys[thread_of(i, threads, length)]);
    lengths[1] = numbers(space + 16384, about, 8);
    lengths[2] = single(space + 2 * 16384, 25, m.role, m.role_len);
    lengths[3] = single(space + 3 * 16384, 17, m.body, m.body_len);
    lengths[4] = numbers(space + 4 * 16384, how, 4);
    PGresult *r = PQexecPrepared(c, "append", 10, values, lengths, formats, 1);
    if (PQresultStatus(r) != PGRES_TUPLES_OK) fail("append", PQerrorMessage(c));
    PQclear(r);
  }
  report(from, count);
  printf("}\n");
  snprintf(sql, sizeof sql, "SELECT count(*) FROM %s.messages", schema);
  PGresult *r = run(c, sql);
  expect(atoll(PQgetvalue(r, 0, 0)), (int64_t)count, "messages that libpq stored");
  PQclear(r);
  PQfinish(c);
}

static void append_main(char **v) {
  size_t count = (size_t)number(v[4]);
  uint32_t threads = (uint32_t)number(v[5]), length = (uint32_t)number(v[6]);
  memex_store *store = store_at("full");
  memex_thread **handles = malloc(threads * sizeof *handles);
  for (uint32_t t = 0; t < threads; t++) handles[t] = thread_create(store, t);
  if (!strcmp(v[7], "raw")) {
    append_raw(v[2], count, threads, length);
  } else {
    Scratch scratch;
    Mark from = mark();
    for (size_t i = 0; i < count; i++) {
      Message m = message_at(i, &scratch);
      append(handles[thread_of(i, threads, length)], m.body, m.body_len);
    }
    report(from, count);
    printf("}\n");
    int64_t *seqs = calloc(threads, sizeof *seqs);
    for (size_t i = 0; i < count; i++) {
      uint32_t t = thread_of(i, threads, length);
      seqs[t]++;
      if (i % 97) continue;
      Message m = message_at(i, &scratch);
      expect_body(handles[t], seqs[t], m.body, m.body_len);
    }
    for (uint32_t t = 0; t < threads; t++) expect_count(handles[t], seqs[t]);
  }
  CALL(memex_store_close(store, &error));
}

static void growth_main(char **v) {
  enum { BLOCK = 100 };
  size_t at = (size_t)number(v[4]), blocks = (size_t)number(v[5]);
  memex_store *store = store_at("normal");
  memex_thread *thread = thread_create(store, 0);
  if (at) fill(thread, at);
  double *grown = malloc(blocks * sizeof *grown), *fresh = malloc(blocks * sizeof *fresh);
  Scratch scratch;
  for (size_t b = 0; b < blocks; b++) {
    memex_thread *new_thread = thread_create(store, (uint32_t)b + 1);
    double t = now();
    for (size_t i = 0; i < BLOCK; i++) {
      Message m = message_at(at + b * BLOCK + i, &scratch);
      append(thread, m.body, m.body_len);
    }
    grown[b] = (now() - t) / BLOCK;
    t = now();
    for (size_t i = 0; i < BLOCK; i++) {
      Message m = message_at(at + b * BLOCK + i, &scratch);
      append(new_thread, m.body, m.body_len);
    }
    fresh[b] = (now() - t) / BLOCK;
    expect_count(new_thread, BLOCK);
    memex_thread_free(new_thread);
  }
  size_t total = at + blocks * BLOCK;
  expect_count(thread, (int64_t)total);
  Message m = message_at(total - 1, &scratch);
  expect_body(thread, (int64_t)total, m.body, m.body_len);
  printf("{\"grown_us\":%.3f,\"fresh_us\":%.3f}\n", median(grown, blocks) * 1e6, median(fresh, blocks) * 1e6);
  CALL(memex_store_close(store, &error));
}

int main(int argc, char **argv) {
  int is_append = argc == 8 && !strcmp(argv[1], "append"), is_growth = argc == 6 && !strcmp(argv[1], "growth");
  if (!is_append && !is_growth) fail(argv[0], "wrong arguments; see the head of postgresql_bench.c");
  messages_load(argv[3]);
  set_up(argv[2]);
  if (is_append) append_main(argv);
  else growth_main(argv);
  tear_down(argv[2]);
  return 0;
}
