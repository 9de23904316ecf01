/* kill -9 at random moments. Writer processes, each with several threads, append to conversations in one
   store (SQLite, or what MEMEX_TEST_ENGINE names) and tell the parent through a pipe what was acknowledged; the parent kills them, opens the
   file and looks: nothing acknowledged may be lost, no append be there by half, no seq missing or twice, and
   every body must be what its writer made.

     kill9 [CYCLES [SEED]]        200 cycles by default; MEMEX_KILL_CYCLES is asked, too

   At the end it turns itself red: writers that acknowledge before they append must be found out. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>

#include "abi_support.h"

enum { CONVERSATIONS = 4, THREADS_MAX = 4, PROCESSES_MAX = 3, CYCLES_A_FILE = 20, LARGE = 60000 };

/* What a writer says once an append came back with success. */
typedef struct acknowledgement {
  uint64_t nonce;
  int64_t first_seq; /* 0: by a transaction */
  uint32_t conversation;
  uint32_t count;
} acknowledgement;

/* ------------------------------------------------------------------------------------------ bodies -- */

/* The body of part k of n is a function of its nonce, so that a reader can tell whether it is intact. */
static size_t make_body(char *to, uint64_t nonce, unsigned k, unsigned n, char kind) {
  uint64_t state = nonce * 31 + k;
  uint64_t draw = next_random(&state);
  size_t padding = draw % 40 == 0 ? draw / 64 % LARGE : draw / 64 % 900;
  size_t at = (size_t)sprintf(to, "{\"role\":\"user\",\"content\":\"%c %016" PRIx64 " %u %u ", kind, nonce, k, n);
  while (padding--) to[at++] = (char)('a' + next_random(&state) % 26);
  memcpy(to + at, "\"}", 3);
  return at + 2;
}

enum { BODY_ROOM = LARGE + 200 };

/* ------------------------------------------------------------------------------------------ writer -- */

static struct {
  char config[500];
  int pipe_end, threads, early;
  uint64_t seed;
  memex_store *store;
} writer;

static void tell(const acknowledgement *a) {
  /* Below PIPE_BUF a write is whole or not there at all. */
  if (write(writer.pipe_end, a, sizeof *a) != (ssize_t)sizeof *a) _exit(3);
}

static void give_up(const char *what, memex_status status, memex_error *error) {
  fprintf(stderr, "FAIL a writer's %s: %s: %s\n", what, memex_status_name(status),
          memex_error_message(error));
  _exit(4);
}

static void append_transaction(uint64_t nonce, unsigned first, char *body) {
  memex_error *error = NULL;
  memex_txn *txn = NULL;
  memex_status status = memex_txn_begin(writer.store, NULL, 0, &txn, &error);
  acknowledgement a = {nonce, 0, first, 2};
  if (status) give_up("transaction", status, error);
  for (unsigned k = 0; k < 2; k++) {
    char id[8];
    memex_thread *thread = NULL;
    snprintf(id, sizeof id, "t%u", (first + k) % CONVERSATIONS);
    status = memex_thread_open(memex_txn_store(txn), id, MEMEX_NTS, &thread, &error);
    if (status) give_up("open in a transaction", status, error);
    status = memex_thread_append(thread, body, make_body(body, nonce, k, 2, 'x'), NULL, 0, NULL, &error);
    if (status) give_up("append in a transaction", status, error);
    memex_thread_free(thread);
  }
  if (writer.early) tell(&a);
  status = memex_txn_commit(txn, NULL, &error);
  if (status) give_up("commit", status, error);
  if (!writer.early) tell(&a);
}

