/*
 * What the benchmark programs share: the messages, the clocks, the counters of sync_count.c, checks.
 *
 * chat.bin (data.py writes it, little endian): "MXBENCH1", u64 count, then for each message u32 lengths of
 * role, content, extra and body, u32 tokens, u32 offset in the body where the content's closing quote
 * stands, and the four texts.
 */
#ifndef MEMEX_BENCH_H
#define MEMEX_BENCH_H

#include <dlfcn.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

typedef struct {
  const char *role, *content, *extra, *body;
  uint32_t role_len, content_len, extra_len, body_len, tokens, splice;
} Message;

static inline void __attribute__((noreturn)) fail(const char *what, const char *why) {
  fprintf(stderr, "%s: %s\n", what, why);
  exit(3);
}

/* What was read must be what was stored. */
static inline void expect(int64_t found, int64_t wanted, const char *what) {
  if (found == wanted) return;
  fprintf(stderr, "%s: %lld, expected %lld\n", what, (long long)found, (long long)wanted);
  exit(4);
}

static Message *pool;
static size_t pool_count;

static inline void messages_load(const char *path) {
  int fd = open(path, O_RDONLY);
  struct stat st;
  if (fd < 0 || fstat(fd, &st)) fail(path, "cannot be read; run data.py");
  const char *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
  close(fd);
  if (p == MAP_FAILED || st.st_size < 16 || memcmp(p, "MXBENCH1", 8)) fail(path, "is not the benchmark's data");
  uint64_t count;
  memcpy(&count, p + 8, 8);
  p += 16;
  pool = malloc(count * sizeof *pool);
  if (!pool) fail(path, "no memory");
  pool_count = count;
  for (size_t i = 0; i < count; i++) {
    uint32_t h[6];
    memcpy(h, p, sizeof h);
    p += sizeof h;
    Message *m = &pool[i];
    m->role_len = h[0], m->content_len = h[1], m->extra_len = h[2], m->body_len = h[3];
    m->tokens = h[4], m->splice = h[5];
    m->role = p, p += h[0];
    m->content = p, p += h[1];
    m->extra = p, p += h[2];
    m->body = p, p += h[3];
  }
}

/* Message `index` of an endless supply; beyond the pool a suffix tells repetitions apart, and the system
 * message does not repeat. Its texts live in the scratch until the next call. */
typedef struct {
  char content[8192], body[8192];
} Scratch;

static inline Message message_at(size_t index, Scratch *scratch) {
  if (index < pool_count) return pool[index];
  Message m = pool[1 + (index - 1) % (pool_count - 1)];
  char suffix[32];
  uint32_t n = (uint32_t)snprintf(suffix, sizeof suffix, " #%zu", index);
  if (m.content_len + n > sizeof scratch->content || m.body_len + n > sizeof scratch->body)
    fail("data", "a message is larger than the scratch");
  memcpy(scratch->content, m.content, m.content_len);
  memcpy(scratch->content + m.content_len, suffix, n);
  memcpy(scratch->body, m.body, m.splice);
  memcpy(scratch->body + m.splice, suffix, n);
  memcpy(scratch->body + m.splice + n, m.body + m.splice, m.body_len - m.splice);
  m.content = scratch->content, m.content_len += n;
  m.body = scratch->body, m.body_len += n;
  return m;
}

static inline double seconds_of(clockid_t id) {
  struct timespec t;
  clock_gettime(id, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}
static inline double now(void) { return seconds_of(CLOCK_MONOTONIC); }
static inline double cpu(void) { return seconds_of(CLOCK_PROCESS_CPUTIME_ID); }
static inline int64_t time_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int compare_doubles(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}
static inline double median(double *values, size_t n) {
  qsort(values, n, sizeof *values, compare_doubles);
  return values[n / 2];
}

/* Kibibytes of the process that are in memory. */
static inline long resident_kb(void) {
  char line[256];
  long kb = 0;
  FILE *f = fopen("/proc/self/status", "r");
  while (f && fgets(line, sizeof line, f))
    if (!strncmp(line, "VmRSS:", 6)) kb = atol(line + 6);
  if (f) fclose(f);
  return kb;
}

/* Counters of sync_count.so, when it is preloaded; else zeros. */
typedef struct {
  long commit_syncs, checkpoint_syncs, frames, reads;
} Counts;

static inline Counts counts(void) {
  static void (*read_counts)(long *);
  static int looked;
  long v[4] = {0, 0, 0, 0};
  if (!looked) {
    looked = 1;
    void *symbol = dlsym(RTLD_DEFAULT, "sync_count_read");
    memcpy(&read_counts, &symbol, sizeof symbol);
  }
  if (read_counts) read_counts(v);
  return (Counts){v[0], v[1], v[2], v[3]};
}

/* A measured stretch. */
typedef struct {
  double wall, cpu;
  Counts counts;
} Mark;

static inline Mark mark(void) {
  Mark m = {.counts = counts()};
  m.wall = now();
  m.cpu = cpu();
  return m;
}

/* Prints {"n", "cpu_us", "wall_us", "rate", ...} for n appends since the mark; the caller closes the brace. */
static inline void report(Mark from, size_t n) {
  double used = cpu() - from.cpu, took = now() - from.wall;
  Counts c = counts();
  printf("{\"n\":%zu,\"cpu_us\":%.3f,\"wall_us\":%.3f,\"rate\":%.1f,\"commit_syncs\":%ld,"
         "\"checkpoint_syncs\":%ld,\"frames\":%ld,\"reads\":%ld",
         n, used * 1e6 / (double)n, took * 1e6 / (double)n, (double)n / took,
         c.commit_syncs - from.counts.commit_syncs, c.checkpoint_syncs - from.counts.checkpoint_syncs,
         c.frames - from.counts.frames, c.reads - from.counts.reads);
}

/* The thread of the i-th append: `run` messages in a thread, then the next thread, round and round. */
static inline uint32_t thread_of(size_t i, uint32_t threads, uint32_t run) {
  return (uint32_t)(i / run % threads);
}

/* Stays on the core that BENCH_CORE names, if it does. */
static inline void pin(void) {
  const char *core = getenv("BENCH_CORE");
  if (!core) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET((size_t)atol(core), &set);
  sched_setaffinity(0, sizeof set, &set);
}

static inline long number(const char *text) {
  char *end;
  long n = strtol(text, &end, 10);
  if (*end || end == text) fail(text, "is not a number");
  return n;
}

#endif
