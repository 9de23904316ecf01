#define _GNU_SOURCE
#include "memex_shim_postgresql.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

memex_shim_pq memex_shim_pq_functions;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int loaded;
static char failure[256];

static int fill(void *handle) {
#define MEMEX_SHIM_FIND(name)                                                                      \
  if (!(MEMEX_SHIM_PQ.name = (__typeof__(&PQ##name))dlsym(handle, "PQ" #name))) {                  \
    snprintf(failure, sizeof failure,                                                              \
             "the libpq that was found lacks PQ" #name "; install PostgreSQL's client library 14 or newer"); \
    return 0;                                                                                      \
  }
  MEMEX_SHIM_PQ_FUNCTIONS(MEMEX_SHIM_FIND)
#undef MEMEX_SHIM_FIND
  return 1;
}

static int find(void) {
  snprintf(failure, sizeof failure,
           "no libpq.so.5 in the process or in the system; install PostgreSQL's client library 14 or newer "
           "(Debian and Ubuntu: libpq5, Fedora: libpq, Alpine: libpq)");
  for (int pass = 0; pass < 2; pass++) {
    void *handle = dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL | (pass == 0 ? RTLD_NOLOAD : 0));
    if (handle && fill(handle)) return 1;
  }
  return 0;
}

static void fork_prepare(void) { pthread_mutex_lock(&lock); }
static void fork_done(void) { pthread_mutex_unlock(&lock); }
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
static void fork_register(void) { pthread_atfork(fork_prepare, fork_done, fork_done); }

const char *memex_pq_load(void) {
  pthread_once(&fork_once, fork_register);
  pthread_mutex_lock(&lock);
  if (!loaded) loaded = find();
  int ok = loaded;
  pthread_mutex_unlock(&lock);
  return ok ? 0 : failure;
}

/* libpq prints notices to stderr unless somebody takes them. */
static void ignore_notice(void *context, const PGresult *notice) { (void)context, (void)notice; }

PGconn *memex_pq_connect_start(const char *const *keywords, const char *const *values) {
  PGconn *c = MEMEX_SHIM_PQ.connectStartParams(keywords, values, 0);
  /* The server's first words come with a later poll. */
  if (c) MEMEX_SHIM_PQ.setNoticeReceiver(c, ignore_notice, 0);
  return c;
}

int memex_pq_prepare_connection(PGconn *c) {
  return MEMEX_SHIM_PQ.setnonblocking(c, 1) == 0 && MEMEX_SHIM_PQ.enterPipelineMode(c) == 1;
}
