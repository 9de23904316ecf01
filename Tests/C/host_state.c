/* What a library must leave alone in its host. Loads the library by dlopen and uses all of it, and compares
   before and after: signal dispositions and mask, locale, umask, working directory, environment, limits,
   floating-point control words, standard streams, number of threads. Then 100 loads and unloads, calls on a
   thread with a small stack, and exits while other threads are in calls. */
#include <dlfcn.h>
#include <locale.h>
#include <sys/resource.h>
#include <xmmintrin.h>

#include "memex.h"

static __typeof__(&memex_status_name) status_name;
#define ABI_STATUS_NAME status_name

#include "abi_support.h"

/* Every function that is used, found by name: this program is not linked with the library. */
#define FUNCTIONS(each)                                                                                     \
  each(memex_version_number) each(memex_describe) each(memex_bytes_free) each(memex_error_message)         \
  each(memex_error_details) each(memex_error_free) each(memex_store_open) each(memex_session_open)         \
  each(memex_store_close) each(memex_store_flush) each(memex_store_interrupt) each(memex_store_command)    \
  each(memex_txn_begin) each(memex_txn_store) each(memex_txn_commit) each(memex_txn_rollback)              \
  each(memex_thread_create) each(memex_thread_open) each(memex_thread_free) each(memex_thread_id)          \
  each(memex_thread_get) each(memex_thread_update) each(memex_thread_delete) each(memex_thread_fork)       \
  each(memex_thread_list) each(memex_thread_append) each(memex_thread_append_text)                         \
  each(memex_thread_messages) each(memex_thread_count) each(memex_message_open) each(memex_message_at)     \
  each(memex_message_free) each(memex_message_body) each(memex_message_json) each(memex_message_replace)   \
  each(memex_message_update_metadata) each(memex_message_delete) each(memex_cursor_next)                   \
  each(memex_cursor_token) each(memex_cursor_free)
#define EXTENSIONS(each)                                                                                    \
  each(memex_log_handler) each(memex_strategy_open) each(memex_strategy_free) each(memex_context_build)    \
  each(memex_context_build_messages) each(memex_register_backend) each(memex_register_strategy)            \
  each(memex_unregister) each(memex_reply_data) each(memex_reply_entry) each(memex_backend_check)

static struct {
#define FIELD(name) __typeof__(&name) name;
  FUNCTIONS(FIELD) EXTENSIONS(FIELD)
#undef FIELD
} m;

