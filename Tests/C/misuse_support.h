/* What the generated misuse_matrix.c runs on: fixtures with live handles of every type, wrong handles of
   every sort, callbacks from which functions are called, and a process for each function, so that a crash
   is one failed case and not the end of the run.

     misuse_matrix                 every function, each in a process of its own
     misuse_matrix memex_x_y       one function, in this process (for a debugger)

   Every failing case is a line that starts with FAIL; the last line is "N passed, N failed". */
#ifndef MISUSE_SUPPORT_H
#define MISUSE_SUPPORT_H

#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memex.h"

extern void __asan_set_death_callback(void (*callback)(void)) __attribute__((weak));

/* ---------------------------------------------------------------------------------------- types -- */

#define POINTER_NULL INT64_C(0x100000001)
#define POINTER_SET INT64_C(0x100000002)
#define NOTHING INT64_C(0x100000003)
#define POISON_NUMBER INT64_C(0x5a5a5a5a5a5a5a5a)

typedef enum kind {
  KIND_NONE,
  KIND_STORE,
  KIND_TXN,
  KIND_THREAD,
  KIND_MESSAGE,
  KIND_CURSOR,
  KIND_STRATEGY,
  KIND_ERROR,
  KIND_REPLY,
  KIND_COUNT
} kind;

static const char *const kind_names[] = {"none",   "store",    "transaction", "thread", "message",
                                         "cursor", "strategy", "error",       "reply"};

typedef enum context { CONTEXT_OUTSIDE, CONTEXT_STRATEGY, CONTEXT_BACKEND } context;

enum { TEXT_JSON, TEXT_ID, TEXT_WORD, TEXT_TEXT, TEXT_BYTES };

enum {
  HAS_ERROR = 1,
  HAS_OUTPUT = 2,
  OUTPUT_NULLABLE = 4,
  HAS_RECEIPT = 8,
  HAS_NUMBER = 16,
  HAS_BYTES = 32,
  HAS_BACKEND = 64,
  HAS_FUNCTION = 128
};

typedef struct text {
  const char *data;
  size_t len;
} text;

/* The arguments of one call. */
typedef struct call {
  void *handle[2];
  text text[3];
  int64_t number;
  uint32_t receipt_size;
  int omit_output, omit_error, omit_function;
  const memex_backend *backend;
  memex_bytes *bytes;
} call;

/* What came of it. */
typedef struct outcome {
  int64_t result;
  char problem[160];
  void *made;
  kind made_kind;
  int called;
} outcome;

/* The answers that are right; none stands for any. */
typedef struct answers {
  int count;
  int64_t value[6];
} answers;

typedef struct function {
  const char *name;
  void (*run)(const call *, outcome *);
  int flags;
  context context; /* where it works at all */
  int handles;
  struct {
    const char *name;
    kind kind;
    int nullable;
  } handle[2];
  int texts;
  struct {
    const char *name;
    text valid;
    int kind;
    answers missing;
  } text[3];
  int64_t number;
  int numbers;
  struct {
    int64_t value;
    answers right;
  } other_number[6];
  answers valid, bad, closed, forked, in_strategy, in_backend, in_other, function_missing;
} function;

/* ------------------------------------------------------------------------------------- reporting -- */

static char current_case[400] = "start";
static int report_to = -1; /* the pipe to the parent: one byte a case */
static long passed, failed;

static void count_case(int good) {
  char byte = good ? 'p' : 'f';
  if (good) passed++;
  else failed++;
  if (report_to >= 0 && write(report_to, &byte, 1) != 1) _exit(72);
}

__attribute__((format(printf, 1, 2))) static void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  printf("FAIL %s: ", current_case);
  vprintf(format, arguments);
  printf("\n");
  fflush(stdout);
  va_end(arguments);
}

__attribute__((format(printf, 2, 3))) static void problem(outcome *o, const char *format, ...) {
  va_list arguments;
  if (o->problem[0]) return;
  va_start(arguments, format);
  vsnprintf(o->problem, sizeof o->problem, format, arguments);
  va_end(arguments);
}

static const char *show(int64_t result) {
  static char text[8][48];
  static int next;
  char *to = text[next = (next + 1) % 8];
  if (result == POINTER_NULL) return "NULL";
  if (result == POINTER_SET) return "a pointer";
  if (result == NOTHING) return "nothing";
  if (result < 0 && result > -100) return memex_status_name((memex_status)result);
  snprintf(to, sizeof text[0], "%" PRId64, result);
  return to;
}

static int is_right(const answers *expected, int64_t result) {
  for (int i = 0; i < expected->count; i++)
    if (expected->value[i] == result) return 1;
  return expected->count == 0;
}

/* ------------------------------------------------------------------------- checks in the thunks -- */

static void *poison(void) { return (void *)(uintptr_t)UINT64_C(0x6d656d6578626164); }

static memex_receipt poisoned_receipt(uint32_t size) {
  memex_receipt receipt;
  memset(&receipt, 0x5a, sizeof receipt);
  receipt.struct_size = size;
  return receipt;
}

