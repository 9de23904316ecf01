#define _GNU_SOURCE
#include "memex_shim_mutex.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SIZE = 4096, MARK = 0x6D786C31 }; /* "mxl1" */

typedef struct shared {
  uint32_t mark;
  uint32_t size; /* of a mutex: that of the other word size is no use */
  pthread_mutex_t mutex;
} shared;

static int make(shared *s) {
  pthread_mutexattr_t attributes;
  int code = pthread_mutexattr_init(&attributes);
  if (code) return code;
  code = pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  if (!code) code = pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  memset(s, 0, SIZE);
  if (!code) code = pthread_mutex_init(&s->mutex, &attributes);
  pthread_mutexattr_destroy(&attributes);
  s->size = sizeof s->mutex;
  if (!code) s->mark = MARK;
  return code;
}

static int lock(int descriptor, int how) {
  int r;
  do r = flock(descriptor, how | LOCK_NB);
  while (r != 0 && errno == EINTR);
  return r == 0 ? 0 : errno;
}

/* With real blocks behind it: a page that the disk has no room for would end the process. */
static int reserve(int descriptor) {
  static const char zeros[SIZE];
  ssize_t n = pwrite(descriptor, zeros, SIZE, 0);
  return n == SIZE ? 0 : n < 0 ? errno : ENOSPC;
}

int memex_shim_mutex_open(const char *path, int *descriptor, void **mutex) {
  int fd;
  do fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  while (fd < 0 && errno == EINTR);
  if (fd < 0) return errno;
  int is_first = lock(fd, LOCK_EX) == 0, code = is_first ? reserve(fd) : lock(fd, LOCK_SH);
  if (code == EWOULDBLOCK) code = EAGAIN;
  shared *s = code ? MAP_FAILED : mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (!code && s == MAP_FAILED) code = errno;
  if (!code && is_first) {
    code = make(s);
    /* Another first one may come in between, and make it once more: nobody uses it yet. */
    if (!code && (code = lock(fd, LOCK_SH)) == EWOULDBLOCK) code = EAGAIN;
  }
  if (!code) {
    struct stat now;
    if (fstat(fd, &now) != 0 || now.st_size < SIZE || s->mark != MARK) code = EAGAIN;
    else if (s->size != sizeof s->mutex) code = EPROTO;
  }
  if (code) {
    if (s != MAP_FAILED) munmap(s, SIZE);
    close(fd);
    return code;
  }
  *descriptor = fd;
  *mutex = s;
  return 0;
}

int memex_shim_mutex_try(void *mutex) {
  pthread_mutex_t *m = &((shared *)mutex)->mutex;
  int code = pthread_mutex_trylock(m);
  if (code == EOWNERDEAD) code = pthread_mutex_consistent(m);
  return code;
}

void memex_shim_mutex_give(void *mutex) { pthread_mutex_unlock(&((shared *)mutex)->mutex); }

void memex_shim_mutex_close(int descriptor, void *mutex) {
  munmap(mutex, SIZE);
  close(descriptor);
}
