/*
 * Preloaded, counts what a database does: frames written to a write-ahead log, syncs of commits, syncs of
 * checkpoints, and reads. A sync is a commit's when frames were written to that log since its last sync;
 * every other one (database file, log's header, log before a checkpoint) is a checkpoint's.
 *
 * SYNC_COUNT_DELAY_US=n replaces every sync by a sleep of n microseconds: a disk that behaves the same in
 * every run.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

enum { OTHER, LOG, DATABASE, FILES = 4096 };
static _Atomic char kinds[FILES];
static atomic_long unsynced[FILES];
static atomic_long commit_syncs, checkpoint_syncs, frames, reads;

void sync_count_read(long *out);
void sync_count_read(long *out) {
  out[0] = commit_syncs;
  out[1] = checkpoint_syncs;
  out[2] = frames;
  out[3] = reads;
}

static void opened(int fd, const char *path) {
  if (fd < 0 || fd >= FILES || !path) return;
  size_t n = strlen(path);
  kinds[fd] = n > 4 && !strcmp(path + n - 4, "-wal") ? LOG : n > 3 && !strcmp(path + n - 3, ".db") ? DATABASE : OTHER;
  unsynced[fd] = 0;
}

static mode_t mode_of(int flags, va_list list) {
  return flags & (O_CREAT | __O_TMPFILE) ? va_arg(list, mode_t) : 0;
}

#define OPEN(name)                                                     \
  int name(const char *path, int flags, ...) {                         \
    static int (*real)(const char *, int, ...);                        \
    if (!real) real = (__typeof__(real))dlsym(RTLD_NEXT, #name);       \
    va_list list;                                                      \
    va_start(list, flags);                                             \
    mode_t mode = mode_of(flags, list);                                \
    va_end(list);                                                      \
    int fd = real(path, flags, mode);                                  \
    opened(fd, path);                                                  \
    return fd;                                                         \
  }
OPEN(open)
OPEN(open64)

#define WRITE(name, offset_type)                                              \
  ssize_t name(int fd, const void *data, size_t size, offset_type at) {       \
    static ssize_t (*real)(int, const void *, size_t, offset_type);           \
    if (!real) real = (__typeof__(real))dlsym(RTLD_NEXT, #name);              \
    if (fd >= 0 && fd < FILES && kinds[fd] == LOG && size == 24) {            \
      frames++;                                                               \
      unsynced[fd]++;                                                         \
    }                                                                         \
    return real(fd, data, size, at);                                          \
  }
WRITE(pwrite, off_t)
WRITE(pwrite64, off64_t)

#define READ(name, offset_type)                                               \
  ssize_t name(int fd, void *data, size_t size, offset_type at) {             \
    static ssize_t (*real)(int, void *, size_t, offset_type);                 \
    if (!real) real = (__typeof__(real))dlsym(RTLD_NEXT, #name);              \
    if (fd >= 0 && fd < FILES && kinds[fd] != OTHER) reads++;                 \
    return real(fd, data, size, at);                                          \
  }
READ(pread, off_t)
READ(pread64, off64_t)

static int sync_as(int fd, const char *name, int (**real)(int)) {
  static long delay = -1;
  if (delay < 0) {
    const char *text = getenv("SYNC_COUNT_DELAY_US");
    delay = text ? atol(text) : 0;
  }
  if (fd >= 0 && fd < FILES && atomic_exchange(&unsynced[fd], 0) > 0) commit_syncs++;
  else checkpoint_syncs++;
  if (delay > 0) {
    struct timespec t = {delay / 1000000, delay % 1000000 * 1000};
    return nanosleep(&t, NULL);
  }
  if (!*real) *real = (__typeof__(*real))dlsym(RTLD_NEXT, name);
  return (*real)(fd);
}

int fsync(int fd) {
  static int (*real)(int);
  return sync_as(fd, "fsync", &real);
}

int fdatasync(int fd) {
  static int (*real)(int);
  return sync_as(fd, "fdatasync", &real);
}
