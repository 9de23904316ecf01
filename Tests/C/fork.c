/* fork under load: eight threads append to a store in files while the process forks again and again. In the
   child every inherited handle answers FORKED and can be freed; the child opens a store of its own and
   appends; the parent notices nothing; in the end every seq is there once. */
#include "abi_support.h"

#include <fcntl.h>
#include <sys/file.h>

enum { THREADS = 8, FORKS = 40, CHILD_APPENDS = 5, ROOM = 500 };

static char config[ROOM];
static memex_store *store, *session;
static memex_txn *txn;
static memex_thread *thread;
static memex_message *message;
static memex_cursor *cursor;
static memex_error *old_error;
static volatile int stopped;
static int64_t appended[THREADS];

static void *append_until_stopped(void *which) {
  int64_t *count = which;
  char text[64];
  while (!stopped) {
    snprintf(text, sizeof text, "parent %d %" PRId64, (int)(count - appended), *count);
    memex_error *error = NULL;
    memex_status status =
        memex_thread_append_text(thread, "user", MEMEX_NTS, text, MEMEX_NTS, NULL, 0, NULL, &error);
    if (!EXPECT(status == MEMEX_OK, "append in the parent: %s: %s", memex_status_name(status),
                memex_error_message(error))) {
      memex_error_free(error);
      break;
    }
    ++*count;
  }
  return NULL;
}

/* Every kind of handle that came over, in calls that need it. */
static void expect_forked(void) {
  memex_bytes bytes = {NULL, 0};
  memex_thread *made = NULL;
  memex_store *narrow = NULL;
  memex_cursor *list = NULL;
  memex_error *error = NULL;
  int64_t count = 0;
  EXPECT_STATUS(memex_thread_append_text(thread, "user", 4, "child", 5, NULL, 0, NULL, &error), MEMEX_E_FORKED);
  EXPECT(error && memex_error_code(error) == MEMEX_E_FORKED && strstr(memex_error_message(error), "fork"),
         "the error says %s", memex_error_message(error));
  memex_error_free(error);
  EXPECT_STATUS(memex_thread_count(thread, &count, NULL), MEMEX_E_FORKED);
  EXPECT_STATUS(memex_thread_get(thread, &bytes, NULL), MEMEX_E_FORKED);
  EXPECT_STATUS(memex_thread_messages(thread, NULL, 0, &list, NULL), MEMEX_E_FORKED);
  EXPECT_STATUS(memex_thread_create(store, NULL, 0, &made, NULL), MEMEX_E_FORKED);
  EXPECT_STATUS(memex_thread_open(session, "t", 1, &made, NULL), MEMEX_E_FORKED);
  EXPECT_STATUS(memex_session_open(store, NULL, 0, &narrow, NULL), MEMEX_E_FORKED);
  EXPECT_STATUS(memex_store_flush(store, NULL), MEMEX_E_FORKED);
  EXPECT_STATUS(memex_store_interrupt(store, NULL), MEMEX_E_FORKED);
  EXPECT_STATUS(memex_message_body(message, &bytes, NULL), MEMEX_E_FORKED);
  EXPECT_STATUS(memex_cursor_next(cursor, &bytes, NULL), MEMEX_E_FORKED);
  EXPECT(memex_txn_store(txn) == NULL, "memex_txn_store gives something");
  EXPECT_STATUS(memex_txn_commit(txn, NULL, NULL), MEMEX_E_FORKED);
  EXPECT(memex_thread_id(thread) == NULL, "memex_thread_id gives something");
  EXPECT_STATUS(memex_store_close(store, NULL), MEMEX_E_FORKED);
  memex_thread_free(thread);
  memex_message_free(message);
  memex_cursor_free(cursor);
  memex_error_free(old_error);
  memex_txn_rollback(txn);
}

