/*
 * The library through its C interface, on the work that raw_sqlite.c and same_schema.c do.
 *
 *   memex_bench append     DB DATA COUNT THREADS RUN BATCH json|text   (DB "memory:" for the memory
 *                                                   store, "lmdb:///PATH" for another engine)
 *   memex_bench growth     DB DATA FILL BLOCKS      blocks of 100, by turns into a thread of FILL and a new one
 *   memex_bench load       DB DATA FILL             last 50, whole thread
 *   memex_bench window     DB DATA FILL LARGE       window of 8,000 tokens over FILL and over LARGE messages
 *   memex_bench concurrent DB DATA WRITERS EACH own|same
 *   memex_bench processes  DB DATA PROCESSES THREADS EACH own|same
 *   memex_bench memory     DATA COUNT               memory store: rate and resident memory
 *
 * What was stored is read again and compared; a difference ends the program with 4.
 */
#include "memex_bench/appends.h"
#include "memex_bench/memory.h"
#include "memex_bench/reads.h"
#include "memex_bench/writers.h"

int main(int argc, char **argv) {
  pin();
  struct {
    const char *name;
    int arguments;
    void (*main)(char **);
    int data;
  } commands[] = {{"append", 9, append_main, 3},         {"growth", 6, growth_main, 3}, {"load", 5, load_main, 3},
                  {"window", 6, window_main, 3},         {"memory", 4, memory_main, 2},
                  {"concurrent", 7, concurrent_main, 3}, {"child", 8, child_main, 3},   {"processes", 8, processes_main, 3}};
  for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
    if (argc == commands[i].arguments && !strcmp(argv[1], commands[i].name)) {
      messages_load(argv[commands[i].data]);
      commands[i].main(argv);
      return 0;
    }
  fail(argv[0], "wrong arguments; see the head of memex_bench.c");
}
