/* What was acknowledged, what was found in the file, and the sums over all cycles. */
#ifndef KILL9_LEDGER_H
#define KILL9_LEDGER_H

#include "append.h"

typedef struct stored {
  uint64_t nonce;
  uint32_t conversation, k, n;
  int64_t seq;
  char kind;
} stored;

static struct {
  acknowledgement *list;
  size_t count, room;
} acknowledged;
static struct {
  stored *list;
  size_t count, room;
} found;
static long long total_acknowledged, total_stored, lost, halves, gaps, damaged, kills;

static void *grown(void *list, size_t *room, size_t size) {
  *room = *room ? *room * 2 : 4096;
  list = realloc(list, *room * size);
  NEED(list);
  return list;
}

static int by_nonce(const void *a, const void *b) {
  const stored *x = a, *y = b;
  if (x->nonce != y->nonce) return x->nonce < y->nonce ? -1 : 1;
  return x->k < y->k ? -1 : x->k > y->k;
}

#endif
