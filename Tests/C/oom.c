/* Memory runs out, at every allocation in turn. This program brings its own malloc, which fails the n-th
   allocation of a script (open, create, append, read, list, change, close), for n = 1, 2, ... until the script
   gets through; once just that one, once all that follow for a while. Each run is a process of its own and
   starts on a file of its own. Never a crash; statuses are OK or NO_MEMORY; afterwards the file holds exactly
   what was acknowledged.

     oom             every allocation in memory, another part of those with a file each time (all of them with
                     MEMEX_OOM_ALL=1)
     oom STORE N B   one run, in this process: store 0 or 1, fails N to N + B - 1 */
#include <errno.h>
#include <limits.h>
#include <malloc.h>

#include "abi_support.h"

/* ---------------------------------------------------------------------------------------- failing -- */

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static volatile int armed;
static volatile long allocations, fail_from, fail_until;

static int fails(void) {
  if (!armed) return 0;
  long n = __atomic_add_fetch(&allocations, 1, __ATOMIC_RELAXED);
  if (n < fail_from || n >= fail_until) return 0;
  errno = ENOMEM;
  return 1;
}

void *malloc(size_t size) { return fails() ? NULL : __libc_malloc(size); }
void *calloc(size_t n, size_t size) { return fails() ? NULL : __libc_calloc(n, size); }
void *realloc(void *p, size_t size) { return fails() ? NULL : __libc_realloc(p, size); }
void *memalign(size_t alignment, size_t size) { return fails() ? NULL : __libc_memalign(alignment, size); }
void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
int posix_memalign(void **out, size_t alignment, size_t size) {
  void *p = memalign(alignment, size);
  if (!p) return ENOMEM;
  *out = p;
  return 0;
}

/* ----------------------------------------------------------------------------------------- script -- */

enum { PARTS = 6 };

/* What of the script was acknowledged, by the text it stored. */
static struct {
  int created, appended[PARTS], replaced, deleted, updated;
  int statuses[4]; /* OK and DONE, NO_MEMORY, other, of which the last was: */
  memex_status other;
  const char *where;
} did;

static memex_status seen(memex_status status, const char *where) {
  if (status >= 0) {
    did.statuses[0]++;
  } else if (status == MEMEX_E_NO_MEMORY) {
    did.statuses[1]++;
  } else if (strstr(where, "memex_store_open") && (status == MEMEX_E_UNAVAILABLE || status == MEMEX_E_IO)) {
    did.statuses[1]++; /* the loader and SQLite's open do not say that it was memory */
  } else if (status != MEMEX_E_HANDLE) { /* a handle that was not made */
    did.statuses[2]++;
    did.other = status;
    did.where = where;
  }
  return status;
}

#define SEEN(call) seen((call), #call)

static const char long_text[] =
    "{\"role\":\"tool\",\"tool_call_id\":\"call_1\",\"content\":\"0123456789 0123456789 0123456789 0123456789 "
    "\\u00e4\\u00f6\\u00fc 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789\"}";

/* More than a block of the reserve has: the page with it cannot be written when memory is out. */
enum { LARGE = 300000 };
static char large[LARGE + 100];

static const char *make_large(const char *before, const char *after) {
  size_t n = strlen(before);
  memcpy(large, before, n);
  memset(large + n, 'z', LARGE);
  strcpy(large + n + LARGE, after);
  return large;
}

/* Reads page by page, a page again when memory ran out: none is skipped, none comes twice. */
static void read_paged(memex_thread *thread) {
  static const char *const layouts[] = {"json", "bodies", "packed"};
  for (size_t l = 0; l < 3; l++) {
    memex_cursor *cursor = NULL;
    memex_bytes page = {NULL, 0};
    char query[80];
    int expected = did.appended[0] + 2 * did.appended[1] + did.appended[2] + did.appended[4];
    int pages = 0, refused = 0;
    memex_status status;
    snprintf(query, sizeof query, "{\"page_size\":1,\"layout\":\"%s\"}", layouts[l]);
    if (SEEN(memex_thread_messages(thread, query, MEMEX_NTS, &cursor, NULL))) continue;
    while ((status = SEEN(memex_cursor_next(cursor, &page, NULL))) != MEMEX_DONE) {
      if (status < 0 && ++refused > 1000) break;
      pages += status == MEMEX_OK;
      memex_bytes_free(&page);
    }
    EXPECT(status != MEMEX_DONE || pages == expected, "%d pages of %s where %d messages are", pages, layouts[l],
           expected);
    memex_cursor_free(cursor);
  }
}

