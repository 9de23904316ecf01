/* kill -9 at random moments. Writer processes, each with several threads, append to conversations in one
   store (SQLite, or what MEMEX_TEST_ENGINE names) and tell the parent through a pipe what was acknowledged; the parent kills them, opens the
   file and looks: nothing acknowledged may be lost, no append be there by half, no seq missing or twice, and
   every body must be what its writer made.

     kill9 [CYCLES [SEED]]        200 cycles by default; MEMEX_KILL_CYCLES is asked, too

   At the end it turns itself red: writers that acknowledge before they append must be found out. */
#include "kill9/checker.h"
#include "kill9/cycle.h"
#include "kill9/writer.h"

enum { CYCLES_A_FILE = 20 };

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