static void *load(void) {
  void *library = dlopen("libmemex.so.0", RTLD_NOW | RTLD_LOCAL);
  if (!library) printf("FAIL %s\n", dlerror());
  NEED(library);
  *(void **)&status_name = dlsym(library, "memex_status_name");
  NEED(status_name);
#define FIND(name)                                                                                         \
  *(void **)&m.name = dlsym(library, #name);                                                               \
  EXPECT(m.name != NULL, "there is no " #name);
  FUNCTIONS(FIND)
  EXTENSIONS(FIND)
#undef FIND
  return library;
}

/* ---------------------------------------------------------------------------------- state of a host -- */

extern char **environ;

typedef struct state {
  struct sigaction actions[65];
  sigset_t mask;
  char locale[400], folder[500], environment[20000];
  mode_t umask;
  struct rlimit limits[RLIM_NLIMITS];
  unsigned mxcsr;
  unsigned short x87;
  int threads, descriptors;
} state;

static int count_entries(const char *folder) {
  DIR *list = opendir(folder);
  int count = -3; /* ., .. and the descriptor of the list */
  NEED(list);
  while (readdir(list)) count++;
  closedir(list);
  return count;
}

static void take_state(state *s) {
  memset(s, 0, sizeof *s);
  for (int i = 1; i < 65; i++) sigaction(i, NULL, &s->actions[i]);
  sigprocmask(SIG_BLOCK, NULL, &s->mask);
  snprintf(s->locale, sizeof s->locale, "%s", setlocale(LC_ALL, NULL));
  NEED(getcwd(s->folder, sizeof s->folder));
  s->umask = umask(0);
  umask(s->umask);
  for (char **e = environ; *e; e++) {
    strncat(s->environment, *e, sizeof s->environment - strlen(s->environment) - 2);
    strcat(s->environment, "\n");
  }
  for (int i = 0; i < RLIM_NLIMITS; i++) getrlimit((__rlimit_resource_t)i, &s->limits[i]);
  s->mxcsr = _mm_getcsr() & 0xFFC0; /* without the sticky flags */
  __asm__ volatile("fnstcw %0" : "=m"(s->x87));
  s->threads = count_entries("/proc/self/task") + 1;
  s->descriptors = count_entries("/proc/self/fd");
}

static void compare_states(const state *a, const state *b, const char *when) {
  int signals = 0;
  for (int i = 1; i < 65; i++) {
    signals += a->actions[i].sa_handler != b->actions[i].sa_handler ||
               a->actions[i].sa_flags != b->actions[i].sa_flags;
    for (int j = 1; j < 65; j++)
      signals += sigismember(&a->actions[i].sa_mask, j) != sigismember(&b->actions[i].sa_mask, j);
  }
  EXPECT(signals == 0, "%s: %d signal dispositions changed", when, signals);
  EXPECT(memcmp(&a->mask, &b->mask, sizeof a->mask) == 0, "%s: the signal mask changed", when);
  EXPECT(strcmp(a->locale, b->locale) == 0, "%s: the locale is %s, was %s", when, b->locale, a->locale);
  EXPECT(strcmp(a->folder, b->folder) == 0, "%s: the folder is %s, was %s", when, b->folder, a->folder);
  EXPECT(a->umask == b->umask, "%s: the umask is %o, was %o", when, (unsigned)b->umask, (unsigned)a->umask);
  EXPECT(strcmp(a->environment, b->environment) == 0, "%s: the environment changed", when);
  EXPECT(memcmp(a->limits, b->limits, sizeof a->limits) == 0, "%s: a limit changed", when);
  EXPECT(a->mxcsr == b->mxcsr, "%s: mxcsr is %x, was %x", when, b->mxcsr, a->mxcsr);
  EXPECT(a->x87 == b->x87, "%s: the x87 control word is %x, was %x", when, b->x87, a->x87);
  EXPECT(b->threads == a->threads, "%s: %d threads, were %d", when, b->threads, a->threads);
}

/* ------------------------------------------------------------------------------------------ full use -- */

static int32_t keep_first(void *user_data, const char *input, size_t len, memex_reply *reply) {
  (void)user_data, (void)input, (void)len;
  m.memex_reply_data(reply, "{\"keep\":[1]}", 12);
  return MEMEX_CALLBACK_OK;
}

static void take_line(void *user_data, int32_t level, const char *text, size_t len) {
  (void)user_data, (void)level, (void)text, (void)len;
}

static void drop(memex_bytes *bytes) { m.memex_bytes_free(bytes); }

/* {"role":"user","content":"x","deep":[[[...]]]}: nested as deep as is allowed. */
static char *deep_body(int levels, char *to) {
  char *at = to + sprintf(to, "{\"role\":\"user\",\"content\":\"deep\",\"deep\":");
  for (int i = 1; i < levels; i++) *at++ = '[';
  *at++ = '1';
  for (int i = 1; i < levels; i++) *at++ = ']';
  *at++ = '}';
  *at = 0;
  return to;
}

static void use_all(const char *config) {
  memex_store *store = NULL, *session = NULL;
  memex_thread *thread = NULL, *fork = NULL, *inside = NULL;
  memex_message *message = NULL;
  memex_cursor *cursor = NULL;
  memex_txn *txn = NULL;
  memex_bytes bytes = {NULL, 0};
  memex_error *error = NULL;
  memex_receipt receipt;
  int64_t count = 0;
  char deep[600];
  memset(&receipt, 0, sizeof receipt);
  receipt.struct_size = sizeof receipt;
  if (m.memex_log_handler)
    EXPECT_STATUS(m.memex_log_handler(MEMEX_LOG_DEBUG, take_line, NULL, NULL, NULL), MEMEX_OK);
  EXPECT_STATUS(m.memex_describe(&bytes, NULL), MEMEX_OK);
  drop(&bytes);
  NEED(m.memex_store_open(config, MEMEX_NTS, &store, &error) == MEMEX_OK);
  EXPECT_STATUS(m.memex_session_open(store, "{\"tenant\":\"acme\"}", MEMEX_NTS, &session, NULL), MEMEX_OK);
  EXPECT_STATUS(m.memex_thread_create(session, "{\"metadata\":{\"a\":1.5e300}}", MEMEX_NTS, &thread, NULL), MEMEX_OK);
  EXPECT(m.memex_thread_id(thread) != NULL, "no id");
  EXPECT_STATUS(m.memex_thread_append_text(thread, "system", 6, "Be kind.", 8, NULL, 0, NULL, NULL), MEMEX_OK);
  EXPECT_STATUS(m.memex_thread_append(thread, deep_body(128, deep), MEMEX_NTS, "{\"id\":\"m\",\"idempotency_key\":\"k\"}",
                                      MEMEX_NTS, &receipt, NULL),
                MEMEX_OK);
  EXPECT_STATUS(m.memex_thread_append(thread, deep_body(129, deep), MEMEX_NTS, NULL, 0, NULL, &error),
                MEMEX_E_LIMIT);
  m.memex_error_free(error);
  EXPECT_STATUS(m.memex_thread_append(thread, "{\"role\":\"user\",\"content\":\"1e400 \xc3\xa4\",\"n\":-1.25e-7}",
                                      MEMEX_NTS, "{\"metadata\":{\"n\":0.1}}", MEMEX_NTS, &receipt, NULL),
                MEMEX_OK);
  EXPECT_STATUS(m.memex_thread_get(thread, &bytes, NULL), MEMEX_OK);
  drop(&bytes);
  EXPECT_STATUS(m.memex_thread_update(thread, "{\"title\":\"T\",\"metadata\":{\"b\":2.5}}", MEMEX_NTS, NULL, 0, &bytes,
                                      NULL),
                MEMEX_OK);
  drop(&bytes);
  EXPECT_STATUS(m.memex_thread_fork(thread, NULL, 0, &fork, NULL), MEMEX_OK);
  EXPECT_STATUS(m.memex_thread_list(session, "{\"filter\":{\"metadata\":{\"b\":{\"gt\":2}}}}", MEMEX_NTS, &cursor,
                                    NULL),
                MEMEX_OK);
  EXPECT_STATUS(m.memex_cursor_token(cursor, &bytes, NULL), MEMEX_OK);
  EXPECT(bytes.len > 0, "no token before the first page");
  drop(&bytes);
  EXPECT(m.memex_cursor_next(cursor, &bytes, NULL) >= 0, "no page");
  drop(&bytes);
  m.memex_cursor_free(cursor);
  for (int i = 0; i < 3; i++) {
    static const char *const layouts[] = {"{\"layout\":\"json\"}", "{\"layout\":\"bodies\"}", "{\"layout\":\"packed\"}"};
    EXPECT_STATUS(m.memex_thread_messages(fork, layouts[i], MEMEX_NTS, &cursor, NULL), MEMEX_OK);
    EXPECT_STATUS(m.memex_cursor_next(cursor, &bytes, NULL), MEMEX_OK);
    drop(&bytes);
    EXPECT_STATUS(m.memex_cursor_token(cursor, &bytes, NULL), MEMEX_OK);
    drop(&bytes);
    m.memex_cursor_free(cursor);
  }
  EXPECT_STATUS(m.memex_thread_count(fork, &count, NULL), MEMEX_OK);
  EXPECT_STATUS(m.memex_message_open(thread, "m", 1, &message, NULL), MEMEX_OK);
  EXPECT_STATUS(m.memex_message_body(message, &bytes, NULL), MEMEX_OK);
  drop(&bytes);
  EXPECT_STATUS(m.memex_message_json(message, &bytes, NULL), MEMEX_OK);
  drop(&bytes);
  EXPECT_STATUS(m.memex_message_replace(message, deep_body(128, deep), MEMEX_NTS, NULL, 0, NULL), MEMEX_OK);
  EXPECT_STATUS(m.memex_message_update_metadata(message, "{\"x\":{\"y\":[1,2]}}", MEMEX_NTS, NULL, 0, NULL), MEMEX_OK);
  EXPECT_STATUS(m.memex_message_delete(message, NULL, 0, NULL), MEMEX_OK);
  m.memex_message_free(message);
  EXPECT_STATUS(m.memex_txn_begin(session, NULL, 0, &txn, NULL), MEMEX_OK);
  EXPECT_STATUS(m.memex_thread_create(m.memex_txn_store(txn), NULL, 0, &inside, NULL), MEMEX_OK);
  EXPECT_STATUS(m.memex_thread_append_text(inside, "user", 4, "x", 1, NULL, 0, NULL, NULL), MEMEX_OK);
  m.memex_thread_free(inside);
  EXPECT_STATUS(m.memex_txn_commit(txn, &bytes, NULL), MEMEX_OK);
  drop(&bytes);
  if (m.memex_context_build) {
    memex_strategy *strategy = NULL;
    EXPECT_STATUS(m.memex_context_build(thread, NULL, "{\"max_tokens\":1000}", MEMEX_NTS, &bytes, NULL), MEMEX_OK);
    drop(&bytes);
    EXPECT_STATUS(m.memex_register_strategy("host-keep", MEMEX_NTS, keep_first, NULL, NULL, NULL), MEMEX_OK);
    EXPECT_STATUS(m.memex_strategy_open("[{\"type\":\"host-keep\"},{\"type\":\"fifo\",\"last\":2}]", MEMEX_NTS, &strategy,
                                        NULL),
                  MEMEX_OK);
    EXPECT_STATUS(m.memex_context_build(thread, strategy, NULL, 0, &bytes, NULL), MEMEX_OK);
    drop(&bytes);
    EXPECT_STATUS(m.memex_context_build_messages(strategy, "[{\"role\":\"user\",\"content\":\"a\"}]", MEMEX_NTS, NULL, 0,
                                                 &bytes, NULL),
                  MEMEX_OK);
    drop(&bytes);
    m.memex_strategy_free(strategy);
    EXPECT_STATUS(m.memex_unregister("strategy", MEMEX_NTS, "host-keep", MEMEX_NTS, NULL), MEMEX_OK);
  }
  EXPECT_STATUS(m.memex_thread_delete(session, m.memex_thread_id(fork), MEMEX_NTS, "{\"erase\":true}", MEMEX_NTS,
                                      NULL),
                MEMEX_OK);
  m.memex_thread_free(fork);
  m.memex_thread_free(thread);
  EXPECT_STATUS(m.memex_store_interrupt(store, NULL), MEMEX_OK);
  EXPECT_STATUS(m.memex_store_flush(store, NULL), MEMEX_OK);
  for (int i = 0; i < 3; i++) {
    static const char *const commands[] = {"stats", "check", "maintain"};
    EXPECT_STATUS(m.memex_store_command(store, commands[i], MEMEX_NTS, NULL, 0, &bytes, NULL), MEMEX_OK);
    drop(&bytes);
  }
  EXPECT_STATUS(m.memex_store_close(session, NULL), MEMEX_OK);
  EXPECT_STATUS(m.memex_store_close(store, NULL), MEMEX_OK);
  if (m.memex_log_handler) EXPECT_STATUS(m.memex_log_handler(MEMEX_LOG_ERROR, NULL, NULL, NULL, NULL), MEMEX_OK);
}

static char sqlite_config[500];

static void use_all_stores(void) {
  use_all("{\"url\":\"memory:\"}");
  use_all("{\"url\":\"memory:shared\"}");
  use_all("{\"url\":\"sqlite::memory:\"}");
  use_all(sqlite_config);
}

/* ------------------------------------------------------------------------------------------- threads -- */

static void *use_on_small_stack(void *unused) {
  (void)unused;
  use_all_stores();
  return NULL;
}

static void small_stack(size_t size) {
  pthread_attr_t attributes;
  pthread_t thread;
  pthread_attr_init(&attributes);
  NEED(pthread_attr_setstacksize(&attributes, size) == 0);
  NEED(pthread_create(&thread, &attributes, use_on_small_stack, NULL) == 0);
  pthread_join(thread, NULL);
  pthread_attr_destroy(&attributes);
}

static void *append_for_ever(void *config) {
  memex_store *store = NULL;
  memex_thread *thread = NULL;
  if (m.memex_store_open(config, MEMEX_NTS, &store, NULL) ||
      m.memex_thread_create(store, NULL, 0, &thread, NULL))
    return NULL;
  for (;;) {
    memex_bytes bytes = {NULL, 0};
    m.memex_thread_append_text(thread, "user", 4, "in flight", 9, NULL, 0, NULL, NULL);
    m.memex_thread_get(thread, &bytes, NULL);
    drop(&bytes);
  }
}

/* How a process ends while four of its threads are in calls: 0 exit, 1 return of main's thread, 2 _exit. */
static void exit_in_flight(int how) {
  int status = 0;
  fflush(stdout);
  pid_t child = fork();
  NEED(child >= 0);
  if (child == 0) {
    pthread_t thread;
    alarm(10);
    for (int i = 0; i < 4; i++)
      if (pthread_create(&thread, NULL, append_for_ever, sqlite_config)) _exit(9);
    sleep_us(15000 + how * 4000);
    if (how % 2) _exit(0);
    exit(0);
  }
  waitpid(child, &status, 0);
  EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0, "exit with calls in flight ended with %s %d",
         WIFSIGNALED(status) ? "signal" : "status", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

/* An argument is a stack size in KiB to try beyond what must work. */
int main(int argc, char **argv) {
  static state before, loaded, used, after;
  const char *locale = setlocale(LC_ALL, "C.UTF-8"); /* not the default, so that a reset shows */
  abi_make_folder();
  abi_config(sqlite_config, sizeof sqlite_config, "host.db", "");
  EXPECT(locale != NULL, "no locale C.UTF-8");
  umask(027);
  /* Flush to zero and rounding towards it, as in hosts that compute. */
  unsigned short control = 0x0F7F;
  _mm_setcsr(_mm_getcsr() | 0xE000);
  __asm__ volatile("fldcw %0" : : "m"(control));
  signal(SIGPIPE, SIG_IGN);
  signal(SIGUSR1, abi_bark);
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGUSR2);
  sigprocmask(SIG_BLOCK, &mask, NULL);

  abi_watch("the host's state", 60);
  take_state(&before);
  void *library = load();
  take_state(&loaded);
  compare_states(&before, &loaded, "after loading");
  use_all_stores();
  take_state(&used);
  compare_states(&before, &used, "after full use");
  EXPECT(used.descriptors == loaded.descriptors, "%d descriptors are open, %d were", used.descriptors,
         loaded.descriptors);
  dlclose(library);
  take_state(&after);
  compare_states(&before, &after, "after dlclose");

  abi_watch("100 loads and unloads", 60);
  for (int i = 0; i < 100; i++) {
    library = dlopen("libmemex.so.0", RTLD_NOW | RTLD_LOCAL);
    NEED(library);
    memex_store *store = NULL;
    NEED(m.memex_store_open("{\"url\":\"memory:\"}", MEMEX_NTS, &store, NULL) == MEMEX_OK);
    EXPECT(dlsym(library, "memex_store_open") != NULL, "round %d: no memex_store_open", i);
    EXPECT_STATUS(m.memex_store_close(store, NULL), MEMEX_OK);
    EXPECT(dlclose(library) == 0, "round %d: dlclose failed", i);
  }
  take_state(&after);
  compare_states(&before, &after, "after 100 rounds");
  library = load();

  abi_watch("a thread with a stack of 256 KiB", 60);
  small_stack(256 << 10);
  if (argc > 1) {
    abi_watch("a thread with the stack that was asked for", 60);
    small_stack((size_t)atoi(argv[1]) << 10);
  }

  abi_watch("exit with calls in flight", 120);
  for (int i = 0; i < 20; i++) exit_in_flight(i % 4);
  memex_store *store = NULL;
  memex_bytes report = {NULL, 0};
  EXPECT_STATUS(m.memex_store_open(sqlite_config, MEMEX_NTS, &store, NULL), MEMEX_OK);
  EXPECT_STATUS(m.memex_store_command(store, "check", MEMEX_NTS, NULL, 0, &report, NULL), MEMEX_OK);
  EXPECT(report.data && strstr(report.data, "\"ok\":true"), "check says %s", report.data ? report.data : "");
  drop(&report);
  EXPECT_STATUS(m.memex_store_close(store, NULL), MEMEX_OK);
  take_state(&after);
  compare_states(&before, &after, "at the end");
  (void)argv;
  return abi_finish();
}
