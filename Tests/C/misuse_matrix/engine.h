/* A backend whose callbacks run what is pending. */
#ifndef MISUSE_MATRIX_ENGINE_H
#define MISUSE_MATRIX_ENGINE_H

#include "callbacks.h"

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

#endif
