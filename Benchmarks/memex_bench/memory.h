/* The memory store. */
#ifndef MEMEX_BENCH_MEMORY_H
#define MEMEX_BENCH_MEMORY_H

#include "calls.h"

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

#endif
