/* Several processes create the same database at the same moment, and some of them are killed while they do. The
   others succeed, and the file opens afterwards, whatever was left half done.

     creation [ROUNDS [SEED]]      300 rounds by default; MEMEX_CREATION_ROUNDS is asked, too */
#include "abi_support.h"

enum { PROCESSES = 4 };

/* Opens, appends one message, says so: what everybody does. */
static int creator_main(const char *config, const char *number) {
  memex_store *store = NULL;
  memex_thread *thread = NULL;
  memex_error *error = NULL;
  alarm(20);
  memex_status status = memex_store_open(config, MEMEX_NTS, &store, &error);
  if (!status) {
    status = memex_thread_create(store, "{\"id\":\"t\"}", MEMEX_NTS, &thread, &error);
    if (status == MEMEX_E_EXISTS) {
      memex_error_free(error);
      error = NULL;
      status = memex_thread_open(store, "t", 1, &thread, &error);
    }
  }
  if (!status)
    status = memex_thread_append_text(thread, "user", 4, number, strlen(number), NULL, 0, NULL, &error);
  if (!status && write(STDOUT_FILENO, number, 1) != 1) return 3;
  memex_thread_free(thread);
  if (!status) status = memex_store_close(store, &error);
  if (!status) return 0;
  fprintf(stderr, "FAIL a creator: %s: %s\n", memex_status_name(status), memex_error_message(error));
  return 4;
}

static long long killed, acknowledged;

static void run_round(const char *config, uint64_t *random) {
  pid_t children[PROCESSES];
  int ends[2], doomed = (int)(next_random(random) % PROCESSES);
  char said[PROCESSES + 1];
  memset(said, 0, sizeof said);
  NEED(pipe(ends) == 0);
  int64_t started = now_us();
  for (int i = 0; i < PROCESSES; i++) {
    children[i] = fork();
    NEED(children[i] >= 0);
    if (children[i] == 0) {
      char number[2] = {(char)('0' + i), 0};
      char *arguments[] = {"creation", "creator", (char *)config, number, NULL};
      dup2(ends[1], STDOUT_FILENO);
      close(ends[0]);
      close(ends[1]);
      execv("/proc/self/exe", arguments);
      _exit(9);
    }
  }
  close(ends[1]);
  /* Up to so many are killed, at moments in which they open, create tables, change the journal's mode. */
  int64_t dies_at = started + (int64_t)(next_random(random) % 30000);
  int64_t left = dies_at - now_us();
  if (left > 0) sleep_us(left);
  for (int i = 0; i < doomed; i++) kill(children[i], SIGKILL);
  for (int i = 0; i < PROCESSES; i++) {
    int status = 0;
    waitpid(children[i], &status, 0);
    int dead = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && i < doomed;
    killed += dead;
    EXPECT(dead || (WIFEXITED(status) && WEXITSTATUS(status) == 0), "process %d ended with %x", i, (unsigned)status);
  }
  ssize_t heard = read(ends[0], said, PROCESSES);
  close(ends[0]);

  memex_store *store = NULL;
  memex_thread *thread = NULL;
  memex_cursor *cursor = NULL;
  memex_bytes page = {NULL, 0};
  memex_error *error = NULL;
  memex_status status = memex_store_open(config, MEMEX_NTS, &store, &error);
  EXPECT(status == MEMEX_OK, "it does not open: %s", error ? memex_error_message(error) : "");
  memex_error_free(error);
  if (status) return;
  status = memex_thread_open(store, "t", 1, &thread, NULL);
  EXPECT(status == MEMEX_OK || (status == MEMEX_E_NOT_FOUND && heard <= 0), "the thread is %s",
         memex_status_name(status));
  if (status == MEMEX_OK) {
    EXPECT_STATUS(memex_thread_messages(thread, "{\"layout\":\"bodies\"}", MEMEX_NTS, &cursor, NULL), MEMEX_OK);
    status = memex_cursor_next(cursor, &page, NULL);
    EXPECT(status == MEMEX_OK || (status == MEMEX_DONE && heard <= 0), "the page is %s", memex_status_name(status));
    for (ssize_t i = 0; i < heard; i++) {
      char wanted[40];
      snprintf(wanted, sizeof wanted, "\"content\":\"%c\"", said[i]);
      acknowledged++;
      EXPECT(page.data && strstr(page.data, wanted), "message %c was acknowledged and is lost", said[i]);
    }
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

int main(int argc, char **argv) {
  if (argc > 3 && strcmp(argv[1], "creator") == 0) return creator_main(argv[2], argv[3]);
  const char *asked = argc > 1 ? argv[1] : getenv("MEMEX_CREATION_ROUNDS");
  int rounds = asked ? atoi(asked) : 300;
  uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)time(NULL), random = seed;
  NEED(rounds > 0);
  setvbuf(stdout, NULL, _IOLBF, 0);
  abi_make_folder();
  for (int round = 0; round < rounds && abi_failed < 20; round++) {
    static char now[60];
    char config[500];
    snprintf(now, sizeof now, "round %d, seed %" PRIu64, round, seed);
    abi_watch(now, 40);
    abi_empty(abi_folder);
    run_round(abi_config(config, sizeof config, "new.db", ""), &random);
  }
  printf("%d rounds of %d processes, %lld killed, %lld acknowledged; seed %" PRIu64 "\n", rounds, PROCESSES, killed,
         acknowledged, seed);
  return abi_finish();
}