/* The same for threads. */
static void list_paged(memex_store *store, int expected) {
  memex_cursor *cursor = NULL;
  memex_bytes page = {NULL, 0};
  int pages = 0, refused = 0;
  memex_status status;
  if (SEEN(memex_thread_list(store, "{\"page_size\":1}", MEMEX_NTS, &cursor, NULL))) return;
  while ((status = SEEN(memex_cursor_next(cursor, &page, NULL))) != MEMEX_DONE) {
    if (status < 0 && ++refused > 1000) break;
    pages += status == MEMEX_OK;
    memex_bytes_free(&page);
  }
  EXPECT(status != MEMEX_DONE || pages == expected, "%d pages where %d threads are", pages, expected);
  memex_cursor_free(cursor);
}

static const char *make_metadata(void) {
  static char text[300 << 10];
  if (!text[0]) {
    memset(text, 'x', sizeof text - 1);
    static const char begin[] = "{\"metadata\":{\"large\":\"", end[] = "\"}}";
    memcpy(text, begin, sizeof begin - 1);
    memcpy(text + sizeof text - sizeof end, end, sizeof end);
  }
  return text;
}

static void script(const char *config) {
  memex_store *store = NULL;
  memex_thread *thread = NULL, *fork = NULL;
  memex_message *message = NULL;
  memex_cursor *cursor = NULL;
  memex_txn *txn = NULL;
  memex_bytes bytes = {NULL, 0};
  memex_error *error = NULL;
  memex_receipt receipt;
  int64_t count = 0;
  memset(&receipt, 0, sizeof receipt);
  receipt.struct_size = sizeof receipt;
  if (SEEN(memex_store_open(config, MEMEX_NTS, &store, &error))) goto out;
  did.created = SEEN(memex_thread_create(store, "{\"id\":\"t\",\"title\":\"T\",\"metadata\":{\"a\":[1,2,3]}}",
                                         MEMEX_NTS, &thread, NULL)) == MEMEX_OK;
  if (!did.created) goto out;
  did.appended[0] = !SEEN(memex_thread_append_text(thread, "user", MEMEX_NTS, "part 0", MEMEX_NTS, NULL, 0,
                                                   &receipt, NULL));
  did.appended[1] = !SEEN(memex_thread_append(
      thread,
      "[{\"role\":\"assistant\",\"content\":null,\"mark\":\"part 1\"},{\"role\":\"user\",\"content\":\"part 1\"}]",
      MEMEX_NTS, "{\"idempotency_key\":\"k\",\"metadata\":{\"m\":1}}", MEMEX_NTS, NULL, &error));
  memex_error_free(error);
  did.appended[2] = !SEEN(memex_thread_append(thread, long_text, MEMEX_NTS, "{\"id\":\"long\"}", MEMEX_NTS,
                                              NULL, NULL));
  SEEN(memex_thread_get(thread, &bytes, NULL));
  memex_bytes_free(&bytes);
  did.updated = !SEEN(memex_thread_update(thread, "{\"title\":\"U\"}", MEMEX_NTS, NULL, 0, &bytes, NULL));
  memex_bytes_free(&bytes);
  /* Metadata lies in arrays of Swift's: as large as it may be, or nearly. */
  SEEN(memex_thread_update(thread, make_metadata(), MEMEX_NTS, NULL, 0, NULL, NULL));
  SEEN(memex_thread_get(thread, &bytes, NULL));
  memex_bytes_free(&bytes);
  SEEN(memex_thread_count(thread, &count, NULL));
  if (!SEEN(memex_thread_messages(thread, NULL, 0, &cursor, NULL))) {
    SEEN(memex_cursor_next(cursor, &bytes, NULL));
    memex_bytes_free(&bytes);
    SEEN(memex_cursor_token(cursor, &bytes, NULL));
    memex_bytes_free(&bytes);
  }
  memex_cursor_free(cursor);
  if (!SEEN(memex_thread_messages(thread, "{\"last\":2,\"layout\":\"packed\"}", MEMEX_NTS, &cursor, NULL))) {
    SEEN(memex_cursor_next(cursor, &bytes, NULL));
    memex_bytes_free(&bytes);
  }
  memex_cursor_free(cursor);
  did.appended[4] = !SEEN(memex_thread_append(thread, make_large("{\"role\":\"user\",\"content\":\"part 4 ", "\"}"),
                                              MEMEX_NTS, NULL, 0, NULL, NULL));
  read_paged(thread);
  if (!SEEN(memex_thread_list(store, "{\"filter\":{\"metadata\":{\"a\":{\"exists\":true}}}}", MEMEX_NTS,
                              &cursor, NULL))) {
    SEEN(memex_cursor_next(cursor, &bytes, NULL));
    memex_bytes_free(&bytes);
  }
  memex_cursor_free(cursor);
  if (did.appended[0] && !SEEN(memex_message_at(thread, 1, &message, NULL))) {
    SEEN(memex_message_body(message, &bytes, NULL));
    memex_bytes_free(&bytes);
    did.replaced = !SEEN(memex_message_replace(message, "{\"role\":\"user\",\"content\":\"new\"}", MEMEX_NTS,
                                               NULL, 0, NULL));
    SEEN(memex_message_update_metadata(message, "{\"x\":2}", MEMEX_NTS, NULL, 0, NULL));
    SEEN(memex_message_json(message, &bytes, NULL));
    memex_bytes_free(&bytes);
  }
  memex_message_free(message);
  message = NULL;
  if (did.appended[2] && !SEEN(memex_message_open(thread, "long", 4, &message, NULL)))
    did.deleted = !SEEN(memex_message_delete(message, NULL, 0, NULL));
  memex_message_free(message);
  if (!SEEN(memex_txn_begin(store, NULL, 0, &txn, NULL))) {
    memex_thread *inside = NULL;
    int taken = 0;
    if (!SEEN(memex_thread_open(memex_txn_store(txn), "t", 1, &inside, NULL)))
      taken = !SEEN(memex_thread_append_text(inside, "user", 4, "part 3", 6, NULL, 0, NULL, NULL));
    memex_thread_free(inside);
    did.appended[3] = !SEEN(memex_txn_commit(txn, &bytes, NULL)) && taken;
    memex_bytes_free(&bytes);
  }
  int forked = !SEEN(memex_thread_fork(thread, "{\"id\":\"f\"}", MEMEX_NTS, &fork, NULL));
  if (forked) SEEN(memex_thread_append_text(fork, "user", 4, "forked", 6, NULL, 0, NULL, NULL));
  list_paged(store, 1 + forked);
  memex_thread_free(fork);
  SEEN(memex_store_command(store, "stats", MEMEX_NTS, NULL, 0, &bytes, NULL));
  memex_bytes_free(&bytes);
  SEEN(memex_describe(&bytes, NULL));
  memex_bytes_free(&bytes);
  SEEN(memex_thread_append(thread, "{\"role\":7", MEMEX_NTS, NULL, 0, NULL, &error) == MEMEX_E_NO_MEMORY
           ? MEMEX_E_NO_MEMORY
           : MEMEX_OK);
  memex_error_free(error);
  error = NULL;
out:
  memex_error_free(error);
  memex_thread_free(thread);
  if (store) SEEN(memex_store_close(store, NULL));
}