static void check_handle(outcome *o, void *out, kind made, int omitted) {
  if (omitted) {
    if (out != poison()) problem(o, "an output that was not given was written");
  } else if (o->result != MEMEX_OK) {
    if (out != NULL) problem(o, "the out-handle was not cleared");
  } else if (out == NULL || out == poison()) {
    problem(o, "success without a handle");
  } else {
    o->made = out;
    o->made_kind = made;
  }
}

static void check_bytes(outcome *o, memex_bytes *out, int omitted) {
  if (omitted) return;
  if (out->data == poison()) problem(o, "the bytes were not %s", o->result ? "cleared" : "set");
  else if (o->result != MEMEX_OK && (out->data || out->len)) problem(o, "the bytes were not cleared");
  else if (out->data && out->data[out->len] != 0) problem(o, "the bytes do not end with NUL");
  else memex_bytes_free(out);
}

static void check_receipt(outcome *o, memex_receipt *out, const call *c) {
  if (c->omit_output || c->receipt_size != sizeof *out) return;
  if (out->struct_size != sizeof *out) problem(o, "struct_size was changed");
  if (o->result != MEMEX_OK) {
    if (out->duplicate || out->first_seq || out->last_seq || out->created_at_us || out->rev)
      problem(o, "the receipt was not cleared");
  } else if (out->duplicate > 1 || out->first_seq < 0 || out->last_seq < out->first_seq ||
             out->created_at_us == POISON_NUMBER || out->rev == POISON_NUMBER) {
    problem(o, "the receipt was not filled");
  }
}

static void check_number(outcome *o, int64_t out, int omitted) {
  if (omitted) return;
  if (out == POISON_NUMBER) problem(o, "the number was not set");
  else if (o->result != MEMEX_OK && out != 0) problem(o, "the number was not cleared");
}

static void check_error(outcome *o, memex_error *error, int omitted) {
  if (omitted) return;
  if (error == poison()) {
    problem(o, "the error was not cleared");
  } else if (o->result >= 0) {
    if (error) problem(o, "success with an error");
  } else if (!error) {
    if (o->result != MEMEX_E_NO_MEMORY) problem(o, "failure without an error");
  } else {
    const char *message = memex_error_message(error), *details = memex_error_details(error);
    if (memex_error_code(error) != o->result)
      problem(o, "the error says %s", show(memex_error_code(error)));
    if (!message || !*message) problem(o, "an error without a message");
    if (!details || *details != '{') problem(o, "an error without details");
    memex_error_free(error);
    memex_error_free(error);
  }
}

static int destroyed_count;

static void count_destroy(void *user_data) { ++*(int *)user_data; }

static void check_registration(outcome *o, const char *what, const call *c) {
  if (c->omit_function && o->result == MEMEX_OK) return; /* it removed a receiver */
  if (o->result != MEMEX_OK) {
    if (destroyed_count != 1) problem(o, "failed, and destroyed user_data %d times", destroyed_count);
    return;
  }
  if (destroyed_count != 0) problem(o, "destroyed user_data while it is in use");
  if (strcmp(what, "log") == 0) memex_log_handler(MEMEX_LOG_ERROR, NULL, NULL, NULL, NULL);
  else memex_unregister(what, MEMEX_NTS, c->text[0].data, c->text[0].len, NULL);
  if (destroyed_count != 1)
    problem(o, "destroyed user_data %d times after it was removed", destroyed_count);
}

/* ------------------------------------------------- the callbacks, and what is called from inside -- */

static char live_reply_mark;
#define LIVE_REPLY ((void *)&live_reply_mark) /* stands for the reply of the running callback */

static struct {
  const function *function;
  const call *call;
  outcome *outcome;
  int forked;    /* call it in a forked child */
  int scan_only; /* wait for a scan, the one callback that takes entries */
} pending;
static memex_reply *last_reply; /* of the latest strategy callback, stale once it returned */

