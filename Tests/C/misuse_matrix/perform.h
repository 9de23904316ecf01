/* Performs a call where it is to happen, outside or within a callback, and judges the outcome. */
#ifndef MISUSE_MATRIX_PERFORM_H
#define MISUSE_MATRIX_PERFORM_H

#include "fixture.h"

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

#endif
