/* Calls from where they are not expected: within callbacks, in a forked child. */
#ifndef MISUSE_MATRIX_PLACE_CASES_H
#define MISUSE_MATRIX_PLACE_CASES_H

#include "perform.h"

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

#endif
