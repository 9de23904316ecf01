/* Appends two messages to a thread that a Python program began: the same file, the same order.
 *
 *   demo_append CONFIG THREAD
 *
 * Prints: first seq, last seq, microseconds an append, version of the library.
 */
#define _XOPEN_SOURCE 700
#include <memex.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static double now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int give_up(memex_status status, memex_error *error) {
  fprintf(stderr, "%s: %s\n", memex_status_name(status), error ? memex_error_message(error) : "no details");
  memex_error_free(error);
  return 1;
}

int main(int argc, char **argv) {
  memex_store *store = NULL;
  memex_thread *thread = NULL;
  memex_error *error = NULL;
  memex_receipt first, last;
  memex_status status;
  double started, took;
  if (argc != 3) {
    fprintf(stderr, "usage: demo_append CONFIG THREAD\n");
    return 2;
  }
  memset(&first, 0, sizeof first);
  first.struct_size = sizeof first;
  last = first;
  status = memex_store_open(argv[1], MEMEX_NTS, &store, &error);
  if (status == MEMEX_OK) status = memex_thread_open(store, argv[2], MEMEX_NTS, &thread, &error);
  if (status) {
    memex_store_close(store, NULL);
    return give_up(status, error);
  }
  started = now_us();
  status = memex_thread_append_text(thread, "user", MEMEX_NTS, "One more thing: was this really written from C?",
                                    MEMEX_NTS, NULL, 0, &first, &error);
  if (status == MEMEX_OK)
    status = memex_thread_append(
        thread, "{\"role\":\"assistant\",\"content\":\"It was: another program, another language, the same file.\"}",
        MEMEX_NTS, "{\"metadata\":{\"written_by\":\"demo_append.c\"}}", MEMEX_NTS, &last, &error);
  took = (now_us() - started) / 2;
  memex_thread_free(thread);
  if (status) {
    memex_store_close(store, NULL);
    return give_up(status, error);
  }
  status = memex_store_close(store, &error);
  if (status) return give_up(status, error);
  printf("%ld %ld %.0f %s\n", (long)first.first_seq, (long)last.last_seq, took, memex_version());
  return 0;
}
