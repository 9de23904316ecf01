/* What the tests of the C interface share: counting, a temporary folder, a watchdog. Every failing case is
   a line that starts with FAIL; the last line is "N passed, N failed". */
#ifndef ABI_SUPPORT_H
#define ABI_SUPPORT_H

#include <dirent.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "memex.h"

/* A program that is not linked with the library brings its own. */
#ifndef ABI_STATUS_NAME
#define ABI_STATUS_NAME memex_status_name
#endif

static long abi_passed, abi_failed;
static pthread_mutex_t abi_lock = PTHREAD_MUTEX_INITIALIZER;
static char abi_folder[300];
static const char *volatile abi_now = "start";

__attribute__((format(printf, 3, 4), unused)) static int abi_expect(int good, int line,
                                                                   const char *format, ...) {
  pthread_mutex_lock(&abi_lock);
  if (good) {
    abi_passed++;
  } else {
    va_list arguments;
    abi_failed++;
    printf("FAIL %s (line %d): ", abi_now, line);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    fflush(stdout);
  }
  pthread_mutex_unlock(&abi_lock);
  return good;
}

/* Counts a case; says what was expected when it is false. */
#define EXPECT(condition, ...) abi_expect((condition) ? 1 : 0, __LINE__, __VA_ARGS__)

__attribute__((unused)) static int abi_status(memex_status got, memex_status wanted, const char *call,
                                              int line) {
  return abi_expect(got == wanted, line, "%s is %s (%d), not %s", call, ABI_STATUS_NAME(got), (int)got,
                    ABI_STATUS_NAME(wanted));
}

/* Counts a call and its status. */
#define EXPECT_STATUS(call, wanted) abi_status((call), (wanted), #call, __LINE__)

/* Ends the program: what follows makes no sense without it. */
#define NEED(condition)                                                                            \
  do {                                                                                             \
    if (!(condition)) {                                                                            \
      printf("FAIL %s (line %d): cannot go on without %s\n", abi_now, __LINE__, #condition);       \
      fflush(stdout);                                                                              \
      _exit(1);                                                                                    \
    }                                                                                              \
  } while (0)

static inline int64_t now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static inline void sleep_us(int64_t us) {
  struct timespec t;
  t.tv_sec = (time_t)(us / 1000000);
  t.tv_nsec = (long)(us % 1000000) * 1000;
  nanosleep(&t, NULL);
}

/* A fast generator of numbers that are random enough. */
static inline uint64_t next_random(uint64_t *state) {
  uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

/* Removes what a folder of ours holds, with the folders of stores in it. */
__attribute__((unused)) static void abi_empty(const char *folder) {
  DIR *list = opendir(folder);
  struct dirent *entry;
  char path[700];
  if (!list) return;
  while ((entry = readdir(list)))
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
      snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
      if (unlink(path) == 0) continue;
      abi_empty(path);
      rmdir(path);
    }
  closedir(list);
}

/* A folder of our own under TMPDIR, for the databases. */
__attribute__((unused)) static const char *abi_make_folder(void) {
  const char *base = getenv("TMPDIR");
  snprintf(abi_folder, sizeof abi_folder, "%.200s/memex-test-XXXXXX", base && *base ? base : "/tmp");
  NEED(mkdtemp(abi_folder));
  return abi_folder;
}

__attribute__((unused)) static void abi_remove_folder(void) {
  if (!abi_folder[0]) return;
  abi_empty(abi_folder);
  rmdir(abi_folder);
  abi_folder[0] = 0;
}

/* The engine that stores in files: MEMEX_TEST_ENGINE, or SQLite. */
__attribute__((unused)) static const char *abi_engine(void) {
  const char *engine = getenv("MEMEX_TEST_ENGINE");
  return engine && *engine ? engine : "sqlite";
}

/* {"url":"<engine>:///<folder>/<name>"<more>} */
__attribute__((unused)) static const char *abi_config(char *to, size_t room, const char *name,
                                                      const char *more) {
  snprintf(to, room, "{\"url\":\"%s:///%s/%s\"%s}", abi_engine(), abi_folder, name, more);
  return to;
}

static void abi_bark(int number) {
  static const char words[] = ": hangs\n";
  const char *what = abi_now;
  (void)number;
  if (write(STDOUT_FILENO, "FAIL ", 5) < 0 || write(STDOUT_FILENO, what, strlen(what)) < 0 ||
      write(STDOUT_FILENO, words, sizeof words - 1) < 0)
    _exit(70);
  _exit(71);
}

/* Ends the program when it is silent for so long; call again for each case. */
__attribute__((unused)) static void abi_watch(const char *what, unsigned seconds) {
  abi_now = what;
  signal(SIGALRM, abi_bark);
  alarm(seconds);
}

__attribute__((unused)) static int abi_finish(void) {
  alarm(0);
  abi_remove_folder();
  printf("%ld passed, %ld failed\n", abi_passed, abi_failed);
  fflush(stdout);
  return abi_failed ? 1 : 0;
}

#endif
