/* Live handles of every type: made, freed, asked whether they still work. */
#ifndef MISUSE_MATRIX_FIXTURE_H
#define MISUSE_MATRIX_FIXTURE_H

#include "engine.h"

#define ON_MEMORY "{\"url\":\"memory:\",\"timeout_us\":2000000}"
#define ON_BACKEND "{\"url\":\"misuse-engine:x\",\"timeout_us\":2000000}"

/* One live handle of every type. */
typedef struct fixture {
  memex_store *store, *session, *view;
  memex_txn *txn;
  memex_thread *thread;
  memex_message *message;
  memex_cursor *cursor;
  memex_strategy *strategy, *inside;
  memex_tokenizer *tokenizer;
  memex_error *error;
} fixture;

static void need(memex_status status, memex_error *error, const char *what) {
  if (status == MEMEX_OK) return;
  const char *message = error ? memex_error_message(error) : NULL;
  fail("the fixture cannot %s: %s: %s", what, show(status), message ? message : "");
  memex_error_free(error);
  count_case(0);
  exit(74);
}

#define NEED(what, call_)                    \
  do {                                       \
    memex_error *error_ = NULL;              \
    memex_error **error = &error_;           \
    memex_status status_ = call_;            \
    need(status_, error_, what);             \
  } while (0)

static memex_error *new_error(memex_store *store) {
  memex_error *error = NULL;
  memex_thread *none = NULL;
  memex_thread_open(store, "no such thread", MEMEX_NTS, &none, &error);
  return error;
}

static memex_strategy *new_strategy(const char *type) {
  memex_strategy *made = NULL;
  char step[64];
  snprintf(step, sizeof step, "{\"type\":\"%s\"%s}", type, *type == 'f' ? ",\"last\":2" : "");
  NEED("open a strategy", memex_strategy_open(step, MEMEX_NTS, &made, error));
  return made;
}

static memex_tokenizer *new_tokenizer(void) {
  memex_tokenizer *made = NULL;
  NEED("open a tokenizer", memex_tokenizer_open("{\"encoding\":\"o200k_base\"}", MEMEX_NTS, &made, error));
  return made;
}

static void fixture_open(fixture *x, const char *config) {
  static const char body[] = "{\"role\":\"user\",\"content\":\"hello\"}";
  memset(x, 0, sizeof *x);
  /* for memex_unregister to remove; EXISTS when the last case left it */
  memex_register_strategy("misuse-registered", MEMEX_NTS, plain_strategy, NULL, NULL, NULL);
  NEED("open a store", memex_store_open(config, MEMEX_NTS, &x->store, error));
  NEED("open a session", memex_session_open(x->store, "{\"tenant\":\"t\"}", MEMEX_NTS, &x->session, error));
  NEED("create a thread", memex_thread_create(x->store, "{\"id\":\"t1\"}", MEMEX_NTS, &x->thread, error));
  NEED("append", memex_thread_append(x->thread, body, MEMEX_NTS, "{\"id\":\"m1\"}", MEMEX_NTS, NULL, error));
  NEED("append", memex_thread_append(x->thread, body, MEMEX_NTS, NULL, 0, NULL, error));
  NEED("open a message", memex_message_at(x->thread, 1, &x->message, error));
  NEED("list messages", memex_thread_messages(x->thread, "{}", MEMEX_NTS, &x->cursor, error));
  NEED("begin a transaction", memex_txn_begin(x->store, NULL, 0, &x->txn, error));
  x->view = memex_txn_store(x->txn);
  x->strategy = new_strategy("fifo");
  x->inside = new_strategy("misuse-inside");
  x->tokenizer = new_tokenizer();
  x->error = new_error(x->store);
  if (!x->view || !x->error) need(MEMEX_E_INTERNAL, NULL, "make every handle");
}

