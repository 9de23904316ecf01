/* A cycle: writer processes start, are listened to and killed. */
#ifndef KILL9_CYCLE_H
#define KILL9_CYCLE_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>

#include "ledger.h"

enum { THREADS_MAX = 4, PROCESSES_MAX = 3 };

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

#endif
