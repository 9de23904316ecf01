/* A backend of your own: all the library asks of one is an ordered set of keys and values that takes several
 * changes at once. This one is a sorted array in memory. The conformance cases of the library then judge it.
 *
 *   cc custom_backend.c $(pkg-config --cflags --libs memex) -pthread -o custom_backend
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>

#include "example.h"

/* --- the store: a sorted array --------------------------------------------------------------------- */

typedef struct pair {
  char *key, *value;
  size_t key_len, value_len;
} pair;

/* One store, behind one URL. It outlives its close, so that it can be opened again. */
typedef struct sorted_store {
  struct sorted_store *next;
  char *url;
  size_t url_len;
  pthread_rwlock_t lock; /* reads may come from several threads at once */
  pair *pairs;
  size_t count, room;
} sorted_store;

/* All of them: the user_data of the registration. */
typedef struct catalogue {
  pthread_mutex_t lock;
  sorted_store *first;
} catalogue;

/* Keys are compared byte by byte; of two that begin alike the shorter one is first. */
static int compare(const char *a, size_t a_len, const char *b, size_t b_len) {
  size_t shared = a_len < b_len ? a_len : b_len;
  int order = shared ? memcmp(a, b, shared) : 0;
  return order ? order : (a_len > b_len) - (a_len < b_len);
}