/* What a child does with a store of its own. */
static void own_store(int number) {
  memex_store *mine = NULL;
  memex_thread *open = NULL;
  memex_error *error = NULL;
  char text[64];
  int64_t count = 0;
  memex_status status = memex_store_open(config, MEMEX_NTS, &mine, &error);
  if (!EXPECT(status == MEMEX_OK, "open in the child: %s: %s", memex_status_name(status),
              memex_error_message(error)))
    return;
  EXPECT_STATUS(memex_thread_open(mine, "t", 1, &open, NULL), MEMEX_OK);
  for (int i = 0; i < CHILD_APPENDS; i++) {
    snprintf(text, sizeof text, "child %d %d", number, i);
    status = memex_thread_append_text(open, "user", 4, text, MEMEX_NTS, NULL, 0, NULL, &error);
    EXPECT(status == MEMEX_OK, "append in the child: %s: %s", memex_status_name(status),
           memex_error_message(error));
  }
  EXPECT_STATUS(memex_thread_count(open, &count, NULL), MEMEX_OK);
  EXPECT(count >= CHILD_APPENDS, "%" PRId64 " messages", count);
  memex_thread_free(open);
  EXPECT_STATUS(memex_store_close(mine, NULL), MEMEX_OK);
}

/* Text in packed pages, in any order: which messages are there. */
static void check_file(int64_t children) {
  static unsigned char seen_child[FORKS][CHILD_APPENDS];
  memex_store *mine = NULL;
  memex_thread *open = NULL;
  memex_cursor *list = NULL;
  memex_bytes page = {NULL, 0};
  memset(seen_child, 0, sizeof seen_child);
  int64_t next_seq = 1, parents = 0, kids = 0, wanted = 0, next_of[THREADS] = {0};
  memex_status status;
  EXPECT_STATUS(memex_store_open(config, MEMEX_NTS, &mine, NULL), MEMEX_OK);
  EXPECT_STATUS(memex_thread_open(mine, "t", 1, &open, NULL), MEMEX_OK);
  EXPECT_STATUS(memex_thread_messages(open, "{\"page_size\":1000}", MEMEX_NTS, &list, NULL), MEMEX_OK);
  while ((status = memex_cursor_next(list, &page, NULL)) == MEMEX_OK) {
    const char *at = page.data;
    while ((at = strstr(at, "\"seq\":"))) {
      int64_t seq = strtoll(at + 6, NULL, 10);
      if (seq != next_seq) EXPECT(0, "seq %" PRId64 " where %" PRId64 " was due", seq, next_seq);
      next_seq = seq + 1;
      at = strstr(at, "\"body\":");
      NEED(at);
      int who = 0, child = 0;
      long long number = 0;
      if (sscanf(at, "\"body\":{\"role\":\"user\",\"content\":\"parent %d %lld", &who, &number) == 2) {
        parents++;
        if (who < 0 || who >= THREADS || number != next_of[who]++)
          EXPECT(0, "message %lld of thread %d is out of order", number, who);
      } else if (sscanf(at, "\"body\":{\"role\":\"user\",\"content\":\"child %d %lld", &child, &number) == 2) {
        kids++;
        if (child < 0 || child >= FORKS || number < 0 || number >= CHILD_APPENDS || seen_child[child][number]++)
          EXPECT(0, "message %lld of child %d is there twice", number, child);
      }
    }
    memex_bytes_free(&page);
  }
  EXPECT_STATUS(status, MEMEX_DONE);
  for (int i = 0; i < THREADS; i++) wanted += appended[i];
  EXPECT(parents == wanted, "%" PRId64 " messages of the parent, %" PRId64 " were acknowledged", parents, wanted);
  EXPECT(kids == children * CHILD_APPENDS, "%" PRId64 " messages of %" PRId64 " children", kids, children);
  EXPECT(next_seq - 2 == parents + kids, "the last seq is %" PRId64, next_seq - 1);
  EXPECT_STATUS(memex_store_command(mine, "check", MEMEX_NTS, NULL, 0, &page, NULL), MEMEX_OK);
  EXPECT(page.data && strstr(page.data, "\"ok\":true"), "check says %s", page.data ? page.data : "");
  memex_bytes_free(&page);
  memex_cursor_free(list);
  memex_thread_free(open);
  EXPECT_STATUS(memex_store_close(mine, NULL), MEMEX_OK);
  printf("%" PRId64 " messages of 8 threads and %" PRId64 " of %d children, one after another\n", parents, kids,
         (int)children);
}