/* Frees everything, also what the case has freed already: that must do nothing. */
static void fixture_close(fixture *x) {
  memex_error_free(x->error);
  memex_tokenizer_free(x->tokenizer);
  memex_strategy_free(x->inside);
  memex_strategy_free(x->strategy);
  memex_cursor_free(x->cursor);
  memex_message_free(x->message);
  memex_thread_free(x->thread);
  memex_txn_rollback(x->txn);
  memex_store_close(x->session, NULL);
  memex_store_close(x->store, NULL);
}

static void *fixture_handle(const fixture *x, kind k) {
  switch (k) {
    case KIND_STORE: return x->store;
    case KIND_TXN: return x->txn;
    case KIND_THREAD: return x->thread;
    case KIND_MESSAGE: return x->message;
    case KIND_CURSOR: return x->cursor;
    case KIND_STRATEGY: return x->strategy;
    case KIND_TOKENIZER: return x->tokenizer;
    case KIND_ERROR: return x->error;
    case KIND_REPLY: return LIVE_REPLY;
    default: return NULL;
  }
}

static void release(kind k, void *handle) {
  switch (k) {
    case KIND_STORE: memex_store_close(handle, NULL); break;
    case KIND_TXN: memex_txn_rollback(handle); break;
    case KIND_THREAD: memex_thread_free(handle); break;
    case KIND_MESSAGE: memex_message_free(handle); break;
    case KIND_CURSOR: memex_cursor_free(handle); break;
    case KIND_STRATEGY: memex_strategy_free(handle); break;
    case KIND_TOKENIZER: memex_tokenizer_free(handle); break;
    case KIND_ERROR: memex_error_free(handle); break;
    default: break;
  }
}

static void *make(fixture *x, kind k) {
  void *made = NULL;
  switch (k) {
    case KIND_STORE: NEED("open a store", memex_store_open(ON_MEMORY, MEMEX_NTS, (memex_store **)&made, error)); break;
    case KIND_TXN: NEED("begin", memex_txn_begin(x->store, NULL, 0, (memex_txn **)&made, error)); break;
    case KIND_THREAD: NEED("open", memex_thread_open(x->store, "t1", 2, (memex_thread **)&made, error)); break;
    case KIND_MESSAGE: NEED("open", memex_message_at(x->thread, 1, (memex_message **)&made, error)); break;
    case KIND_CURSOR: NEED("list", memex_thread_messages(x->thread, "{}", 2, (memex_cursor **)&made, error)); break;
    case KIND_STRATEGY: made = new_strategy("fifo"); break;
    case KIND_TOKENIZER: made = new_tokenizer(); break;
    case KIND_ERROR: made = new_error(x->store); break;
    default: break;
  }
  return made;
}

/* Whether a handle still does its work. */
static int alive(kind k, void *handle) {
  memex_bytes out = {NULL, 0};
  int64_t count = 0;
  int good = 0;
  switch (k) {
    case KIND_STORE: good = memex_store_flush(handle, NULL) == MEMEX_OK; break;
    case KIND_TXN: good = memex_txn_store(handle) != NULL; break;
    case KIND_THREAD: good = memex_thread_count(handle, &count, NULL) == MEMEX_OK; break;
    case KIND_MESSAGE: good = memex_message_body(handle, &out, NULL) == MEMEX_OK; break;
    case KIND_CURSOR: good = memex_cursor_token(handle, &out, NULL) == MEMEX_OK; break;
    case KIND_STRATEGY:
      good = memex_context_build_messages(handle, "[{\"role\":\"user\",\"content\":\"x\"}]", MEMEX_NTS,
                                          NULL, 0, &out, NULL) == MEMEX_OK;
      break;
    case KIND_TOKENIZER: good = memex_tokenizer_count(handle, "hello", 5, &count, NULL) == MEMEX_OK && count == 1; break;
    case KIND_ERROR: good = memex_error_code(handle) == MEMEX_E_NOT_FOUND; break;
    default: good = 1; break;
  }
  memex_bytes_free(&out);
  return good;
}

#endif
