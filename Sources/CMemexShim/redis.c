#define _GNU_SOURCE
#include "memex_shim_redis.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

/* hiredis before 1.0, and since. */
typedef struct old_reply {
  int type;
  long long integer;
  size_t len;
  char *str;
  size_t elements;
  void **element;
} old_reply;

typedef struct new_reply {
  int type;
  long long integer;
  double dval;
  size_t len;
  char *str;
  char vtype[4];
  size_t elements;
  void **element;
} new_reply;

static struct {
  void *(*create)(void);
  void (*free)(void *);
  int (*feed)(void *, const char *, size_t);
  int (*next)(void *, void **);
  void (*free_reply)(void *);
  int is_new;
} hiredis;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int loaded;
static char failure[256];

static int fill(void *handle) {
  hiredis.create = (void *(*)(void))dlsym(handle, "redisReaderCreate");
  hiredis.free = (void (*)(void *))dlsym(handle, "redisReaderFree");
  hiredis.feed = (int (*)(void *, const char *, size_t))dlsym(handle, "redisReaderFeed");
  hiredis.next = (int (*)(void *, void **))dlsym(handle, "redisReaderGetReply");
  hiredis.free_reply = (void (*)(void *))dlsym(handle, "freeReplyObject");
  /* Came with the layout that has doubles. */
  hiredis.is_new = dlsym(handle, "hiredisSetAllocators") != 0;
  return hiredis.create && hiredis.free && hiredis.feed && hiredis.next && hiredis.free_reply;
}

static int find(void) {
  static const char *const names[] = {"libhiredis.so.1.3.0", "libhiredis.so.1.1.0", "libhiredis.so.1.0.0",
                                      "libhiredis.so.1",     "libhiredis.so.0.14",  "libhiredis.so.0.13",
                                      "libhiredis.so"};
  for (int pass = 0; pass < 2; pass++)
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
      void *handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL | (pass == 0 ? RTLD_NOLOAD : 0));
      if (handle && fill(handle)) return 1;
    }
  snprintf(failure, sizeof failure,
           "no libhiredis.so in the process or in the system; install hiredis "
           "(Debian: libhiredis0.14, Ubuntu: libhiredis1.1.0, Fedora and Alpine: hiredis)");
  return 0;
}

static void fork_prepare(void) { pthread_mutex_lock(&lock); }
static void fork_done(void) { pthread_mutex_unlock(&lock); }
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
static void fork_register(void) { pthread_atfork(fork_prepare, fork_done, fork_done); }

const char *memex_redis_load(void) {
  pthread_once(&fork_once, fork_register);
  pthread_mutex_lock(&lock);
  if (!loaded) loaded = find();
  int ok = loaded;
  pthread_mutex_unlock(&lock);
  return ok ? 0 : failure;
}

void *memex_redis_reader_new(void) { return hiredis.create(); }
void memex_redis_reader_free(void *reader) { hiredis.free(reader); }
int memex_redis_reader_feed(void *reader, const void *bytes, size_t len) {
  return hiredis.feed(reader, bytes, len) == 0 ? 0 : -1;
}
int memex_redis_reader_next(void *reader, void **reply) {
  *reply = 0;
  return hiredis.next(reader, reply) == 0 ? 0 : -1;
}

void memex_redis_reply_free(void *reply) { hiredis.free_reply(reply); }
int memex_redis_reply_type(const void *reply) { return ((const old_reply *)reply)->type; }
long long memex_redis_reply_integer(const void *reply) { return ((const old_reply *)reply)->integer; }

const char *memex_redis_reply_bytes(const void *reply, size_t *len) {
  *len = hiredis.is_new ? ((const new_reply *)reply)->len : ((const old_reply *)reply)->len;
  return hiredis.is_new ? ((const new_reply *)reply)->str : ((const old_reply *)reply)->str;
}

size_t memex_redis_reply_count(const void *reply) {
  return hiredis.is_new ? ((const new_reply *)reply)->elements : ((const old_reply *)reply)->elements;
}

const void *memex_redis_reply_element(const void *reply, size_t index) {
  if (index >= memex_redis_reply_count(reply)) return 0;
  return hiredis.is_new ? ((const new_reply *)reply)->element[index] : ((const old_reply *)reply)->element[index];
}
