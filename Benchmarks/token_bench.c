/*
 * Counting tokens through memex.h.
 *
 *   token_bench first ENCODING FILE    the first count of a process, and what it keeps resident
 *   token_bench worst ENCODING         1 MB and 2 MB of texts that are hard to merge
 */
#include "bench.h"
#include "memex.h"

enum { MEGABYTE = 1000000 };

static double status_kb(const char *name) {
  char line[256];
  double found = 0;
  FILE *file = fopen("/proc/self/status", "r");
  if (!file) fail("/proc/self/status", "cannot be read");
  while (fgets(line, sizeof line, file))
    if (strncmp(line, name, strlen(name)) == 0) found = atof(line + strlen(name) + 1);
  fclose(file);
  return found;
}

static memex_tokenizer *opened(const char *encoding) {
  char options[100];
  memex_tokenizer *tokenizer = NULL;
  snprintf(options, sizeof options, "{\"encoding\":\"%s\"}", encoding);
  if (memex_tokenizer_open(options, MEMEX_NTS, &tokenizer, NULL)) fail(encoding, "cannot be opened");
  return tokenizer;
}

static int64_t count(memex_tokenizer *tokenizer, const char *text, size_t len) {
  int64_t tokens = 0;
  if (memex_tokenizer_count(tokenizer, text, len, &tokens, NULL)) fail("memex_tokenizer_count", "failed");
  return tokens;
}

static void first(const char *encoding, const char *path) {
  static const char text[] = "Where is my order? It was to arrive on Tuesday, and nobody answers the phone.";
  FILE *file = fopen(path, "rb");
  char *all = malloc(8 * MEGABYTE);
  if (!file || !all) fail(path, "cannot be read");
  size_t len = fread(all, 1, 8 * MEGABYTE, file);
  fclose(file);
  memex_version_number(); /* the library is bound */
  double before = status_kb("VmRSS");
  double from = now();
  memex_tokenizer *tokenizer = opened(encoding);
  int64_t tokens = count(tokenizer, text, sizeof text - 1);
  double took = now() - from;
  double after_first = status_kb("VmRSS");
  tokens += count(tokenizer, all, len);
  double after_all = status_kb("VmRSS");
  memex_tokenizer_free(tokenizer);
  printf("{\"ms\":%.4f,\"first_mb\":%.2f,\"resident_mb\":%.2f,\"bytes\":%zu,\"tokens\":%lld}\n", took * 1e3,
         (after_first - before) / 1e3, (after_all - before) / 1e3, len, (long long)tokens);
}

static void fill(const char *kind, char *text, size_t len) {
  uint64_t state = 0x9e3779b97f4a7c15u;
  for (size_t i = 0; i < len; i++) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    text[i] = strcmp(kind, "spaces") == 0    ? ' '
              : strcmp(kind, "newlines") == 0 ? '\n'
              : strcmp(kind, "letters") == 0  ? (char)('a' + state % 26)
              : strcmp(kind, "bytes") == 0    ? (char)(state >> 20)
                                              : 'a';
  }
}

static void worst(const char *encoding) {
  static const char *const kinds[] = {"one character", "spaces", "newlines", "letters", "bytes"};
  char *text = malloc(2 * MEGABYTE);
  double slowest = 0, steepest = 0;
  if (!text) fail("malloc", "failed");
  fill("bytes", text, 2 * MEGABYTE);
  double before = status_kb("VmRSS");
  memex_tokenizer *tokenizer = opened(encoding);
  for (int i = 0; i < 5; i++) {
    double best[2] = {1e9, 1e9};
    fill(kinds[i], text, 2 * MEGABYTE);
    count(tokenizer, text, MEGABYTE / 10);
    for (int round = 0; round < 5; round++)
      for (int size = 0; size < 2; size++) {
        double used = cpu();
        count(tokenizer, text, (size_t)(size + 1) * MEGABYTE);
        used = cpu() - used;
        if (used < best[size]) best[size] = used;
      }
    if (best[0] > slowest) slowest = best[0];
    if (best[1] / best[0] > steepest) steepest = best[1] / best[0];
  }
  /* What counting needs beside the text, the vocabulary included. */
  double peak = status_kb("VmHWM");
  printf("{\"mb_s\":%.3f,\"ratio\":%.4f,\"working_mb\":%.2f}\n", 1 / slowest, steepest,
         peak > before ? (peak - before) / 1e3 : 0.0);
  memex_tokenizer_free(tokenizer);
  free(text);
}

int main(int argc, char **argv) {
  pin();
  if (argc == 4 && strcmp(argv[1], "first") == 0) first(argv[2], argv[3]);
  else if (argc == 3 && strcmp(argv[1], "worst") == 0) worst(argv[2]);
  else fail(argv[0], "first ENCODING FILE | worst ENCODING");
  return 0;
}
