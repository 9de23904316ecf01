/* Callbacks from inside which a pending function is called, there or in a forked child. */
#ifndef MISUSE_MATRIX_CALLBACKS_H
#define MISUSE_MATRIX_CALLBACKS_H

#include <sys/wait.h>

#include "outputs.h"

static char live_reply_mark;
#define LIVE_REPLY ((void *)&live_reply_mark) /* stands for the reply of the running callback */

static struct {
  const function *function;
  const call *call;
  outcome *outcome;
  int forked;    /* call it in a forked child */
  int scan_only; /* wait for a scan, the one callback that takes entries */
} pending;
static memex_reply *last_reply; /* of the latest strategy callback, stale once it returned */

static void run_in_child(const function *f, const call *c, outcome *o) {
  int ends[2], status = 0;
  fflush(stdout);
  if (pipe(ends) != 0) abort();
  pid_t child = fork();
  if (child < 0) abort();
  if (child == 0) {
    close(ends[0]);
    report_to = -1;
    alarm(20);
    f->run(c, o);
    _exit(write(ends[1], o, sizeof *o) == (ssize_t)sizeof *o ? 0 : 73);
  }
  close(ends[1]);
  size_t got = 0;
  while (got < sizeof *o) {
    ssize_t n = read(ends[0], (char *)o + got, sizeof *o - got);
    if (n <= 0) break;
    got += (size_t)n;
  }
  close(ends[0]);
  waitpid(child, &status, 0);
  if (got < sizeof *o) {
    memset(o, 0, sizeof *o);
    problem(o, "the child ended with %s %d", WIFSIGNALED(status) ? "signal" : "status",
            WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
  }
  o->made = NULL; /* it lives in the child */
  o->called = 1;
}

static void run_pending(memex_reply *reply) {
  if (!pending.function) return;
  const function *f = pending.function;
  call c = *pending.call;
  outcome *o = pending.outcome;
  pending.function = NULL;
  for (int i = 0; i < 2; i++)
    if (c.handle[i] == LIVE_REPLY) c.handle[i] = reply;
  if (pending.forked) run_in_child(f, &c, o);
  else f->run(&c, o);
  o->called = 1;
}

static void misuse_log(void *user_data, int32_t level, const char *line, size_t len) {
  (void)user_data, (void)level, (void)line, (void)len;
}

static int32_t plain_strategy(void *user_data, const char *input, size_t len, memex_reply *reply) {
  (void)user_data, (void)input, (void)len;
  memex_reply_data(reply, "{\"keep\":[1]}", 12);
  return MEMEX_CALLBACK_OK;
}

static int32_t plain_count(void *user_data, const char *text, size_t len, int64_t *tokens, memex_reply *reply) {
  (void)user_data, (void)text, (void)reply;
  *tokens = (int64_t)len;
  return MEMEX_CALLBACK_OK;
}

static const memex_tokenizer_functions plain_tokenizer = {sizeof(memex_tokenizer_functions), 0, plain_count,
                                                          NULL, NULL};

static int32_t inside_strategy(void *user_data, const char *input, size_t len, memex_reply *reply) {
  last_reply = reply;
  run_pending(reply);
  return plain_strategy(user_data, input, len, reply);
}

#endif
