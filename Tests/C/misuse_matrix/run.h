/* What the generated misuse_matrix.c runs on: fixtures with live handles of every type, wrong handles of
   every sort, callbacks from which functions are called, and a process for each function, so that a crash
   is one failed case and not the end of the run.

     misuse_matrix                 every function, each in a process of its own
     misuse_matrix memex_x_y       one function, in this process (for a debugger)

   Every failing case is a line that starts with FAIL; the last line is "N passed, N failed". */
#ifndef MISUSE_MATRIX_RUN_H
#define MISUSE_MATRIX_RUN_H

#include <signal.h>
#include <sys/wait.h>

#include "handle_cases.h"
#include "other_cases.h"
#include "place_cases.h"
#include "text_cases.h"

extern void __asan_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void say(const char *words) {
  if (write(STDOUT_FILENO, words, strlen(words)) < 0) _exit(72);
}

static void tell_case(void) {
  say("FAIL ");
  say(current_case);
  say(": the process died here\n");
}

static struct sigaction before_us[65];

static void on_signal(int number) {
  if (number == SIGALRM) {
    say("FAIL ");
    say(current_case);
    say(": hangs\n");
    _exit(71);
  }
  tell_case();
  sigaction(number, &before_us[number], NULL); /* and let the fault happen again, for its report */
}

static void misuse_function(const function *f) {
  static const int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGALRM};
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_signal;
  for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
    sigaction(fatal[i], &action, &before_us[fatal[i]]);
  if (__asan_set_death_callback) __asan_set_death_callback(tell_case);
  NEED("register a strategy",
       memex_register_strategy("misuse-inside", MEMEX_NTS, inside_strategy, NULL, NULL, error));
  NEED("register a backend",
       memex_register_backend("misuse-engine", MEMEX_NTS, &plain_backend, NULL, NULL, error));
  cases_valid(f);
  for (int h = 0; h < f->handles; h++) cases_handle(f, h);
  for (int t = 0; t < f->texts; t++) cases_text(f, t);
  cases_other(f);
  cases_inside(f);
  case_forked(f);
}

/* Runs one function in a process of its own. */
static void run_apart(const function *f) {
  int ends[2], status = 0;
  char end_text[16], byte;
  fflush(stdout);
  if (pipe(ends) != 0) abort();
  pid_t child = fork();
  if (child < 0) abort();
  if (child == 0) {
    close(ends[0]);
    snprintf(end_text, sizeof end_text, "%d", ends[1]);
    char *arguments[] = {"misuse_matrix", (char *)f->name, end_text, NULL};
    execv("/proc/self/exe", arguments);
    _exit(75);
  }
  close(ends[1]);
  long seen = 0;
  while (read(ends[0], &byte, 1) == 1) {
    seen++;
    if (byte == 'p') passed++;
    else failed++;
  }
  close(ends[0]);
  waitpid(child, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) > 1 || seen == 0) {
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 74) failed++;
    printf("FAIL %s: the process ended with %s %d after %ld cases\n", f->name,
           WIFSIGNALED(status) ? "signal" : "status",
           WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), seen);
  }
}

static int misuse_main(int argc, char **argv, const function *functions, size_t count) {
  int found = 0;
  for (size_t i = 0; i < count; i++) {
    if (argc < 2) {
      run_apart(&functions[i]);
    } else if (strcmp(argv[1], functions[i].name) == 0) {
      if (argc > 2) report_to = atoi(argv[2]);
      found = 1;
      misuse_function(&functions[i]);
    }
  }
  if (argc > 1 && !found) {
    fprintf(stderr, "%s is not a function of the header\n", argv[1]);
    return 2;
  }
  if (report_to < 0) printf("%ld passed, %ld failed\n", passed, failed);
  fflush(stdout);
  return failed ? 1 : 0;
}

#endif