/* The place of the first key that is not below this one. */
static size_t place_of(const sorted_store *s, const char *key, size_t len) {
  size_t low = 0, high = s->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (compare(s->pairs[middle].key, s->pairs[middle].key_len, key, len) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

static pair *find(const sorted_store *s, const char *key, size_t len) {
  size_t at = place_of(s, key, len);
  if (at == s->count || compare(s->pairs[at].key, s->pairs[at].key_len, key, len) != 0) return NULL;
  return &s->pairs[at];
}

static char *copy_of(const char *data, size_t len) {
  char *copy = malloc(len + 1);
  if (copy && len) memcpy(copy, data, len);
  return copy;
}

/* --- the five functions of a backend --------------------------------------------------------------- */

/* Says why, and gives the value that means failure: anything but MEMEX_CALLBACK_OK. */
static int32_t fail(memex_reply *reply, const char *why) {
  memex_reply_failure(reply, why, MEMEX_NTS);
  return 0;
}

static int32_t sorted_open(void *user_data, const char *url, size_t url_len, void **instance,
                           memex_reply *reply) {
  catalogue *all = user_data;
  sorted_store *s;
  pthread_mutex_lock(&all->lock);
  for (s = all->first; s; s = s->next)
    if (s->url_len == url_len && memcmp(s->url, url, url_len) == 0) break;
  if (!s) {
    s = calloc(1, sizeof *s);
    if (s) s->url = copy_of(url, url_len);
    if (!s || !s->url) {
      free(s);
      pthread_mutex_unlock(&all->lock);
      return fail(reply, "no memory for a store");
    }
    s->url_len = url_len;
    pthread_rwlock_init(&s->lock, NULL);
    s->next = all->first;
    all->first = s;
  }
  pthread_mutex_unlock(&all->lock);
  *instance = s;
  return MEMEX_CALLBACK_OK;
}

static int32_t sorted_close(void *instance, memex_reply *reply) {
  (void)instance, (void)reply; /* the data stays until the backend is unregistered */
  return MEMEX_CALLBACK_OK;
}

static int32_t sorted_get(void *instance, const char *key, size_t key_len, memex_reply *reply) {
  sorted_store *s = instance;
  memex_status status = MEMEX_OK;
  const pair *found;
  pthread_rwlock_rdlock(&s->lock);
  found = find(s, key, key_len);
  if (found) status = memex_reply_data(reply, found->value, found->value_len);
  pthread_rwlock_unlock(&s->lock);
  return status == MEMEX_OK ? MEMEX_CALLBACK_OK : 0;
}

static int32_t sorted_scan(void *instance, const char *from, size_t from_len, const char *to, size_t to_len,
                           int32_t descending, int64_t limit, memex_reply *reply) {
  sorted_store *s = instance;
  memex_status status = MEMEX_OK;
  size_t first, end;
  pthread_rwlock_rdlock(&s->lock);
  first = place_of(s, from, from_len);
  end = to ? place_of(s, to, to_len) : s->count;
  for (; first < end && limit > 0 && status == MEMEX_OK; limit--) {
    const pair *p = &s->pairs[descending ? --end : first++];
    status = memex_reply_entry(reply, p->key, p->key_len, p->value, p->value_len);
  }
  pthread_rwlock_unlock(&s->lock);
  return status == MEMEX_OK ? MEMEX_CALLBACK_OK : 0;
}

/* Whether every precondition holds: MEMEX_CALLBACK_OK, MEMEX_CALLBACK_CONFLICT, or failure. */
static int32_t check_writes(const sorted_store *s, const memex_write *writes, size_t count) {
  size_t i;
  for (i = 0; i < count; i++) {
    const memex_write *w = &writes[i];
    const pair *p = find(s, w->key, w->key_len);
    switch (w->kind) {
      case MEMEX_WRITE_PUT:
      case MEMEX_WRITE_DELETE: break;
      case MEMEX_WRITE_REQUIRE_ABSENT:
        if (p) return MEMEX_CALLBACK_CONFLICT;
        break;
      case MEMEX_WRITE_REQUIRE_PRESENT:
        if (!p) return MEMEX_CALLBACK_CONFLICT;
        break;
      case MEMEX_WRITE_REQUIRE_EQUAL:
        if (!p || compare(p->value, p->value_len, w->value, w->value_len) != 0) return MEMEX_CALLBACK_CONFLICT;
        break;
      default: return 0; /* a kind of a newer version: never guess */
    }
  }
  return MEMEX_CALLBACK_OK;
}

static void put(sorted_store *s, char *key, size_t key_len, char *value, size_t value_len) {
  size_t at = place_of(s, key, key_len);
  pair *p = find(s, key, key_len);
  if (p) {
    free(p->value);
    free(key);
  } else {
    p = &s->pairs[at];
    memmove(p + 1, p, (s->count - at) * sizeof *p);
    s->count++;
    p->key = key;
    p->key_len = key_len;
  }
  p->value = value;
  p->value_len = value_len;
}

static void delete_key(sorted_store *s, const char *key, size_t key_len) {
  pair *p = find(s, key, key_len);
  if (!p) return;
  free(p->key);
  free(p->value);
  s->count--;
  memmove(p, p + 1, (size_t)(s->pairs + s->count - p) * sizeof *p);
}

/* All or nothing: whatever can fail comes before the first change. */
static int32_t sorted_commit(void *instance, const memex_write *writes, size_t count, memex_reply *reply) {
  sorted_store *s = instance;
  pair *copies = calloc(count ? count : 1, sizeof *copies);
  int32_t result = copies ? MEMEX_CALLBACK_OK : 0;
  size_t i;
  for (i = 0; i < count && result == MEMEX_CALLBACK_OK; i++)
    if (writes[i].kind == MEMEX_WRITE_PUT) {
      copies[i].key = copy_of(writes[i].key, writes[i].key_len);
      copies[i].value = copy_of(writes[i].value, writes[i].value_len);
      if (!copies[i].key || !copies[i].value) result = 0;
    }
  pthread_rwlock_wrlock(&s->lock);
  if (result == MEMEX_CALLBACK_OK && s->count + count > s->room) {
    size_t room = (s->count + count) * 2;
    pair *grown = realloc(s->pairs, room * sizeof *grown);
    if (grown) {
      s->pairs = grown;
      s->room = room;
    } else {
      result = 0;
    }
  }
  if (result != MEMEX_CALLBACK_OK) fail(reply, "no memory for a commit");
  else result = check_writes(s, writes, count);
  for (i = 0; i < count && result == MEMEX_CALLBACK_OK; i++) {
    if (writes[i].kind == MEMEX_WRITE_PUT) {
      put(s, copies[i].key, writes[i].key_len, copies[i].value, writes[i].value_len);
      copies[i].key = copies[i].value = NULL; /* the store's now */
    } else if (writes[i].kind == MEMEX_WRITE_DELETE) {
      delete_key(s, writes[i].key, writes[i].key_len);
    }
  }
  pthread_rwlock_unlock(&s->lock);
  for (i = 0; copies && i < count; i++) {
    free(copies[i].key);
    free(copies[i].value);
  }
  free(copies);
  return result;
}

/* Called once, when no store needs the backend any more. */
static void destroy_catalogue(void *user_data) {
  catalogue *all = user_data;
  while (all->first) {
    sorted_store *s = all->first;
    all->first = s->next;
    while (s->count) {
      s->count--;
      free(s->pairs[s->count].key);
      free(s->pairs[s->count].value);
    }
    pthread_rwlock_destroy(&s->lock);
    free(s->pairs);
    free(s->url);
    free(s);
  }
  pthread_mutex_destroy(&all->lock);
  free(all);
}

/* --- the program ----------------------------------------------------------------------------------- */

int main(void) {
  memex_backend backend;
  memex_store *store = NULL;
  memex_thread *thread = NULL;
  memex_error *error = NULL;
  memex_bytes bytes = {NULL, 0};
  catalogue *all = calloc(1, sizeof *all);
  int64_t count = 0;

  must_be(all != NULL, "memory");
  pthread_mutex_init(&all->lock, NULL);
  memset(&backend, 0, sizeof backend);
  backend.struct_size = sizeof backend;
  backend.open = sorted_open;
  backend.close = sorted_close;
  backend.get = sorted_get;
  backend.scan = sorted_scan;
  backend.commit = sorted_commit;
  must(memex_register_backend("sorted", MEMEX_NTS, &backend, all, destroy_catalogue, &error), error,
       "registering the backend");

  /* A conversation in it, closed and opened again. */
  must(memex_store_open("{\"url\":\"sorted:chat\"}", MEMEX_NTS, &store, &error), error, "opening the store");
  must(memex_thread_create(store, "{\"id\":\"greeting\"}", MEMEX_NTS, &thread, &error), error, "creating a thread");
  must(memex_thread_append_text(thread, "user", MEMEX_NTS, "Hello, array!", MEMEX_NTS, NULL, 0, NULL, &error), error,
       "appending");
  memex_thread_free(thread);
  must(memex_store_close(store, &error), error, "closing the store");
  must(memex_store_open("{\"url\":\"sorted:chat\"}", MEMEX_NTS, &store, &error), error, "opening the store again");
  must(memex_thread_open(store, "greeting", MEMEX_NTS, &thread, &error), error, "opening the thread");
  must(memex_thread_count(thread, &count, &error), error, "counting");
  must_be(count == 1, "one message");
  printf("a conversation of %ld message in a sorted array, closed and opened again\n", (long)count);
  memex_thread_free(thread);
  must(memex_store_close(store, &error), error, "closing the store again");

  /* The cases that every backend must pass, ours and yours. */
  must(memex_backend_check("{\"url\":\"sorted:check\"}", MEMEX_NTS, &bytes, &error), error, "checking the backend");
  must_be(strstr(bytes.data, "\"failed\":0") != NULL, bytes.data);
  printf("conformance: %.*s\n", (int)strcspn(bytes.data, "["), bytes.data);
  memex_bytes_free(&bytes);

  must(memex_unregister("backend", MEMEX_NTS, "sorted", MEMEX_NTS, &error), error, "unregistering");
  return 0;
}
