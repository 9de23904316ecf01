#define _GNU_SOURCE
#include <stdint.h>

#include "memex_shim_sqlite.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

memex_shim_sqlite memex_shim_sqlite_functions;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int loaded;
static char failure[256];

static int fill(void *handle) {
#define MEMEX_SHIM_FIND(name)                                                                     \
  if (!(MEMEX_SHIM_SQLITE.name = (__typeof__(&sqlite3_##name))dlsym(handle, "sqlite3_" #name))) { \
    snprintf(failure, sizeof failure, "the SQLite that was found lacks sqlite3_" #name);          \
    return 0;                                                                                     \
  }
  MEMEX_SHIM_SQLITE_FUNCTIONS(MEMEX_SHIM_FIND)
#undef MEMEX_SHIM_FIND
  return 1;
}

const char *memex_sqlite_load(const char *fallback) {
  static const char *const names[] = {"libsqlite3.so.0", "libsqlite3.so"};
  pthread_mutex_lock(&lock);
  if (!loaded) {
    snprintf(failure, sizeof failure,
             "no libsqlite3.so.0 in the process, in the system or beside libmemex; install SQLite 3.37 or newer");
    if (dlsym(RTLD_DEFAULT, "sqlite3_open_v2")) loaded = fill(RTLD_DEFAULT);
    for (int pass = 0; pass < 2 && !loaded; pass++)
      for (size_t i = 0; i < sizeof names / sizeof *names && !loaded; i++) {
        void *handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL | (pass == 0 ? RTLD_NOLOAD : 0));
        if (handle) loaded = fill(handle);
      }
    if (!loaded && fallback) {
      void *handle = dlopen(fallback, RTLD_NOW | RTLD_LOCAL);
      if (handle) loaded = fill(handle);
    }
  }
  pthread_mutex_unlock(&lock);
  return loaded ? 0 : failure;
}