/* What was acknowledged is there, and nothing else. */
static void verify(const char *config) {
  memex_store *store = NULL;
  memex_thread *thread = NULL;
  memex_cursor *cursor = NULL;
  memex_bytes page = {NULL, 0};
  memex_error *error = NULL;
  memex_status status = memex_store_open(config, MEMEX_NTS, &store, &error);
  if (!EXPECT(status == MEMEX_OK, "it does not open afterwards: %s", memex_error_message(error))) return;
  status = memex_thread_open(store, "t", 1, &thread, NULL);
  EXPECT(did.created ? status == MEMEX_OK : status == MEMEX_E_NOT_FOUND, "the thread was %screated, and it is %s",
         did.created ? "" : "not ", memex_status_name(status));
  if (status == MEMEX_OK) {
    EXPECT_STATUS(memex_thread_messages(thread, NULL, 0, &cursor, NULL), MEMEX_OK);
    status = memex_cursor_next(cursor, &page, NULL);
    const char *text = page.data ? page.data : "";
    int deleted = did.deleted, replaced = did.replaced;
    EXPECT((strstr(text, "part 0") != NULL) == (did.appended[0] && !replaced), "part 0 in %s", text);
    EXPECT((strstr(text, "\"content\":\"new\"") != NULL) == replaced, "the new part 0 in %s", text);
    EXPECT((strstr(text, "\"mark\":\"part 1\"") != NULL) == did.appended[1] &&
               (strstr(text, "\"content\":\"part 1\"") != NULL) == did.appended[1],
           "part 1 in %s", text);
    EXPECT((strstr(text, "0123456789") != NULL) == (did.appended[2] && !deleted), "part 2 in %s", text);
    EXPECT((strstr(text, "part 3") != NULL) == did.appended[3], "part 3 in %s", text);
    EXPECT((strstr(text, "part 4") != NULL) == did.appended[4], "part 4 in %s", text);
    memex_bytes_free(&page);
    memex_cursor_free(cursor);
    EXPECT_STATUS(memex_thread_append_text(thread, "user", 4, "after", 5, NULL, 0, NULL, NULL), MEMEX_OK);
    memex_thread_free(thread);
  }
  EXPECT_STATUS(memex_store_command(store, "check", MEMEX_NTS, NULL, 0, &page, NULL), MEMEX_OK);
  EXPECT(page.data && strstr(page.data, "\"ok\":true"), "check says %s", page.data ? page.data : "");
  memex_bytes_free(&page);
  EXPECT_STATUS(memex_store_close(store, NULL), MEMEX_OK);
}

