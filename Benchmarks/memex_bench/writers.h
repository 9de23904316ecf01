/* Many writers, as threads and as processes; SQLite alone says what became of their messages. */
#ifndef MEMEX_BENCH_WRITERS_H
#define MEMEX_BENCH_WRITERS_H

#include <errno.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/wait.h>

#include "../sqlite_common.h"
#include "calls.h"

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

#endif
