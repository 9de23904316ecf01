/* Appends of one writer, and of one writer into a thread that has grown. */
#ifndef MEMEX_BENCH_APPENDS_H
#define MEMEX_BENCH_APPENDS_H

#include "calls.h"

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

#endif
