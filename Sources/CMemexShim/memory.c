#include "memex_shim_memory.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

extern void *__real_malloc(size_t) __attribute__((weak));
extern void *__real_calloc(size_t, size_t) __attribute__((weak));
extern void *__real_realloc(void *, size_t) __attribute__((weak));
extern void __real_free(void *) __attribute__((weak));
extern int __real_posix_memalign(void **, size_t, size_t) __attribute__((weak));
extern void *__real_aligned_alloc(size_t, size_t) __attribute__((weak));
extern size_t __real_malloc_usable_size(void *) __attribute__((weak));
/* operator new, which throws when memory ran out. */
extern void *__real__Znwm(size_t) __attribute__((weak));
extern void *__real__ZnwmSt11align_val_t(size_t, size_t) __attribute__((weak));

#define RESERVE_BYTES (16u << 20)
/* A thread's metadata, the largest array of Swift's, and its head. */
#define BLOCK_MAX ((1u << 20) + (64u << 10))
#define UNIT 64u
#define UNITS (RESERVE_BYTES / UNIT)

/* One unit of head room keeps the size in front of each block; free runs are found first fit. The pages
   are untouched, hence not resident, until the day they are needed. */
static _Alignas(4096) unsigned char reserve[RESERVE_BYTES];
static uint16_t run_units[UNITS]; /* length of the block that starts here, 0 otherwise */
static unsigned char taken[UNITS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic uint64_t served;

static _Atomic int shortage;

int memex_shim_memory_is_short(void) {
  if (!atomic_load_explicit(&shortage, memory_order_relaxed)) return 0;
  if (!__real_malloc) return 0;
  void *probe = __real_malloc(BLOCK_MAX);
  if (!probe) return 1;
  __real_free(probe);
  atomic_store_explicit(&shortage, 0, memory_order_relaxed);
  return 0;
}

uint64_t memex_shim_reserve_served(void) { return atomic_load_explicit(&served, memory_order_relaxed); }

static int inside(const void *p) {
  return (const unsigned char *)p >= reserve && (const unsigned char *)p < reserve + RESERVE_BYTES;
}

static void *reserve_take(size_t size, size_t alignment) {
  if (size > BLOCK_MAX || alignment > 4096) return NULL;
  size_t units = (size + UNIT - 1) / UNIT, step = alignment > UNIT ? alignment / UNIT : 1;
  if (units == 0) units = 1;
  void *result = NULL;
  pthread_mutex_lock(&lock);
  for (size_t at = 0; at + units <= UNITS; at += step) {
    if (run_units[at]) {
      /* A block begins here: over it. */
      at += (run_units[at] + step - 1) / step * step - step;
      continue;
    }
    size_t n = 0;
    while (n < units && !taken[at + n]) n++;
    if (n < units) {
      at = (at + n) / step * step;
      continue;
    }
    memset(taken + at, 1, units);
    run_units[at] = (uint16_t)units;
    result = reserve + at * UNIT;
    break;
  }
  pthread_mutex_unlock(&lock);
  if (result) atomic_fetch_add_explicit(&served, 1, memory_order_relaxed);
  atomic_store_explicit(&shortage, 1, memory_order_relaxed);
  return result;
}

static size_t reserve_size(void *p) { return (size_t)run_units[((unsigned char *)p - reserve) / UNIT] * UNIT; }

static void reserve_give(void *p) {
  size_t at = (size_t)((unsigned char *)p - reserve) / UNIT;
  pthread_mutex_lock(&lock);
  memset(taken + at, 0, run_units[at]);
  run_units[at] = 0;
  pthread_mutex_unlock(&lock);
}

void *__wrap_malloc(size_t size) {
  void *p = __real_malloc(size);
  return p ? p : reserve_take(size, 16);
}

void *__wrap_calloc(size_t n, size_t size) {
  void *p = __real_calloc(n, size);
  size_t bytes;
  if (p || __builtin_mul_overflow(n, size, &bytes)) return p;
  p = reserve_take(bytes, 16);
  return p ? memset(p, 0, bytes) : NULL;
}

void __wrap_free(void *p) {
  if (p && inside(p))
    reserve_give(p);
  else
    __real_free(p);
}

void *__wrap_realloc(void *p, size_t size) {
  if (!p) return __wrap_malloc(size);
  if (!inside(p)) {
    void *q = __real_realloc(p, size);
    if (q || size == 0) return q;
    q = reserve_take(size, 16);
    if (!q) return NULL;
    size_t before = __real_malloc_usable_size(p);
    memcpy(q, p, before < size ? before : size);
    __real_free(p);
    return q;
  }
  if (size == 0) {
    reserve_give(p);
    return NULL;
  }
  void *q = __wrap_malloc(size);
  if (!q) return NULL;
  size_t old = reserve_size(p);
  memcpy(q, p, old < size ? old : size);
  reserve_give(p);
  return q;
}

int __wrap_posix_memalign(void **out, size_t alignment, size_t size) {
  int r = __real_posix_memalign(out, alignment, size);
  if (r != ENOMEM) return r;
  void *p = reserve_take(size, alignment);
  if (!p) return ENOMEM;
  *out = p;
  return 0;
}

void *__wrap_aligned_alloc(size_t alignment, size_t size) {
  void *p = __real_aligned_alloc(alignment, size);
  return p ? p : reserve_take(size, alignment);
}

size_t __wrap_malloc_usable_size(void *p) {
  if (!p) return 0;
  return inside(p) ? reserve_size(p) : __real_malloc_usable_size(p);
}

/* operator new and delete of C++ code: the Swift runtime's own. */

void *__wrap__Znwm(size_t size) {
  void *p = __wrap_malloc(size ? size : 1);
  return p ? p : __real__Znwm(size);
}

void *__wrap__ZnwmSt11align_val_t(size_t size, size_t alignment) {
  void *p = NULL;
  if (__wrap_posix_memalign(&p, alignment, size ? size : 1) == 0) return p;
  return __real__ZnwmSt11align_val_t(size, alignment);
}

void __wrap__ZdlPv(void *p) { __wrap_free(p); }
void __wrap__ZdlPvm(void *p, size_t size) {
  (void)size;
  __wrap_free(p);
}
void __wrap__ZdlPvSt11align_val_t(void *p, size_t alignment) {
  (void)alignment;
  __wrap_free(p);
}
void __wrap__ZdlPvmSt11align_val_t(void *p, size_t size, size_t alignment) {
  (void)size;
  (void)alignment;
  __wrap_free(p);
}