static void run(const char *durability) {
  pthread_t threads[THREADS];
  int64_t good = 0;
  char more[64];
  snprintf(more, sizeof more, ",\"durability\":\"%s\",\"timeout_us\":10000000", durability);
  abi_config(config, sizeof config, durability, more);
  EXPECT_STATUS(memex_store_open(config, MEMEX_NTS, &store, NULL), MEMEX_OK);
  EXPECT_STATUS(memex_session_open(store, "{\"tenant\":\"x\"}", MEMEX_NTS, &session, NULL), MEMEX_OK);
  EXPECT_STATUS(memex_thread_create(store, "{\"id\":\"t\"}", MEMEX_NTS, &thread, NULL), MEMEX_OK);
  EXPECT_STATUS(memex_thread_append_text(thread, "system", 6, "first", 5, NULL, 0, NULL, NULL), MEMEX_OK);
  EXPECT_STATUS(memex_message_at(thread, 1, &message, NULL), MEMEX_OK);
  EXPECT_STATUS(memex_thread_messages(thread, NULL, 0, &cursor, NULL), MEMEX_OK);
  EXPECT_STATUS(memex_txn_begin(store, NULL, 0, &txn, NULL), MEMEX_OK);
  EXPECT_STATUS(memex_thread_append(thread, "{", 1, NULL, 0, NULL, &old_error), MEMEX_E_INVALID);
  stopped = 0;
  memset(appended, 0, sizeof appended);
  for (int i = 0; i < THREADS; i++)
    NEED(pthread_create(&threads[i], NULL, append_until_stopped, &appended[i]) == 0);
  for (int i = 0; i < FORKS; i++) {
    int status = 0;
    sleep_us(1000 + (int64_t)i * 150);
    fflush(stdout);
    pthread_mutex_lock(&abi_lock); /* the child prints, too */
    pid_t child = fork();
    pthread_mutex_unlock(&abi_lock);
    NEED(child >= 0);
    if (child == 0) {
      abi_failed = 0;
      abi_watch("in the child", 15);
      expect_forked();
      own_store(i);
      expect_forked();
      fflush(stdout);
      _exit(abi_failed ? 1 : 0);
    }
    waitpid(child, &status, 0);
    if (EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0, "child %d ended with %s %d", i,
               WIFSIGNALED(status) ? "signal" : "status",
               WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status)))
      good++;
    if (i - good > 3) break;
  }
  stopped = 1;
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  memex_txn_rollback(txn);
  memex_message_free(message);
  memex_cursor_free(cursor);
  memex_error_free(old_error);
  memex_thread_free(thread);
  EXPECT_STATUS(memex_store_close(session, NULL), MEMEX_OK);
  EXPECT_STATUS(memex_store_close(store, NULL), MEMEX_OK);
  check_file(good);
}

/* The child has its own store while the parent closes the last one it has: what the child stored before and
   stores after must stay. */