static void run_in_child(const function *f, const call *c, outcome *o) {
  int ends[2], status = 0;
  fflush(stdout);
  if (pipe(ends) != 0) abort();
  pid_t child = fork();
  if (child < 0) abort();
  if (child == 0) {
    close(ends[0]);
    report_to = -1;
    alarm(20);
    f->run(c, o);
    _exit(write(ends[1], o, sizeof *o) == (ssize_t)sizeof *o ? 0 : 73);
  }
  close(ends[1]);
  size_t got = 0;
  while (got < sizeof *o) {
    ssize_t n = read(ends[0], (char *)o + got, sizeof *o - got);
    if (n <= 0) break;
    got += (size_t)n;
  }
  close(ends[0]);
  waitpid(child, &status, 0);
  if (got < sizeof *o) {
    memset(o, 0, sizeof *o);
    problem(o, "the child ended with %s %d", WIFSIGNALED(status) ? "signal" : "status",
            WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
  }
  o->made = NULL; /* it lives in the child */
  o->called = 1;
}

static void run_pending(memex_reply *reply) {
  if (!pending.function) return;
  const function *f = pending.function;
  call c = *pending.call;
  outcome *o = pending.outcome;
  pending.function = NULL;
  for (int i = 0; i < 2; i++)
    if (c.handle[i] == LIVE_REPLY) c.handle[i] = reply;
  if (pending.forked) run_in_child(f, &c, o);
  else f->run(&c, o);
  o->called = 1;
}

static void misuse_log(void *user_data, int32_t level, const char *line, size_t len) {
  (void)user_data, (void)level, (void)line, (void)len;
}

static int32_t plain_strategy(void *user_data, const char *input, size_t len, memex_reply *reply) {
  (void)user_data, (void)input, (void)len;
  memex_reply_data(reply, "{\"keep\":[1]}", 12);
  return MEMEX_CALLBACK_OK;
}

static int32_t inside_strategy(void *user_data, const char *input, size_t len, memex_reply *reply) {
  last_reply = reply;
  run_pending(reply);
  return plain_strategy(user_data, input, len, reply);
}

/* An ordered key-value engine of the simplest sort, one process, one thread. */
typedef struct pair {
  char *key, *value;
  size_t key_len, value_len;
} pair;
typedef struct engine {
  pair *pairs;
  size_t count;
} engine;

static int compare_keys(const char *a, size_t a_len, const char *b, size_t b_len) {
  size_t shared = a_len < b_len ? a_len : b_len;
  int order = shared ? memcmp(a, b, shared) : 0;
  return order ? order : (a_len > b_len) - (a_len < b_len);
}

/* The first pair whose key is not below the given one. */
static size_t lower_bound(const engine *e, const char *key, size_t len) {
  size_t low = 0, high = e->count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (compare_keys(e->pairs[middle].key, e->pairs[middle].key_len, key, len) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

static pair *find_pair(const engine *e, const char *key, size_t len) {
  size_t at = lower_bound(e, key, len);
  if (at == e->count || compare_keys(e->pairs[at].key, e->pairs[at].key_len, key, len)) return NULL;
  return &e->pairs[at];
}

static char *copied(const char *data, size_t len) {
  char *copy = malloc(len + 1);
  if (!copy) abort();
  if (len) memcpy(copy, data, len);
  copy[len] = 0;
  return copy;
}

static int32_t engine_open(void *user_data, const char *url, size_t len, void **instance,
                           memex_reply *reply) {
  (void)user_data, (void)url, (void)len, (void)reply;
  *instance = calloc(1, sizeof(engine));
  return *instance ? MEMEX_CALLBACK_OK : 0;
}

static int32_t engine_close(void *instance, memex_reply *reply) {
  engine *e = instance;
  (void)reply;
  for (size_t i = 0; i < e->count; i++) {
    free(e->pairs[i].key);
    free(e->pairs[i].value);
  }
  free(e->pairs);
  free(e);
  return MEMEX_CALLBACK_OK;
}

static int32_t engine_get(void *instance, const char *key, size_t len, memex_reply *reply) {
  if (!pending.scan_only) run_pending(reply);
  pair *found = find_pair(instance, key, len);
  if (found && memex_reply_data(reply, found->value, found->value_len)) return 0;
  return MEMEX_CALLBACK_OK;
}

static int32_t engine_scan(void *instance, const char *from, size_t from_len, const char *to,
                           size_t to_len, int32_t descending, int64_t limit, memex_reply *reply) {
  engine *e = instance;
  run_pending(reply);
  size_t first = lower_bound(e, from, from_len), end = to ? lower_bound(e, to, to_len) : e->count;
  for (int64_t n = 0; first < end && n < limit; n++) {
    pair *p = &e->pairs[descending ? --end : first++];
    if (memex_reply_entry(reply, p->key, p->key_len, p->value, p->value_len)) return 0;
  }
  return MEMEX_CALLBACK_OK;
}

static int32_t engine_commit(void *instance, const memex_write *writes, size_t count,
                             memex_reply *reply) {
  engine *e = instance;
  if (!pending.scan_only) run_pending(reply);
  for (size_t i = 0; i < count; i++) {
    const memex_write *w = &writes[i];
    pair *p = find_pair(e, w->key, w->key_len);
    if (w->kind == MEMEX_WRITE_REQUIRE_ABSENT && p) return MEMEX_CALLBACK_CONFLICT;
    if (w->kind == MEMEX_WRITE_REQUIRE_PRESENT && !p) return MEMEX_CALLBACK_CONFLICT;
    if (w->kind == MEMEX_WRITE_REQUIRE_EQUAL &&
        (!p || compare_keys(p->value, p->value_len, w->value, w->value_len)))
      return MEMEX_CALLBACK_CONFLICT;
    if (w->kind < MEMEX_WRITE_PUT || w->kind > MEMEX_WRITE_REQUIRE_EQUAL) return 0;
  }
  for (size_t i = 0; i < count; i++) {
    const memex_write *w = &writes[i];
    size_t at = lower_bound(e, w->key, w->key_len);
    pair *p = find_pair(e, w->key, w->key_len);
    if (w->kind == MEMEX_WRITE_PUT && p) {
      free(p->value);
      p->value = copied(w->value, w->value_len);
      p->value_len = w->value_len;
    } else if (w->kind == MEMEX_WRITE_PUT) {
      pair *grown = realloc(e->pairs, (e->count + 1) * sizeof *grown);
      if (!grown) abort();
      e->pairs = grown;
      memmove(grown + at + 1, grown + at, (e->count++ - at) * sizeof *grown);
      grown[at] = (pair){copied(w->key, w->key_len), copied(w->value, w->value_len), w->key_len,
                         w->value_len};
    } else if (w->kind == MEMEX_WRITE_DELETE && p) {
      free(p->key);
      free(p->value);
      memmove(p, p + 1, (--e->count - at) * sizeof *p);
    }
  }
  return MEMEX_CALLBACK_OK;
}

static const memex_backend plain_backend = {
    sizeof(memex_backend), 0, engine_open, engine_close, engine_get, engine_scan, engine_commit};

/* -------------------------------------------------------------------------------------- fixtures -- */

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
  x->error = new_error(x->store);
  if (!x->view || !x->error) need(MEMEX_E_INTERNAL, NULL, "make every handle");
}

/* Frees everything, also what the case has freed already: that must do nothing. */
static void fixture_close(fixture *x) {
  memex_error_free(x->error);
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
    case KIND_ERROR: good = memex_error_code(handle) == MEMEX_E_NOT_FOUND; break;
    default: good = 1; break;
  }
  memex_bytes_free(&out);
  return good;
}

/* ----------------------------------------------------------------------------------------- cases -- */

static memex_bytes no_bytes;

static call arguments_of(const function *f, const fixture *x) {
  call c;
  memset(&c, 0, sizeof c);
  for (int i = 0; i < f->handles; i++) c.handle[i] = fixture_handle(x, f->handle[i].kind);
  for (int i = 0; i < f->texts; i++) c.text[i] = f->text[i].valid;
  c.number = f->number;
  c.receipt_size = sizeof(memex_receipt);
  c.backend = &plain_backend;
  c.bytes = &no_bytes;
  return c;
}

static int uses(const function *f, kind k) {
  for (int i = 0; i < f->handles; i++)
    if (f->handle[i].kind == k) return 1;
  return 0;
}

/* Runs what is pending by a call that needs a callback of the fixture's store. */
static void provoke(const function *f, context where, fixture *x, int by_commit) {
  memex_bytes out = {NULL, 0};
  memex_cursor *cursor = NULL;
  if (where == CONTEXT_STRATEGY) {
    memex_context_build(x->thread, x->inside, NULL, 0, &out, NULL);
  } else if (by_commit && uses(f, KIND_TXN)) {
    memex_thread *thread = NULL;
    const function *waiting = pending.function;
    pending.function = NULL; /* not while the transaction is filled */
    memex_thread_open(x->view, "t1", 2, &thread, NULL);
    memex_thread_append_text(thread, "user", 4, "x", 1, NULL, 0, NULL, NULL);
    pending.function = waiting;
    memex_txn_commit(x->txn, &out, NULL);
    memex_thread_free(thread);
  } else if (by_commit) {
    memex_thread_append_text(x->thread, "user", 4, "x", 1, NULL, 0, NULL, NULL);
  } else {
    if (uses(f, KIND_CURSOR)) memex_cursor_next(x->cursor, &out, NULL);
    memex_bytes_free(&out);
    memex_thread_messages(x->thread, "{}", 2, &cursor, NULL);
    memex_cursor_next(cursor, &out, NULL);
    memex_cursor_free(cursor);
  }
  memex_bytes_free(&out);
}

static outcome perform(const function *f, context where, fixture *x, const call *c, int forked,
                       int by_commit) {
  outcome o;
  memset(&o, 0, sizeof o);
  alarm(30);
  if (where == CONTEXT_OUTSIDE) {
    if (forked) run_in_child(f, c, &o);
    else f->run(c, &o);
  } else {
    pending.function = f;
    pending.call = c;
    pending.outcome = &o;
    pending.forked = forked;
    pending.scan_only = uses(f, KIND_REPLY) && f->context == CONTEXT_BACKEND && where == CONTEXT_BACKEND;
    provoke(f, where, x, by_commit);
    pending.function = NULL;
    pending.scan_only = 0;
    if (!o.called) problem(&o, "the callback was not called");
  }
  alarm(0);
  return o;
}

static void judge(outcome *o, const answers *expected) {
  int good = !o->problem[0] && is_right(expected, o->result);
  if (o->problem[0]) {
    fail("%s (%s)", o->problem, show(o->result));
  } else if (!good) {
    char wanted[200] = "";
    for (int i = 0; i < expected->count; i++) {
      strncat(wanted, i ? " or " : "", sizeof wanted - strlen(wanted) - 1);
      strncat(wanted, show(expected->value[i]), sizeof wanted - strlen(wanted) - 1);
    }
    fail("%s instead of %s", show(o->result), wanted);
  }
  count_case(good);
  if (o->made) release(o->made_kind, o->made);
}

__attribute__((format(printf, 2, 3))) static void begin(const function *f, const char *format, ...) {
  char what[200];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(what, sizeof what, format, arguments);
  va_end(arguments);
  snprintf(current_case, sizeof current_case, "%s: %s", f->name, what);
}

static void truth(int condition, const char *sentence) {
  if (!condition) fail("%s", sentence);
  count_case(condition);
}

/* With live handles and right arguments. */
static void cases_valid(const function *f) {
  fixture x;
  const char *config = f->context == CONTEXT_BACKEND ? ON_BACKEND : ON_MEMORY;
  for (int omit = 0; omit <= (f->flags & HAS_ERROR ? 1 : 0); omit++) {
    begin(f, "right arguments%s", omit ? ", error NULL" : "");
    fixture_open(&x, config);
    call c = arguments_of(f, &x);
    c.omit_error = omit;
    outcome o = perform(f, f->context, &x, &c, 0, 0);
    judge(&o, &f->valid);
    fixture_close(&x);
  }
}

static uint64_t random_state = 0x9e3779b97f4a7c15u;

static uint64_t random_bits(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return random_state;
}

static int is_live(const fixture *x, const void *handle) {
  const void *live[] = {x->store,  x->session, x->view,     x->txn,    x->thread,
                        x->message, x->cursor, x->strategy, x->inside, x->error};
  for (size_t i = 0; i < sizeof live / sizeof *live; i++)
    if (live[i] == handle) return 1;
  return 0;
}

/* Bits that are no handle: random ones, and a live handle with one bit changed. */
static void case_random(const function *f, int h) {
  static const uint64_t some[] = {1, 2, 7, 8, 4096, 0x7fffffff, 0x80000000, 0xffffffff,
                                  0x7fffffffffffffff, 0x8000000000000000, 0xffffffffffffffff};
  fixture x;
  fixture_open(&x, ON_MEMORY);
  uint64_t live = (uint64_t)(uintptr_t)fixture_handle(&x, f->handle[h].kind);
  for (size_t i = 0; i < 64 + 64 + sizeof some / sizeof *some; i++) {
    uint64_t bits = i < 64 ? live ^ (UINT64_C(1) << i) : i < 128 ? random_bits() : some[i - 128];
    void *wrong = (void *)(uintptr_t)bits;
    if (is_live(&x, wrong) || wrong == LIVE_REPLY) continue;
    begin(f, "%s random (%#" PRIx64 ")", f->handle[h].name, bits);
    call c = arguments_of(f, &x);
    c.handle[h] = wrong;
    outcome o = perform(f, CONTEXT_OUTSIDE, &x, &c, 0, 0);
    judge(&o, &f->bad);
  }
  begin(f, "%s random: the live handle", f->handle[h].name);
  if (f->handle[h].kind != KIND_REPLY)
    truth(alive(f->handle[h].kind, fixture_handle(&x, f->handle[h].kind)), "was harmed");
  fixture_close(&x);
}

/* A handle that was freed, once or twice, while a newer one may sit in its place. */
static void case_stale(const function *f, int h, int twice) {
  kind k = f->handle[h].kind;
  fixture x;
  begin(f, "%s %s", f->handle[h].name, twice ? "freed twice" : "stale");
  fixture_open(&x, ON_MEMORY);
  void *stale, *fresh = NULL;
  if (k == KIND_REPLY) {
    memex_bytes out = {NULL, 0};
    memex_context_build(x.thread, x.inside, NULL, 0, &out, NULL);
    memex_bytes_free(&out);
    stale = last_reply;
  } else {
    stale = make(&x, k);
    release(k, stale);
    if (twice) release(k, stale);
    fresh = make(&x, k);
    if (twice) release(k, stale);
    truth(stale != fresh, "the new handle has the value of the old one");
  }
  call c = arguments_of(f, &x);
  c.handle[h] = stale;
  outcome o = perform(f, CONTEXT_OUTSIDE, &x, &c, 0, 0);
  judge(&o, &f->bad);
  if (fresh) {
    truth(alive(k, fresh), "the newer handle was harmed");
    release(k, fresh);
  }
  fixture_close(&x);
}

static void case_wrong_type(const function *f, int h, kind k) {
  fixture x;
  begin(f, "%s is a %s", f->handle[h].name, kind_names[k]);
  fixture_open(&x, ON_MEMORY);
  call c = arguments_of(f, &x);
  c.handle[h] = fixture_handle(&x, k);
  outcome o = perform(f, k == KIND_REPLY ? CONTEXT_STRATEGY : CONTEXT_OUTSIDE, &x, &c, 0, 0);
  judge(&o, &f->bad);
  if (k != KIND_REPLY) truth(alive(k, fixture_handle(&x, k)), "the other handle was harmed");
  fixture_close(&x);
}

/* The store behind the handle is closed: for a store itself, the store behind a session. */
static void case_parent_closed(const function *f, int h) {
  fixture x;
  begin(f, "%s after its store was closed", f->handle[h].name);
  fixture_open(&x, ON_MEMORY);
  call c = arguments_of(f, &x);
  if (f->handle[h].kind == KIND_STORE) c.handle[h] = x.session;
  truth(memex_store_close(x.store, NULL) == MEMEX_OK, "the store could not be closed");
  outcome o = perform(f, CONTEXT_OUTSIDE, &x, &c, 0, 0);
  judge(&o, &f->closed);
  fixture_close(&x);
}

/* A transaction that ended, for its view and what was opened on it. */
static void case_transaction_over(const function *f, int h) {
  static const answers over = {3, {MEMEX_E_CLOSED, MEMEX_E_HANDLE, MEMEX_E_INVALID}};
  fixture x;
  begin(f, "%s is the view of a transaction that is over", f->handle[h].name);
  fixture_open(&x, ON_MEMORY);
  call c = arguments_of(f, &x);
  c.handle[h] = x.view;
  memex_txn_rollback(x.txn);
  outcome o = perform(f, CONTEXT_OUTSIDE, &x, &c, 0, 0);
  judge(&o, &over);
  fixture_close(&x);
}

static void case_forked(const function *f) {
  fixture x;
  begin(f, "in a forked child");
  fixture_open(&x, f->context == CONTEXT_BACKEND ? ON_BACKEND : ON_MEMORY);
  call c = arguments_of(f, &x);
  outcome o = perform(f, f->context, &x, &c, 1, 0);
  judge(&o, &f->forked);
  for (kind k = KIND_STORE; k < KIND_REPLY; k++)
    if (uses(f, k)) truth(alive(k, fixture_handle(&x, k)), "the child harmed the parent's handle");
  fixture_close(&x);
}

static void cases_handle(const function *f, int h) {
  kind own = f->handle[h].kind;
  for (int omit = 0; omit <= (f->flags & HAS_ERROR ? 1 : 0); omit++) {
    fixture x;
    begin(f, "%s NULL%s", f->handle[h].name, omit ? ", error NULL" : "");
    fixture_open(&x, ON_MEMORY);
    call c = arguments_of(f, &x);
    c.handle[h] = NULL;
    c.omit_error = omit;
    outcome o = perform(f, CONTEXT_OUTSIDE, &x, &c, 0, 0);
    judge(&o, f->handle[h].nullable ? &f->valid : &f->bad);
    fixture_close(&x);
  }
  case_random(f, h);
  case_stale(f, h, 0);
  if (own != KIND_REPLY) case_stale(f, h, 1);
  for (kind k = KIND_STORE; k <= KIND_REPLY; k++)
    if (k != own) case_wrong_type(f, h, k);
  if (own != KIND_STRATEGY && own != KIND_ERROR && own != KIND_REPLY) case_parent_closed(f, h);
  if (own == KIND_STORE) case_transaction_over(f, h);
}

/* From inside callbacks; afterwards the store must still close. */
static void case_inside(const function *f, context where, int by_commit, int other_store) {
  fixture x, other;
  const answers *right = where == CONTEXT_STRATEGY ? &f->in_strategy
                         : other_store             ? &f->in_other
                                                   : &f->in_backend;
  begin(f, "from inside a %s%s", where == CONTEXT_STRATEGY ? "strategy" : by_commit ? "commit" : "scan",
        where == CONTEXT_STRATEGY ? "" : other_store ? ", on another store" : ", on the same store");
  fixture_open(&x, where == CONTEXT_STRATEGY ? ON_MEMORY : ON_BACKEND);
  fixture_open(&other, ON_MEMORY);
  call c = arguments_of(f, other_store ? &other : &x);
  for (int i = 0; i < f->handles; i++)
    if (where == CONTEXT_STRATEGY && f->handle[i].kind == KIND_STRATEGY) c.handle[i] = x.inside;
  outcome o = perform(f, where, &x, &c, 0, by_commit);
  judge(&o, right);
  alarm(30);
  fixture_close(&other);
  memex_status status = memex_store_close(x.store, NULL);
  truth(status == MEMEX_OK || status == MEMEX_E_HANDLE, "the store did not close afterwards");
  fixture_close(&x);
  alarm(0);
}

static void cases_inside(const function *f) {
  case_inside(f, CONTEXT_STRATEGY, 0, 0);
  if (uses(f, KIND_REPLY)) return;
  for (int other = 0; other <= 1; other++)
    for (int by_commit = 0; by_commit <= 1; by_commit++)
      case_inside(f, CONTEXT_BACKEND, by_commit, other);
}

static void case_text(const function *f, int t, text value, const answers *right, const char *what) {
  fixture x;
  begin(f, "%s %s (%#zx)", f->text[t].name, what, value.len);
  fixture_open(&x, f->context == CONTEXT_BACKEND ? ON_BACKEND : ON_MEMORY);
  call c = arguments_of(f, &x);
  c.text[t] = value;
  outcome o = perform(f, f->context, &x, &c, 0, 0);
  judge(&o, right);
  fixture_close(&x);
}

static void cases_text(const function *f, int t) {
  static const answers invalid = {1, {MEMEX_E_INVALID}};
  static const answers refused = {2, {MEMEX_E_INVALID, MEMEX_E_NOT_FOUND}};
  static const answers too_long = {4, {MEMEX_E_INVALID, MEMEX_E_LIMIT, MEMEX_E_NO_MEMORY, MEMEX_E_NOT_FOUND}};
  static const answers any_text = {2, {MEMEX_OK, MEMEX_E_INVALID}};
  static const size_t huge[] = {SIZE_MAX - 1, (size_t)1 << 63, ((size_t)1 << 63) - 1, (size_t)1 << 40};
  static char long_id[300];
  int sort = f->text[t].kind;
  case_text(f, t, (text){NULL, 0}, &f->text[t].missing, "NULL, length 0");
  if (sort != TEXT_BYTES)
    case_text(f, t, (text){NULL, MEMEX_NTS}, &f->text[t].missing, "NULL, MEMEX_NTS");
  case_text(f, t, (text){NULL, 5}, &invalid, "NULL, length 5");
  if (f->text[t].valid.data && sort != TEXT_BYTES)
    case_text(f, t, (text){f->text[t].valid.data, MEMEX_NTS}, &f->valid, "with MEMEX_NTS");
  for (size_t i = 0; i < sizeof huge / sizeof *huge; i++)
    case_text(f, t, (text){"{}", huge[i]}, &too_long, "with a huge length");
  if (sort == TEXT_BYTES) {
    case_text(f, t, (text){"\xff\xfe\0", 3}, &any_text, "not UTF-8");
    return;
  }
  case_text(f, t, (text){"\"\xff\xfe\"", 4}, sort == TEXT_JSON || sort == TEXT_TEXT ? &invalid : &refused,
            "not UTF-8");
  case_text(f, t, (text){"\"\xed\xa0\x80\"", 5}, sort == TEXT_JSON || sort == TEXT_TEXT ? &invalid : &refused,
            "with a surrogate");
  if (sort == TEXT_JSON) {
    case_text(f, t, (text){"{\"id\":\"x\"}", 6}, &invalid, "cut short");
    case_text(f, t, (text){"", 0}, &f->text[t].missing, "of length 0");
    case_text(f, t, (text){"{\"a\":1,\"a\":2}", 13}, &invalid, "with a key twice");
    case_text(f, t, (text){"\xef\xbb\xbf{}", 5}, &invalid, "with a byte order mark");
    case_text(f, t, (text){"17", 2}, &invalid, "that is a number");
  } else if (sort == TEXT_ID) {
    memset(long_id, 'x', sizeof long_id);
    case_text(f, t, (text){long_id, 256}, &too_long, "of 256 bytes");
    case_text(f, t, (text){"a\0b", 3}, &refused, "with a NUL");
    case_text(f, t, (text){"", 0}, &invalid, "of length 0");
  }
}

static void cases_other(const function *f) {
  static const answers invalid = {1, {MEMEX_E_INVALID}};
  fixture x;
  if (f->flags & HAS_OUTPUT) {
    begin(f, "output NULL");
    fixture_open(&x, ON_MEMORY);
    call c = arguments_of(f, &x);
    c.omit_output = 1;
    outcome o = perform(f, CONTEXT_OUTSIDE, &x, &c, 0, 0);
    judge(&o, f->flags & OUTPUT_NULLABLE ? &f->valid : &invalid);
    fixture_close(&x);
  }
  if (f->flags & HAS_RECEIPT) {
    static const uint32_t sizes[] = {0, 3, sizeof(memex_receipt) - 1};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
      int64_t before = 0, after = 0;
      begin(f, "receipt with struct_size %u", sizes[i]);
      fixture_open(&x, ON_MEMORY);
      memex_thread_count(x.thread, &before, NULL);
      call c = arguments_of(f, &x);
      c.receipt_size = sizes[i];
      outcome o = perform(f, CONTEXT_OUTSIDE, &x, &c, 0, 0);
      judge(&o, &invalid);
      memex_thread_count(x.thread, &after, NULL);
      truth(before == after, "was refused and appended");
      fixture_close(&x);
    }
  }
  for (int i = 0; i < f->numbers; i++) {
    begin(f, "number %" PRId64, f->other_number[i].value);
    fixture_open(&x, ON_MEMORY);
    call c = arguments_of(f, &x);
    c.number = f->other_number[i].value;
    outcome o = perform(f, CONTEXT_OUTSIDE, &x, &c, 0, 0);
    judge(&o, &f->other_number[i].right);
    fixture_close(&x);
  }
  if (f->flags & HAS_FUNCTION) {
    begin(f, "function NULL");
    fixture_open(&x, ON_MEMORY);
    call c = arguments_of(f, &x);
    c.omit_function = 1;
    outcome o = perform(f, CONTEXT_OUTSIDE, &x, &c, 0, 0);
    judge(&o, &f->function_missing);
    fixture_close(&x);
  }
  if (f->flags & HAS_BACKEND) {
    for (int i = 0; i < 9; i++) {
      memex_backend wrong = plain_backend;
      switch (i) {
        case 1: wrong.struct_size = 0; break;
        case 2: wrong.struct_size = 4; break;
        case 3: wrong.struct_size = sizeof wrong - 1; break;
        case 4: wrong.open = NULL; break;
        case 5: wrong.close = NULL; break;
        case 6: wrong.get = NULL; break;
        case 7: wrong.scan = NULL; break;
        case 8: wrong.commit = NULL; break;
      }
      begin(f, "struct that is wrong in way %d", i);
      fixture_open(&x, ON_MEMORY);
      call c = arguments_of(f, &x);
      c.backend = i ? &wrong : NULL;
      outcome o = perform(f, CONTEXT_OUTSIDE, &x, &c, 0, 0);
      judge(&o, &invalid);
      fixture_close(&x);
    }
  }
  if (f->flags & HAS_BYTES) {
    memex_bytes bytes = {NULL, 0};
    call c = {.bytes = NULL};
    begin(f, "NULL, cleared, freed twice");
    outcome o = perform(f, CONTEXT_OUTSIDE, NULL, &c, 0, 0);
    judge(&o, &f->valid);
    if (memex_describe(&bytes, NULL) != MEMEX_OK) bytes.data = NULL;
    c.bytes = &bytes;
    for (int i = 0; i < 2; i++) {
      o = perform(f, CONTEXT_OUTSIDE, NULL, &c, 0, 0);
      judge(&o, &f->valid);
      truth(!bytes.data && !bytes.len, "the struct was not cleared");
    }
  }
}