static void *writer_thread(void *number) {
  uint64_t state = writer.seed + (uint64_t)(uintptr_t)number * UINT64_C(1000003);
  char *text = malloc((size_t)BODY_ROOM * 6);
  memex_thread *threads[CONVERSATIONS];
  memex_error *error = NULL;
  if (!text) _exit(5);
  for (int i = 0; i < CONVERSATIONS; i++) {
    char id[8], init[32];
    snprintf(id, sizeof id, "t%d", i);
    snprintf(init, sizeof init, "{\"id\":\"%s\"}", id);
    memex_status status = memex_thread_open(writer.store, id, MEMEX_NTS, &threads[i], NULL);
    if (status == MEMEX_E_NOT_FOUND) {
      status = memex_thread_create(writer.store, init, MEMEX_NTS, &threads[i], NULL);
      if (status == MEMEX_E_EXISTS) /* somebody was faster */
        status = memex_thread_open(writer.store, id, MEMEX_NTS, &threads[i], &error);
    }
    if (status) give_up("thread", status, error);
  }
  for (;;) {
    uint64_t nonce = next_random(&state), draw = next_random(&state);
    unsigned conversation = (unsigned)(draw % CONVERSATIONS);
    unsigned count = draw / 8 % 4 == 0 ? 2 + (unsigned)(draw / 64 % 4) : 1;
    acknowledgement a = {nonce, 0, conversation, count};
    memex_receipt receipt;
    memset(&receipt, 0, sizeof receipt);
    receipt.struct_size = sizeof receipt;
    if (draw / 32 % 10 == 0) {
      append_transaction(nonce, conversation, text);
      continue;
    }
    size_t at = 0;
    if (count > 1) text[at++] = '[';
    for (unsigned k = 0; k < count; k++) {
      if (k) text[at++] = ',';
      at += make_body(text + at, nonce, k, count, 'm');
    }
    if (count > 1) text[at++] = ']';
    if (writer.early) tell(&a);
    memex_status status =
        memex_thread_append(threads[conversation], text, at, NULL, 0, &receipt, &error);
    if (status) give_up("append", status, error);
    a.first_seq = receipt.first_seq;
    if (receipt.last_seq != receipt.first_seq + count - 1) give_up("receipt", status, error);
    if (!writer.early) tell(&a);
  }
  return NULL;
}

static int writer_main(char **arguments) {
  memex_error *error = NULL;
  pthread_t thread;
  snprintf(writer.config, sizeof writer.config, "%s", arguments[0]);
  writer.pipe_end = atoi(arguments[1]);
  writer.threads = atoi(arguments[2]);
  writer.seed = strtoull(arguments[3], NULL, 10);
  writer.early = atoi(arguments[4]);
  alarm(30); /* never outlive a parent that was stopped */
  memex_status status = memex_store_open(writer.config, MEMEX_NTS, &writer.store, &error);
  if (status) give_up("open", status, error);
  for (int i = 1; i < writer.threads; i++)
    if (pthread_create(&thread, NULL, writer_thread, (void *)(uintptr_t)i)) _exit(6);
  writer_thread(NULL);
  return 0;
}

/* ----------------------------------------------------------------------------------------- checker -- */

typedef struct stored {
  uint64_t nonce;
  uint32_t conversation, k, n;
  int64_t seq;
  char kind;
} stored;

static struct {
  acknowledgement *list;
  size_t count, room;
} acknowledged;
static struct {
  stored *list;
  size_t count, room;
} found;
static long long total_acknowledged, total_stored, lost, halves, gaps, damaged, kills;

static void *grown(void *list, size_t *room, size_t size) {
  *room = *room ? *room * 2 : 4096;
  list = realloc(list, *room * size);
  NEED(list);
  return list;
}

static int by_nonce(const void *a, const void *b) {
  const stored *x = a, *y = b;
  if (x->nonce != y->nonce) return x->nonce < y->nonce ? -1 : 1;
  return x->k < y->k ? -1 : x->k > y->k;
}

static uint32_t u32(const char *from) {
  uint32_t value;
  memcpy(&value, from, sizeof value);
  return value;
}

