#include "memex_shim_lmdb.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

memex_shim_lmdb memex_shim_lmdb_functions;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int loaded;
static char failure[256];

static int fill(void *handle) {
#define MEMEX_SHIM_FIND(name)                                                                     \
  if (!(MEMEX_SHIM_LMDB.name = (__typeof__(&mdb_##name))dlsym(handle, "mdb_" #name))) {           \
    snprintf(failure, sizeof failure, "the LMDB that was found lacks mdb_" #name "; install LMDB 0.9.24 or newer"); \
    return 0;                                                                                     \
  }
  MEMEX_SHIM_LMDB_FUNCTIONS(MEMEX_SHIM_FIND)
#undef MEMEX_SHIM_FIND
  return 1;
}

static int find(const char *fallback) {
  static const char *const names[] = {"liblmdb.so.0", "liblmdb.so"};
  snprintf(failure, sizeof failure,
           "no liblmdb.so.0 in the process, in the system or beside libmemex; install LMDB "
           "(Debian: liblmdb0, Fedora: lmdb-libs)");
  for (int pass = 0; pass < 2; pass++)
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
      void *handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL | (pass == 0 ? RTLD_NOLOAD : 0));
      if (handle && fill(handle)) return 1;
    }
  void *handle = fallback ? dlopen(fallback, RTLD_NOW | RTLD_LOCAL) : NULL;
  return handle && fill(handle);
}

static void fork_prepare(void) { pthread_mutex_lock(&lock); }
static void fork_done(void) { pthread_mutex_unlock(&lock); }
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
static void fork_register(void) { pthread_atfork(fork_prepare, fork_done, fork_done); }

const char *memex_lmdb_load(const char *fallback) {
  pthread_once(&fork_once, fork_register);
  pthread_mutex_lock(&lock);
  if (!loaded) loaded = find(fallback);
  int ok = loaded;
  pthread_mutex_unlock(&lock);
  return ok ? 0 : failure;
}