static void run_parent_closes_first(void) {
  int to_parent[2], to_child[2], status = 0;
  char byte = 0;
  memex_thread *open = NULL;
  int64_t count = 0;
  abi_config(config, sizeof config, "order.db", "");
  NEED(pipe(to_parent) == 0 && pipe(to_child) == 0);
  EXPECT_STATUS(memex_store_open(config, MEMEX_NTS, &store, NULL), MEMEX_OK);
  EXPECT_STATUS(memex_thread_create(store, "{\"id\":\"t\"}", MEMEX_NTS, &open, NULL), MEMEX_OK);
  EXPECT_STATUS(memex_thread_append_text(open, "user", 4, "before", 6, NULL, 0, NULL, NULL), MEMEX_OK);
  fflush(stdout);
  pid_t child = fork();
  NEED(child >= 0);
  if (child == 0) {
    memex_store *mine = NULL;
    memex_thread *mine_open = NULL;
    abi_failed = 0;
    abi_watch("in the child whose parent closes first", 20);
    EXPECT_STATUS(memex_store_open(config, MEMEX_NTS, &mine, NULL), MEMEX_OK);
    EXPECT_STATUS(memex_thread_open(mine, "t", 1, &mine_open, NULL), MEMEX_OK);
    for (int i = 0; i < 5; i++)
      EXPECT_STATUS(memex_thread_append_text(mine_open, "user", 4, "child", 5, NULL, 0, NULL, NULL), MEMEX_OK);
    NEED(write(to_parent[1], "a", 1) == 1 && read(to_child[0], &byte, 1) == 1);
    EXPECT_STATUS(memex_thread_count(mine_open, &count, NULL), MEMEX_OK);
    EXPECT(count == 7, "the child sees %" PRId64 " of 7 messages", count);
    for (int i = 0; i < 5; i++)
      EXPECT_STATUS(memex_thread_append_text(mine_open, "user", 4, "child", 5, NULL, 0, NULL, NULL), MEMEX_OK);
    fflush(stdout);
    _exit(abi_failed ? 1 : 0); /* without a close, as a child may end */
  }
  NEED(read(to_parent[0], &byte, 1) == 1);
  EXPECT_STATUS(memex_store_close(store, NULL), MEMEX_OK);
  memex_thread_free(open);
  EXPECT_STATUS(memex_store_open(config, MEMEX_NTS, &store, NULL), MEMEX_OK);
  EXPECT_STATUS(memex_thread_open(store, "t", 1, &open, NULL), MEMEX_OK);
  EXPECT_STATUS(memex_thread_append_text(open, "user", 4, "again", 5, NULL, 0, NULL, NULL), MEMEX_OK);
  memex_thread_free(open);
  EXPECT_STATUS(memex_store_close(store, NULL), MEMEX_OK);
  NEED(write(to_child[1], "b", 1) == 1);
  waitpid(child, &status, 0);
  EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child ended with %x", status);
  EXPECT_STATUS(memex_store_open(config, MEMEX_NTS, &store, NULL), MEMEX_OK);
  EXPECT_STATUS(memex_thread_open(store, "t", 1, &open, NULL), MEMEX_OK);
  EXPECT_STATUS(memex_thread_count(open, &count, NULL), MEMEX_OK);
  EXPECT(count == 12, "%" PRId64 " of 12 messages are left", count);
  memex_thread_free(open);
  EXPECT_STATUS(memex_store_close(store, NULL), MEMEX_OK);
}

/* memory:NAME is of one process: the child's store of that name is new, and the parent's stays. */
static void run_memory(void) {
  int status = 0;
  memex_thread *open = NULL;
  int64_t count = 0;
  EXPECT_STATUS(memex_store_open("{\"url\":\"memory:shared\"}", MEMEX_NTS, &store, NULL), MEMEX_OK);
  EXPECT_STATUS(memex_thread_create(store, "{\"id\":\"t\"}", MEMEX_NTS, &open, NULL), MEMEX_OK);
  EXPECT_STATUS(memex_thread_append_text(open, "user", 4, "before", 6, NULL, 0, NULL, NULL), MEMEX_OK);
  fflush(stdout);
  pid_t child = fork();
  NEED(child >= 0);
  if (child == 0) {
    memex_store *mine = NULL;
    memex_thread *mine_open = NULL;
    abi_failed = 0;
    abi_watch("in the child with memory:shared", 20);
    EXPECT_STATUS(memex_store_open("{\"url\":\"memory:shared\",\"create\":false}", MEMEX_NTS, &mine, NULL),
                  MEMEX_E_NOT_FOUND);
    EXPECT_STATUS(memex_store_open("{\"url\":\"memory:shared\"}", MEMEX_NTS, &mine, NULL), MEMEX_OK);
    EXPECT_STATUS(memex_thread_open(mine, "t", 1, &mine_open, NULL), MEMEX_E_NOT_FOUND);
    EXPECT_STATUS(memex_thread_create(mine, "{\"id\":\"t\"}", MEMEX_NTS, &mine_open, NULL), MEMEX_OK);
    EXPECT_STATUS(memex_store_close(mine, NULL), MEMEX_OK);
    fflush(stdout);
    _exit(abi_failed ? 1 : 0);
  }
  waitpid(child, &status, 0);
  EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child ended with %x", status);
  EXPECT_STATUS(memex_thread_count(open, &count, NULL), MEMEX_OK);
  EXPECT(count == 1, "%" PRId64 " messages are left", count);
  memex_thread_free(open);
  EXPECT_STATUS(memex_store_close(store, NULL), MEMEX_OK);
}

