#include "memex_shim_scratch.h"

#include <pthread.h>
#include <stdlib.h>

#include "memex_shim_system.h"

static _Thread_local void *block;
static pthread_key_t key;
static int have_key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static _Alignas(64) unsigned char shared[MEMEX_SHIM_SHARED_BLOCK];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* What counts after this, in another destructor, gets a new block. */
static void release(void *mine) {
  block = NULL;
  free(mine);
}

static void prepare(void) {
  have_key = pthread_key_create(&key, release) == 0;
  memex_shim_fork_guard(&lock);
}

void *memex_shim_thread_block(size_t size) {
  if (block) return block;
  pthread_once(&once, prepare);
  if (!have_key) return NULL;
  void *made = calloc(1, size);
  if (!made) return NULL;
  if (pthread_setspecific(key, made) != 0) {
    free(made);
    return NULL;
  }
  return block = made;
}

void *memex_shim_shared_block_take(void) {
  pthread_once(&once, prepare);
  pthread_mutex_lock(&lock);
  return shared;
}

void memex_shim_shared_block_give(void) { pthread_mutex_unlock(&lock); }
