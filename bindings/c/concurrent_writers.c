/* Eight threads append to one conversation in one SQLite file. Nothing is lost, the order is dense, and
 * waiting writers share a sync of the disk.
 *
 *   cc concurrent_writers.c $(pkg-config --cflags --libs memex) -pthread -o concurrent_writers
 *   ./concurrent_writers [MESSAGES A THREAD]
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <time.h>

#include "example.h"

enum { WRITERS = 8 };

typedef struct writer {
  pthread_t thread;
  memex_thread *conversation; /* handles may be used by any number of threads */
  int number, messages;
  int64_t *seqs; /* what the store acknowledged */
  memex_status status;
  memex_error *error;
} writer;

static void *write_messages(void *argument) {
  writer *w = argument;
  char text[80];
  int i;
  for (i = 0; i < w->messages; i++) {
    memex_receipt receipt;
    memset(&receipt, 0, sizeof receipt);
    receipt.struct_size = sizeof receipt;
    snprintf(text, sizeof text, "message %d of writer %d", i, w->number);
    w->status = memex_thread_append_text(w->conversation, "user", MEMEX_NTS, text, MEMEX_NTS, NULL, 0, &receipt,
                                         &w->error);
    if (w->status) return NULL;
    w->seqs[i] = receipt.first_seq;
  }
  return NULL;
}

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Every seq from 1 to the total was given once, and each writer's own messages are in order. */
static void check(const writer *writers, int messages) {
  size_t total = (size_t)WRITERS * (size_t)messages, i;
  char *seen = calloc(total + 1, 1);
  int w, k;
  must_be(seen != NULL, "memory");
  for (w = 0; w < WRITERS; w++)
    for (k = 0; k < messages; k++) {
      int64_t seq = writers[w].seqs[k];
      must_be(seq >= 1 && seq <= (int64_t)total, "a seq in range");
      must_be(!seen[seq], "a seq that is given once");
      must_be(k == 0 || seq > writers[w].seqs[k - 1], "a writer's order");
      seen[seq] = 1;
    }
  for (i = 1; i <= total; i++) must_be(seen[i], "a seq that is missing");
  free(seen);
}

int main(int argc, char **argv) {
  memex_store *store = NULL;
  memex_thread *conversation = NULL;
  memex_error *error = NULL;
  memex_bytes stats = {NULL, 0};
  writer writers[WRITERS];
  char config[400];
  int messages = argc > 1 ? atoi(argv[1]) : 200, i;
  int64_t count = 0;
  double started, took;

  must_be(messages > 0, "the number of messages");
  example_config(config, sizeof config);
  must(memex_store_open(config, MEMEX_NTS, &store, &error), error, "opening the store");
  must(memex_thread_create(store, NULL, 0, &conversation, &error), error, "creating a thread");

  started = seconds();
  for (i = 0; i < WRITERS; i++) {
    memset(&writers[i], 0, sizeof writers[i]);
    writers[i].conversation = conversation;
    writers[i].number = i;
    writers[i].messages = messages;
    writers[i].seqs = calloc((size_t)messages, sizeof *writers[i].seqs);
    must_be(writers[i].seqs != NULL, "memory");
    must_be(pthread_create(&writers[i].thread, NULL, write_messages, &writers[i]) == 0, "starting a thread");
  }
  for (i = 0; i < WRITERS; i++) pthread_join(writers[i].thread, NULL);
  took = seconds() - started;
  for (i = 0; i < WRITERS; i++) must(writers[i].status, writers[i].error, "a writer");

  check(writers, messages);
  must(memex_thread_count(conversation, &count, &error), error, "counting");
  must_be(count == (int64_t)WRITERS * messages, "the number of messages");
  must(memex_store_command(store, "stats", MEMEX_NTS, NULL, 0, &stats, &error), error, "asking for figures");
  printf("%d writers appended %ld messages in %.2f s, %.0f a second, each of them synced to disk\n", WRITERS,
         (long)count, took, (double)count / took);
  printf("no seq is missing, none was given twice\n%s\n", stats.data);

  memex_bytes_free(&stats);
  for (i = 0; i < WRITERS; i++) free(writers[i].seqs);
  memex_thread_free(conversation);
  must(memex_store_close(store, &error), error, "closing the store");
  example_clean_up();
  return 0;
}