/* Takes a packed page apart; every body is compared with what its writer made. */
static void take_page(unsigned conversation, const memex_bytes *page, int64_t *next_seq, char *body) {
  uint32_t n = u32(page->data + 4);
  const char *seqs = page->data + 16, *lengths = seqs + (size_t)n * 32, *codes = lengths + (size_t)n * 4;
  const char *text = codes + n;
  NEED(memcmp(page->data, "MXP2", 4) == 0);
  for (uint32_t i = 0; i < n; i++) {
    stored s;
    int64_t seq;
    size_t length = u32(lengths + i * 4);
    memcpy(&seq, seqs + i * 8, sizeof seq);
    if (seq != *next_seq) {
      gaps++;
      EXPECT(0, "t%u: seq %" PRId64 " where %" PRId64 " was due", conversation, seq, *next_seq);
    }
    *next_seq = seq + 1;
    memset(&s, 0, sizeof s);
    /* Without the content's quotes, the packed layout gives the bare text. */
    int content_only = codes[i] != 0;
    const char *content = text + (content_only ? 0 : strlen("{\"role\":\"user\",\"content\":\""));
    int intact = sscanf(content, "%c %16" SCNx64 " %u %u", &s.kind, &s.nonce, &s.k, &s.n) == 4;
    if (intact) {
      size_t whole = make_body(body, s.nonce, s.k, s.n, s.kind);
      const char *wanted = body;
      if (content_only) {
        wanted += strlen("{\"role\":\"user\",\"content\":\"");
        whole -= strlen("{\"role\":\"user\",\"content\":\"") + 2;
      }
      intact = whole == length && memcmp(wanted, text, length) == 0;
    }
    if (!intact) {
      damaged++;
      EXPECT(0, "t%u: the body of seq %" PRId64 " is damaged", conversation, seq);
    }
    text += length + 1;
    s.conversation = conversation;
    s.seq = seq;
    if (found.count == found.room) found.list = grown(found.list, &found.room, sizeof *found.list);
    found.list[found.count++] = s;
  }
}

static void read_all(memex_store *store) {
  char *body = malloc(BODY_ROOM);
  memex_error *error = NULL;
  NEED(body);
  found.count = 0;
  for (unsigned c = 0; c < CONVERSATIONS; c++) {
    char id[8];
    memex_thread *thread = NULL;
    memex_cursor *cursor = NULL;
    memex_bytes page = {NULL, 0};
    int64_t next_seq = 1, count = 0;
    snprintf(id, sizeof id, "t%u", c);
    memex_status status = memex_thread_open(store, id, MEMEX_NTS, &thread, NULL);
    if (status == MEMEX_E_NOT_FOUND) continue;
    EXPECT_STATUS(status, MEMEX_OK);
    if (EXPECT_STATUS(memex_thread_messages(thread, "{\"layout\":\"packed\",\"page_size\":2000}", MEMEX_NTS,
                                            &cursor, &error),
                      MEMEX_OK)) {
      while ((status = memex_cursor_next(cursor, &page, &error)) == MEMEX_OK) {
        take_page(c, &page, &next_seq, body);
        memex_bytes_free(&page);
      }
      EXPECT_STATUS(status, MEMEX_DONE);
    }
    EXPECT_STATUS(memex_thread_count(thread, &count, NULL), MEMEX_OK);
    if (count != next_seq - 1) {
      gaps++;
      EXPECT(0, "t%u: count is %" PRId64 ", read were %" PRId64, c, count, next_seq - 1);
    }
    memex_error_free(error);
    error = NULL;
    memex_cursor_free(cursor);
    memex_thread_free(thread);
  }
  free(body);
  qsort(found.list, found.count, sizeof *found.list, by_nonce);
}

/* Halves and duplicates: every part of an append once, in a row, in its conversation. */
static void check_whole(void) {
  for (size_t i = 0; i < found.count;) {
    const stored *first = &found.list[i];
    size_t end = i;
    while (end < found.count && found.list[end].nonce == first->nonce) end++;
    int good = end - i == first->n;
    for (size_t j = i; good && j < end; j++) {
      const stored *s = &found.list[j];
      good = s->k == j - i && s->n == first->n && s->kind == first->kind;
      if (good && s->kind == 'm')
        good = s->conversation == first->conversation && s->seq == first->seq + (int64_t)s->k;
      else if (good)
        good = s->conversation == (first->conversation + s->k) % CONVERSATIONS;
    }
    if (!good) {
      halves++;
      EXPECT(0, "append %016" PRIx64 ": %zu of %u parts, or not in a row", first->nonce, end - i, first->n);
    }
    i = end;
  }
}

