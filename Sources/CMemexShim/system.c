#define _GNU_SOURCE
#include "memex_shim_system.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static uint32_t crc_table[8][256];
static pthread_once_t crc_once = PTHREAD_ONCE_INIT;

static void crc_fill(void) {
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t c = i;
    for (int k = 0; k < 8; k++) c = c & 1 ? (c >> 1) ^ 0x82F63B78u : c >> 1;
    crc_table[0][i] = c;
  }
  for (uint32_t i = 0; i < 256; i++)
    for (int t = 1; t < 8; t++)
      crc_table[t][i] = (crc_table[t - 1][i] >> 8) ^ crc_table[0][crc_table[t - 1][i] & 255];
}

static uint32_t crc_software(uint32_t crc, const unsigned char *p, size_t len) {
  pthread_once(&crc_once, crc_fill);
  while (len >= 8) {
    uint64_t v;
    memcpy(&v, p, 8);
    v ^= crc;
    crc = crc_table[7][v & 255] ^ crc_table[6][(v >> 8) & 255] ^ crc_table[5][(v >> 16) & 255] ^
          crc_table[4][(v >> 24) & 255] ^ crc_table[3][(v >> 32) & 255] ^
          crc_table[2][(v >> 40) & 255] ^ crc_table[1][(v >> 48) & 255] ^ crc_table[0][v >> 56];
    p += 8;
    len -= 8;
  }
  while (len--) crc = (crc >> 8) ^ crc_table[0][(crc ^ *p++) & 255];
  return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc_hardware(uint32_t crc, const unsigned char *p,
                                                               size_t len) {
  uint64_t c = crc;
  while (len >= 8) {
    uint64_t v;
    memcpy(&v, p, 8);
    c = __builtin_ia32_crc32di(c, v);
    p += 8;
    len -= 8;
  }
  uint32_t r = (uint32_t)c;
  while (len--) r = __builtin_ia32_crc32qi(r, *p++);
  return r;
}
#endif

uint32_t memex_shim_crc32c(uint32_t crc, const void *data, size_t len) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) return ~crc_hardware(~crc, data, len);
#endif
  return ~crc_software(~crc, data, len);
}

