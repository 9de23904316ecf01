#define _GNU_SOURCE
#include <stdint.h>

#include "memex_shim_sqlite.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

memex_shim_sqlite memex_shim_sqlite_functions;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int loaded;
static pid_t loaded_by; /* the process whose locks this copy of SQLite knows */
static char failure[256];
/* The file that SQLite was first loaded from, in this process or in one that it was forked from. */
static char source[PATH_MAX];

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

static int find(const char *fallback) {
  static const char *const names[] = {"libsqlite3.so.0", "libsqlite3.so"};
  snprintf(failure, sizeof failure,
           "no libsqlite3.so.0 in the process, in the system or beside libmemex; install SQLite 3.37 or newer");
  if (dlsym(RTLD_DEFAULT, "sqlite3_open_v2") && fill(RTLD_DEFAULT)) return 1;
  for (int pass = 0; pass < 2; pass++)
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
      void *handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL | (pass == 0 ? RTLD_NOLOAD : 0));
      if (handle && fill(handle)) return 1;
    }
  void *handle = fallback ? dlopen(fallback, RTLD_NOW | RTLD_LOCAL) : NULL;
  return handle && fill(handle);
}

/* SQLite keeps the locks that its process holds in globals. A forked child inherits the globals and not
   the locks, so it gets a copy of the library with fresh ones: the same file under another inode. */
static int copy(void) {
  struct stat s;
  char path[64];
  snprintf(failure, sizeof failure,
           "after fork() SQLite must be loaded anew, and its file cannot be copied; open stores in the parent or exec");
  int from = open(source, O_RDONLY | O_CLOEXEC);
  if (from < 0) return 0;
  int to = memfd_create("libsqlite3", MFD_CLOEXEC);
  int ok = to >= 0 && fstat(from, &s) == 0;
  for (off_t at = 0; ok && at < s.st_size;) {
    ssize_t sent = sendfile(to, from, &at, (size_t)(s.st_size - at));
    if (sent <= 0) ok = 0;
  }
  close(from);
  snprintf(path, sizeof path, "/proc/self/fd/%d", to);
  void *handle = ok ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
  if (to >= 0) close(to);
  return handle && fill(handle);
}

/* A copy has no name that could be opened again: a child's child copies the first file, too. */
static void remember_source(void) {
  Dl_info info;
  if (!dladdr((void *)MEMEX_SHIM_SQLITE.open_v2, &info) || !info.dli_fname || !realpath(info.dli_fname, source))
    snprintf(source, sizeof source, "the file of SQLite is not known");
}

static void fork_prepare(void) { pthread_mutex_lock(&lock); }
static void fork_done(void) { pthread_mutex_unlock(&lock); }
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
static void fork_register(void) { pthread_atfork(fork_prepare, fork_done, fork_done); }

const char *memex_sqlite_load(const char *fallback) {
  pthread_once(&fork_once, fork_register);
  pthread_mutex_lock(&lock);
  if (!loaded || loaded_by != getpid()) {
    /* What was inherited is never used, however often copying fails. */
    if (source[0]) loaded = copy();
    else if ((loaded = find(fallback))) remember_source();
    loaded_by = getpid();
  }
  int ok = loaded;
  pthread_mutex_unlock(&lock);
  return ok ? 0 : failure;
}