/* ------------------------------------------------------------------------------------- processes -- */

static void say(const char *words) {
  if (write(STDOUT_FILENO, words, strlen(words)) < 0) _exit(72);
}

static void tell_case(void) {
  say("FAIL ");
  say(current_case);
  say(": the process died here\n");
}

static struct sigaction before_us[65];

static void on_signal(int number) {
  if (number == SIGALRM) {
    say("FAIL ");
    say(current_case);
    say(": hangs\n");
    _exit(71);
  }
  tell_case();
  sigaction(number, &before_us[number], NULL); /* and let the fault happen again, for its report */
}

static void misuse_function(const function *f) {
  static const int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGALRM};
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_signal;
  for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
    sigaction(fatal[i], &action, &before_us[fatal[i]]);
  if (__asan_set_death_callback) __asan_set_death_callback(tell_case);
  NEED("register a strategy",
       memex_register_strategy("misuse-inside", MEMEX_NTS, inside_strategy, NULL, NULL, error));
  NEED("register a backend",
       memex_register_backend("misuse-engine", MEMEX_NTS, &plain_backend, NULL, NULL, error));
  cases_valid(f);
  for (int h = 0; h < f->handles; h++) cases_handle(f, h);
  for (int t = 0; t < f->texts; t++) cases_text(f, t);
  cases_other(f);
  cases_inside(f);
  case_forked(f);
}