static void *open_and_wait(void *done) {
  memex_store *opened = NULL;
  EXPECT_STATUS(memex_store_open(config, MEMEX_NTS, &opened, NULL), MEMEX_OK);
  __atomic_store_n((int *)done, 1, __ATOMIC_SEQ_CST);
  EXPECT_STATUS(memex_store_close(opened, NULL), MEMEX_OK);
  return NULL;
}

/* A thread waits to open a file whose writers' lock another holds: fork() does not wait for it, and the child
   opens that file and others as if nobody was opening. */
static void run_while_opening(void) {
  int status = 0, done = 0, to_child[2];
  char path[ROOM], other[ROOM], byte = 0;
  pthread_t opener;
  NEED(pipe(to_child) == 0);
  /* Whatever engine the others are about: the lock is a file of SQLite's. */
  snprintf(other, sizeof other, "{\"url\":\"sqlite:///%s/other.sqlite\"}", abi_folder);
  snprintf(config, sizeof config, "{\"url\":\"sqlite:///%s/busy.sqlite\"}", abi_folder);
  EXPECT_STATUS(memex_store_open(config, MEMEX_NTS, &store, NULL), MEMEX_OK);
  EXPECT_STATUS(memex_store_close(store, NULL), MEMEX_OK);
  snprintf(path, sizeof path, "%s/busy.sqlite-lock", abi_folder);
  int lock = open(path, O_RDWR | O_CLOEXEC);
  NEED(lock >= 0 && flock(lock, LOCK_EX) == 0);
  NEED(pthread_create(&opener, NULL, open_and_wait, &done) == 0);
  sleep_us(100000);
  fflush(stdout);
  pid_t child = fork();
  NEED(child >= 0);
  if (child == 0) {
    memex_store *mine = NULL;
    abi_failed = 0;
    close(lock);
    abi_watch("in the child of a process that is opening", 20);
    EXPECT_STATUS(memex_store_open(other, MEMEX_NTS, &mine, NULL), MEMEX_OK);
    EXPECT_STATUS(memex_store_close(mine, NULL), MEMEX_OK);
    NEED(read(to_child[0], &byte, 1) == 1);
    EXPECT_STATUS(memex_store_open(config, MEMEX_NTS, &mine, NULL), MEMEX_OK);
    EXPECT_STATUS(memex_store_close(mine, NULL), MEMEX_OK);
    fflush(stdout);
    _exit(abi_failed ? 1 : 0);
  }
  EXPECT(!__atomic_load_n(&done, __ATOMIC_SEQ_CST), "fork() waited until the file was open");
  EXPECT_STATUS(memex_store_open(other, MEMEX_NTS, &store, NULL), MEMEX_OK);
  EXPECT(!__atomic_load_n(&done, __ATOMIC_SEQ_CST), "opening another file waited until this one was open");
  EXPECT_STATUS(memex_store_close(store, NULL), MEMEX_OK);
  NEED(flock(lock, LOCK_UN) == 0 && write(to_child[1], "a", 1) == 1);
  pthread_join(opener, NULL);
  waitpid(child, &status, 0);
  EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child ended with %x", status);
  close(lock);
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  abi_make_folder();
  abi_watch("the parent closes first", 30);
  run_parent_closes_first();
  abi_watch("memory:NAME after a fork", 30);
  run_memory();
  abi_watch("fork while a thread waits to open a file", 60);
  run_while_opening();
  abi_watch("fork under load, durability full", 120);
  run("full");
  abi_watch("fork under load, durability normal", 120);
  run("normal");
  return abi_finish();
}
