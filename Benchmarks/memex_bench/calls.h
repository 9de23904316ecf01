/* Calls of the library that end the program when they fail or give back something else than was stored. */
#ifndef MEMEX_BENCH_CALLS_H
#define MEMEX_BENCH_CALLS_H

#include <memex.h>

#include "../bench.h"

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

/* A path alone is SQLite's. */
static inline int is_url(const char *path) { return strstr(path, ":///") != NULL; }

static inline memex_store *store_open(const char *path) {
  char config[1100];
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

static inline memex_thread *thread_open(memex_store *store, uint32_t number) {
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

static inline int64_t append_text(memex_thread *thread, const Message *m) {
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

#endif