static void check_acknowledged(void) {
  for (size_t i = 0; i < acknowledged.count; i++) {
    const acknowledgement *a = &acknowledged.list[i];
    stored key, *s;
    memset(&key, 0, sizeof key);
    key.nonce = a->nonce;
    s = found.count ? bsearch(&key, found.list, found.count, sizeof key, by_nonce) : NULL;
    if (!s || s->n != a->count || s->conversation != a->conversation ||
        (a->first_seq && s->seq != a->first_seq)) {
      lost++;
      EXPECT(0, "append %016" PRIx64 " to t%u was acknowledged with seq %" PRId64 " and is %s", a->nonce,
             a->conversation, a->first_seq, s ? "elsewhere" : "lost");
    }
  }
}

/* ------------------------------------------------------------------------------------------- cycle -- */

typedef struct process {
  pid_t pid;
  int pipe_end;
  int64_t dies_at;
  int killed;
} process;

static void start_writer(process *p, const char *config, int threads, uint64_t seed, int early) {
  int ends[2];
  char number[3][24], flag[2] = {(char)('0' + early), 0};
  NEED(pipe(ends) == 0);
  p->pid = fork();
  NEED(p->pid >= 0);
  if (p->pid == 0) {
    close(ends[0]);
    snprintf(number[0], sizeof number[0], "%d", ends[1]);
    snprintf(number[1], sizeof number[1], "%d", threads);
    snprintf(number[2], sizeof number[2], "%" PRIu64, seed);
    char *arguments[] = {"kill9", "writer", (char *)config, number[0], number[1], number[2], flag, NULL};
    execv("/proc/self/exe", arguments);
    _exit(9);
  }
  close(ends[1]);
  p->pipe_end = ends[0];
  fcntl(p->pipe_end, F_SETFD, FD_CLOEXEC);
  fcntl(p->pipe_end, F_SETFL, O_NONBLOCK);
}

/* Reads what there is; 0 at the end. */
static int drain(process *p) {
  acknowledgement a;
  ssize_t n;
  while ((n = read(p->pipe_end, &a, sizeof a)) == (ssize_t)sizeof a) {
    if (acknowledged.count == acknowledged.room)
      acknowledged.list = grown(acknowledged.list, &acknowledged.room, sizeof a);
    acknowledged.list[acknowledged.count++] = a;
    total_acknowledged++;
  }
  NEED(n <= 0);
  return n < 0 && errno == EAGAIN;
}

static void run_cycle(const char *config, uint64_t *random, int early) {
  process list[PROCESSES_MAX];
  int count = 1 + (int)(next_random(random) % PROCESSES_MAX), alive = count;
  for (int i = 0; i < count; i++) {
    int threads = 1 + (int)(next_random(random) % THREADS_MAX);
    start_writer(&list[i], config, threads, next_random(random), early);
    list[i].dies_at = now_us() + 1000 + (int64_t)(next_random(random) % 149000);
    list[i].killed = 0;
  }
  while (alive) {
    struct pollfd polls[PROCESSES_MAX];
    int64_t wait = INT64_MAX;
    for (int i = 0; i < count; i++) {
      polls[i].fd = list[i].pipe_end;
      polls[i].events = POLLIN;
      int64_t left = list[i].dies_at - now_us();
      if (!list[i].killed && left <= 0) {
        int status = 0;
        kill(list[i].pid, SIGKILL);
        waitpid(list[i].pid, &status, 0);
        EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "a writer ended by itself (status %x)",
               status);
        kills++;
        list[i].killed = 1;
        while (drain(&list[i])) poll(&polls[i], 1, 10);
        close(list[i].pipe_end);
        list[i].pipe_end = polls[i].fd = -1;
        alive--;
      } else if (!list[i].killed && left < wait) {
        wait = left;
      }
    }
    if (!alive) break;
    struct timespec span = {(time_t)(wait / 1000000), (long)(wait % 1000000) * 1000};
    ppoll(polls, (nfds_t)count, &span, NULL);
    for (int i = 0; i < count; i++)
      if (!list[i].killed) drain(&list[i]);
  }
}

