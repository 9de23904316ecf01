/* What the examples share: giving up with a reason, a temporary folder that goes away, joining text. */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <memex.h>

static char example_folder[256];

/* Removes the temporary folder; a SQLite store is its file and three beside it. */
static inline void example_clean_up(void) {
  static const char *const endings[] = {"", "-wal", "-shm", "-lock"};
  char path[400];
  size_t i;
  if (!example_folder[0]) return;
  for (i = 0; i < sizeof endings / sizeof *endings; i++) {
    snprintf(path, sizeof path, "%s/chat.db%s", example_folder, endings[i]);
    unlink(path);
  }
  if (rmdir(example_folder) != 0) perror(example_folder);
  example_folder[0] = 0;
}

/* Ends the program when a call failed, and says why. error may be NULL. */
static inline void must(memex_status status, memex_error *error, const char *what) {
  if (status >= 0) return;
  fprintf(stderr, "%s: %s: %s\n", what, memex_status_name(status),
          error ? memex_error_message(error) : "no details");
  memex_error_free(error);
  example_clean_up();
  exit(1);
}

/* The same for what is not a status. */
static inline void must_be(int good, const char *what) {
  if (good) return;
  fprintf(stderr, "%s: this should not happen\n", what);
  example_clean_up();
  exit(1);
}

/* Makes a temporary folder and writes the configuration of a store in it. */
static inline void example_config(char *config, size_t room) {
  const char *base = getenv("TMPDIR");
  snprintf(example_folder, sizeof example_folder, "%.200s/memex-XXXXXX", base && *base ? base : "/tmp");
  if (!mkdtemp(example_folder)) {
    perror(example_folder);
    exit(1);
  }
  snprintf(config, room, "{\"url\":\"sqlite:///%s/chat.db\"}", example_folder);
}

#endif