/* Runs one function in a process of its own. */
static void run_apart(const function *f) {
  int ends[2], status = 0;
  char end_text[16], byte;
  fflush(stdout);
  if (pipe(ends) != 0) abort();
  pid_t child = fork();
  if (child < 0) abort();
  if (child == 0) {
    close(ends[0]);
    snprintf(end_text, sizeof end_text, "%d", ends[1]);
    char *arguments[] = {"misuse_matrix", (char *)f->name, end_text, NULL};
    execv("/proc/self/exe", arguments);
    _exit(75);
  }
  close(ends[1]);
  long seen = 0;
  while (read(ends[0], &byte, 1) == 1) {
    seen++;
    if (byte == 'p') passed++;
    else failed++;
  }
  close(ends[0]);
  waitpid(child, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) > 1 || seen == 0) {
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 74) failed++;
    printf("FAIL %s: the process ended with %s %d after %ld cases\n", f->name,
           WIFSIGNALED(status) ? "signal" : "status",
           WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), seen);
  }
}

static int misuse_main(int argc, char **argv, const function *functions, size_t count) {
  int found = 0;
  for (size_t i = 0; i < count; i++) {
    if (argc < 2) {
      run_apart(&functions[i]);
    } else if (strcmp(argv[1], functions[i].name) == 0) {
      if (argc > 2) report_to = atoi(argv[2]);
      found = 1;
      misuse_function(&functions[i]);
    }
  }
  if (argc > 1 && !found) {
    fprintf(stderr, "%s is not a function of the header\n", argv[1]);
    return 2;
  }
  if (report_to < 0) printf("%ld passed, %ld failed\n", passed, failed);
  fflush(stdout);
  return failed ? 1 : 0;
}

#endif