static int64_t clock_us(clockid_t id) {
  struct timespec t;
  if (clock_gettime(id, &t) != 0) return 0;
  return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t memex_shim_realtime_us(void) { return clock_us(CLOCK_REALTIME); }
int64_t memex_shim_monotonic_us(void) { return clock_us(CLOCK_MONOTONIC); }

int memex_shim_random(void *data, size_t len) {
  unsigned char *p = data;
  while (len > 0) {
    ssize_t got = getrandom(p, len, 0);
    if (got < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    p += got;
    len -= (size_t)got;
  }
  return 0;
}

int memex_shim_at_fork(void (*prepare)(void), void (*parent)(void), void (*child)(void)) {
  return pthread_atfork(prepare, parent, child);
}

int memex_shim_open(const char *path, int flags, unsigned mode) {
  int fd;
  do fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW, (mode_t)mode);
  while (fd < 0 && errno == EINTR);
  return fd < 0 ? -errno : fd;
}

#define FORK_CLOSE_MAX 1024
static struct {
  _Atomic int descriptor; /* + 1; 0 when free, -1 while it is filled */
  /* A library may have closed it, and the number be another file's. */
  dev_t device;
  ino_t inode;
} fork_close[FORK_CLOSE_MAX];
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

static void fork_child(void) {
  for (int i = 0; i < FORK_CLOSE_MAX; i++) {
    struct stat s;
    int d = atomic_exchange(&fork_close[i].descriptor, 0);
    if (d > 0 && fstat(d - 1, &s) == 0 && s.st_dev == fork_close[i].device && s.st_ino == fork_close[i].inode)
      close(d - 1);
  }
}

static void fork_register(void) { pthread_atfork(NULL, NULL, fork_child); }

void memex_shim_fork_close_add(int descriptor) {
  struct stat s;
  pthread_once(&fork_once, fork_register);
  if (fstat(descriptor, &s) != 0) return;
  for (int i = 0; i < FORK_CLOSE_MAX; i++) {
    int expected = 0;
    if (atomic_compare_exchange_strong(&fork_close[i].descriptor, &expected, -1)) {
      fork_close[i].device = s.st_dev;
      fork_close[i].inode = s.st_ino;
      atomic_store(&fork_close[i].descriptor, descriptor + 1);
      return;
    }
  }
}

void memex_shim_fork_close_remove(int descriptor) {
  for (int i = 0; i < FORK_CLOSE_MAX; i++) {
    int expected = descriptor + 1;
    if (atomic_compare_exchange_strong(&fork_close[i].descriptor, &expected, 0)) return;
  }
}

#define FORK_GUARD_MAX 32
static pthread_mutex_t *_Atomic fork_guarded[FORK_GUARD_MAX];
static pthread_mutex_t *fork_held[FORK_GUARD_MAX];
static _Atomic int fork_guards;
static pthread_once_t fork_guard_once = PTHREAD_ONCE_INIT;

static void fork_guard_prepare(void) {
  for (int i = 0; i < FORK_GUARD_MAX; i++)
    if ((fork_held[i] = atomic_load(&fork_guarded[i]))) pthread_mutex_lock(fork_held[i]);
}

static void fork_guard_done(void) {
  for (int i = 0; i < FORK_GUARD_MAX; i++)
    if (fork_held[i]) pthread_mutex_unlock(fork_held[i]);
}

static void fork_guard_register(void) { pthread_atfork(fork_guard_prepare, fork_guard_done, fork_guard_done); }

void memex_shim_fork_guard(void *mutex) {
  pthread_once(&fork_guard_once, fork_guard_register);
  int at = atomic_fetch_add(&fork_guards, 1);
  if (at < FORK_GUARD_MAX) atomic_store(&fork_guarded[at], mutex);
}

int memex_shim_semaphore_wait(void *semaphore, int64_t until_us, int ends_on_signal) {
  struct timespec t = {.tv_sec = until_us / 1000000, .tv_nsec = until_us % 1000000 * 1000};
  int r;
  do r = until_us == INT64_MAX ? sem_wait(semaphore) : sem_clockwait(semaphore, CLOCK_MONOTONIC, &t);
  while (r != 0 && errno == EINTR && !ends_on_signal);
  return r == 0 ? 0 : errno;
}

int memex_shim_lock_try(int descriptor) {
  int r;
  do r = flock(descriptor, LOCK_EX | LOCK_NB);
  while (r != 0 && errno == EINTR);
  return r == 0 ? 0 : errno;
}

int memex_shim_unlock(int descriptor) { return flock(descriptor, LOCK_UN) == 0 ? 0 : errno; }

int memex_shim_sleep_us(int64_t us) {
  struct timespec t = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
  return nanosleep(&t, NULL) != 0 && errno == EINTR;
}

int memex_shim_identity(const char *path, uint64_t *device, uint64_t *inode, int *is_regular) {
  struct stat s;
  if (stat(path, &s) != 0) return errno;
  *device = (uint64_t)s.st_dev;
  *inode = (uint64_t)s.st_ino;
  *is_regular = S_ISREG(s.st_mode);
  return 0;
}

int memex_shim_descriptor_identity(int descriptor, uint64_t *device, uint64_t *inode) {
  struct stat s;
  if (fstat(descriptor, &s) != 0) return errno;
  *device = (uint64_t)s.st_dev;
  *inode = (uint64_t)s.st_ino;
  return 0;
}

int memex_shim_is_link(const char *path) {
  struct stat s;
  return lstat(path, &s) == 0 && S_ISLNK(s.st_mode);
}

int memex_shim_open_folder(const char *path) {
  int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

int64_t memex_shim_folder_changed_ns(int descriptor) {
  struct stat s;
  if (fstat(descriptor, &s) != 0) return -1;
  return (int64_t)s.st_ctim.tv_sec * 1000000000 + s.st_ctim.tv_nsec;
}

int memex_shim_errno(void) { return errno; }

const char *memex_shim_library_path(void) {
  Dl_info info;
  return dladdr((void *)memex_shim_library_path, &info) ? info.dli_fname : NULL;
}