/* A number of allocations once the script got through, 0 when one of them failed. */
static long run(int with_file, long from, long count) {
  char config[500];
  if (with_file) abi_config(config, sizeof config, "oom.db", ",\"durability\":\"normal\"");
  else strcpy(config, "{\"url\":\"memory:oom\"}");
  /* A store that stays open keeps the memory one alive; the file must do without. */
  memex_store *keeper = NULL;
  if (!with_file) NEED(memex_store_open(config, MEMEX_NTS, &keeper, NULL) == MEMEX_OK);
  allocations = 0;
  fail_from = from;
  fail_until = count ? from + count : from;
  armed = 1;
  script(config);
  armed = 0;
  long reached = allocations;
  EXPECT(did.statuses[2] == 0, "%s is %s", did.where, memex_status_name(did.other));
  verify(config);
  if (keeper) EXPECT_STATUS(memex_store_close(keeper, NULL), MEMEX_OK);
  return reached;
}

/* ------------------------------------------------------------------------------------------- runs -- */

static long runs, crashes, refused;

/* Runs in a child; its failures are printed and counted there. */
static long run_apart(int with_file, long from, long count) {
  int ends[2], status = 0;
  long result[4] = {0, 0, 0, 0}; /* allocations, passed, failed, NO_MEMORY */
  NEED(pipe(ends) == 0);
  fflush(stdout);
  pid_t child = fork();
  NEED(child >= 0);
  if (child == 0) {
    static char now[80];
    close(ends[0]);
    snprintf(now, sizeof now, "%s, failing %ld to %ld", with_file ? "file" : "memory", from, from + count - 1);
    abi_passed = abi_failed = 0;
    abi_watch(now, 20);
    result[0] = run(with_file, from, count);
    result[1] = abi_passed;
    result[2] = abi_failed;
    result[3] = did.statuses[1];
    fflush(stdout);
    _exit(write(ends[1], result, sizeof result) == (ssize_t)sizeof result ? 0 : 9);
  }
  close(ends[1]);
  ssize_t got = read(ends[0], result, sizeof result);
  close(ends[0]);
  waitpid(child, &status, 0);
  if (with_file) abi_empty(abi_folder);
  runs++;
  if (got != (ssize_t)sizeof result || !WIFEXITED(status)) {
    crashes++;
    EXPECT(0, "%s, failing %ld to %ld: ended by signal %d", with_file ? "file" : "memory", from, from + count - 1,
           WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status));
    return LONG_MAX;
  }
  abi_passed += result[1];
  abi_failed += result[2];
  refused += result[3] > 0;
  return result[0];
}

int main(int argc, char **argv) {
  static const struct {
    int with_file;
    long count; /* fails so many in a row */
    long stride;
  } plans[] = {{0, 1, 1}, {0, 40, 7}, {0, 100000, 11}, {1, 1, 7}, {1, 40, 23}, {1, 100000, 37}};
  int all = getenv("MEMEX_OOM_ALL") != NULL;
  long start = (long)time(NULL); /* another part every time */
  /* Databases here test memory, not the disk. */
  if (!getenv("TMPDIR") && access("/dev/shm", W_OK) == 0) setenv("TMPDIR", "/dev/shm", 1);
  abi_make_folder();
  if (argc > 3) {
    printf("%ld allocations\n", run(atoi(argv[1]), atol(argv[2]), atol(argv[3])));
    return abi_finish();
  }
  for (size_t p = 0; p < sizeof plans / sizeof *plans; p++) {
    long total = run_apart(plans[p].with_file, 0, 0), stride = all ? 1 : plans[p].stride, before = runs;
    if (total == LONG_MAX) break;
    for (long n = 1 + start % stride; n <= total && crashes < 20; n += stride)
      run_apart(plans[p].with_file, n, plans[p].count);
    printf("%s: %ld allocations, %ld runs that fail %ld in a row\n", plans[p].with_file ? "file" : "memory", total,
           runs - before, plans[p].count);
  }
  printf("%ld runs, %ld of them with NO_MEMORY, %ld crashes\n", runs, refused, crashes);
  return abi_finish();
}
