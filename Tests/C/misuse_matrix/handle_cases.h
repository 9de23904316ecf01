/* Handles that are right, wrong, stale, of another type, or whose store is gone. */
#ifndef MISUSE_MATRIX_HANDLE_CASES_H
#define MISUSE_MATRIX_HANDLE_CASES_H

#include "perform.h"

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
                        x->message, x->cursor, x->strategy, x->inside, x->tokenizer, x->error};
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
  if (own != KIND_STRATEGY && own != KIND_TOKENIZER && own != KIND_ERROR && own != KIND_REPLY)
    case_parent_closed(f, h);
  if (own == KIND_STORE) case_transaction_over(f, h);
}

#endif
