/* A writer process: threads that append to random conversations until the process is killed, and say what
   was acknowledged. */
#ifndef KILL9_WRITER_H
#define KILL9_WRITER_H

#include "append.h"

static struct {
  char config[500];
  int pipe_end, threads, early;
  uint64_t seed;
  memex_store *store;
} writer;

static void tell(const acknowledgement *a) {
  /* Below PIPE_BUF a write is whole or not there at all. */
  if (write(writer.pipe_end, a, sizeof *a) != (ssize_t)sizeof *a) _exit(3);
}

static void give_up(const char *what, memex_status status, memex_error *error) {
  fprintf(stderr, "FAIL a writer's %s: %s: %s\n", what, memex_status_name(status),
          memex_error_message(error));
  _exit(4);
}

static void append_transaction(uint64_t nonce, unsigned first, char *body) {
  memex_error *error = NULL;
  memex_txn *txn = NULL;
  memex_status status = memex_txn_begin(writer.store, NULL, 0, &txn, &error);
  acknowledgement a = {nonce, 0, first, 2};
  if (status) give_up("transaction", status, error);
  for (unsigned k = 0; k < 2; k++) {
    char id[8];
    memex_thread *thread = NULL;
    snprintf(id, sizeof id, "t%u", (first + k) % CONVERSATIONS);
    status = memex_thread_open(memex_txn_store(txn), id, MEMEX_NTS, &thread, &error);
    if (status) give_up("open in a transaction", status, error);
    status = memex_thread_append(thread, body, make_body(body, nonce, k, 2, 'x'), NULL, 0, NULL, &error);
    if (status) give_up("append in a transaction", status, error);
    memex_thread_free(thread);
  }
  if (writer.early) tell(&a);
  status = memex_txn_commit(txn, NULL, &error);
  if (status) give_up("commit", status, error);
  if (!writer.early) tell(&a);
}

static void *writer_thread(void *number) {
  uint64_t state = writer.seed + (uint64_t)(uintptr_t)number * UINT64_C(1000003);
  char *text = malloc((size_t)BODY_ROOM * 6);
  memex_thread *threads[CONVERSATIONS];
  memex_error *error = NULL;
  if (!text) _exit(5);
  for (int i = 0; i < CONVERSATIONS; i++) {
    char id[8], init[32];
    snprintf(id, sizeof id, "t%d", i);
    snprintf(init, sizeof init, "{\"id\":\"%s\"}", id);
    memex_status status = memex_thread_open(writer.store, id, MEMEX_NTS, &threads[i], NULL);
    if (status == MEMEX_E_NOT_FOUND) {
      status = memex_thread_create(writer.store, init, MEMEX_NTS, &threads[i], NULL);
      if (status == MEMEX_E_EXISTS) /* somebody was faster */
        status = memex_thread_open(writer.store, id, MEMEX_NTS, &threads[i], &error);
    }
    if (status) give_up("thread", status, error);
  }
  for (;;) {
    uint64_t nonce = next_random(&state), draw = next_random(&state);
    unsigned conversation = (unsigned)(draw % CONVERSATIONS);
    unsigned count = draw / 8 % 4 == 0 ? 2 + (unsigned)(draw / 64 % 4) : 1;
    acknowledgement a = {nonce, 0, conversation, count};
    memex_receipt receipt;
    memset(&receipt, 0, sizeof receipt);
    receipt.struct_size = sizeof receipt;
    if (draw / 32 % 10 == 0) {
      append_transaction(nonce, conversation, text);
      continue;
    }
    size_t at = 0;
    if (count > 1) text[at++] = '[';
    for (unsigned k = 0; k < count; k++) {
      if (k) text[at++] = ',';
      at += make_body(text + at, nonce, k, count, 'm');
    }
    if (count > 1) text[at++] = ']';
    if (writer.early) tell(&a);
    memex_status status =
        memex_thread_append(threads[conversation], text, at, NULL, 0, &receipt, &error);
    if (status) give_up("append", status, error);
    a.first_seq = receipt.first_seq;
    if (receipt.last_seq != receipt.first_seq + count - 1) give_up("receipt", status, error);
    if (!writer.early) tell(&a);
  }
  return NULL;
}

static int writer_main(char **arguments) {
  memex_error *error = NULL;
  pthread_t thread;
  snprintf(writer.config, sizeof writer.config, "%s", arguments[0]);
  writer.pipe_end = atoi(arguments[1]);
  writer.threads = atoi(arguments[2]);
  writer.seed = strtoull(arguments[3], NULL, 10);
  writer.early = atoi(arguments[4]);
  alarm(30); /* never outlive a parent that was stopped */
  memex_status status = memex_store_open(writer.config, MEMEX_NTS, &writer.store, &error);
  if (status) give_up("open", status, error);
  for (int i = 1; i < writer.threads; i++)
    if (pthread_create(&thread, NULL, writer_thread, (void *)(uintptr_t)i)) _exit(6);
  writer_thread(NULL);
  return 0;
}

#endif