/* Read-only, so that the log stays for the next writers to check in, or as a user would open it. */
static void check_file(const char *name, int thorough) {
  char config[500];
  memex_store *store = NULL;
  memex_error *error = NULL;
  memex_bytes report = {NULL, 0};
  abi_config(config, sizeof config, name, thorough ? "" : ",\"read_only\":true");
  memex_status status = memex_store_open(config, MEMEX_NTS, &store, &error);
  int nothing = status == MEMEX_E_NOT_FOUND && !thorough && acknowledged.count == 0;
  EXPECT(status == MEMEX_OK || nothing, "it does not open: %s", error ? memex_error_message(error) : "");
  memex_error_free(error);
  if (status) return;
  read_all(store);
  check_whole();
  check_acknowledged();
  if (thorough) {
    EXPECT_STATUS(memex_store_command(store, "check", MEMEX_NTS, NULL, 0, &report, NULL), MEMEX_OK);
    EXPECT(report.data && strstr(report.data, "\"ok\":true"), "check says %s", report.data ? report.data : "");
    memex_bytes_free(&report);
  }
  EXPECT_STATUS(memex_store_close(store, NULL), MEMEX_OK);
}

/* Writers that say "stored" too early must turn the checks red. */
static int finds_liars(uint64_t *random) {
  char config[500];
  abi_config(config, sizeof config, "liars.db", "");
  long before_failed = abi_failed, before_passed = abi_passed;
  long long before_lost = lost, before_acknowledged = total_acknowledged, before_kills = kills;
  acknowledged.count = 0;
  if (!freopen("/dev/null", "w", stdout)) return 0;
  for (int i = 0; i < 20 && lost == before_lost; i++) {
    run_cycle(config, random, 1);
    check_file("liars.db", 0);
  }
  int seen = lost > before_lost;
  abi_failed = before_failed;
  abi_passed = before_passed;
  lost = before_lost;
  total_acknowledged = before_acknowledged;
  kills = before_kills;
  return seen;
}

static long size_of(const char *name, const char *ending) {
  char path[700];
  struct stat s;
  snprintf(path, sizeof path, "%s/%s%s", abi_folder, name, ending);
  return stat(path, &s) == 0 ? (long)s.st_size : 0;
}

int main(int argc, char **argv) {
  if (argc > 6 && strcmp(argv[1], "writer") == 0) return writer_main(argv + 2);
  const char *asked = argc > 1 ? argv[1] : getenv("MEMEX_KILL_CYCLES");
  int cycles = asked ? atoi(asked) : 200, good = 0;
  uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)time(NULL), random = seed;
  int64_t started = now_us();
  long largest_log = 0;
  char config[500], name[40];
  /* Results go to a copy of stdout, since the last check silences it. */
  FILE *out = fdopen(dup(STDOUT_FILENO), "w");
  NEED(out && cycles > 0);
  setvbuf(stdout, NULL, _IOLBF, 0);
  abi_make_folder();
  for (int cycle = 0; cycle < cycles; cycle++) {
    static char now[40];
    snprintf(now, sizeof now, "cycle %d, seed %" PRIu64, cycle, seed);
    abi_watch(now, 60);
    if (cycle % CYCLES_A_FILE == 0) {
      abi_empty(abi_folder);
      acknowledged.count = 0;
      snprintf(name, sizeof name, "kill%d.db", cycle);
    }
    abi_config(config, sizeof config, name, "");
    long failed = abi_failed;
    run_cycle(config, &random, 0);
    long log = size_of(name, "-wal");
    if (log > largest_log) largest_log = log;
    check_file(name, cycle % 5 == 4);
    if (cycle % CYCLES_A_FILE == CYCLES_A_FILE - 1 || cycle == cycles - 1) total_stored += (long long)found.count;
    good += abi_failed == failed;
    if (abi_failed > 20) break;
  }
  int sharp = finds_liars(&random);
  alarm(0);
  abi_remove_folder();
  fprintf(out,
          "%d cycles, %lld kills, %lld appends acknowledged, %lld messages stored, %lld lost, %lld halves, "
          "%lld gaps, %lld damaged, log up to %ld kB; false acknowledgements %s; seed %" PRIu64 ", %.0f s\n",
          cycles, kills, total_acknowledged, total_stored, lost, halves, gaps, damaged, largest_log / 1000,
          sharp ? "are found" : "are NOT found", seed, (double)(now_us() - started) / 1e6);
  fprintf(out, "%d passed, %d failed\n", good + sharp, cycles - good + !sharp);
  fclose(out);
  return good == cycles && sharp ? 0 : 1;
}
