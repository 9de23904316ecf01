/* Tails, whole threads and windows. */
#ifndef MEMEX_BENCH_READS_H
#define MEMEX_BENCH_READS_H

#include "calls.h"

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

#endif
