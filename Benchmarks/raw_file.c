/*
 * What a file alone can do for conversations: the lines that the library writes, one write and one fdatasync an
 * append; nothing else. No JSON is scanned, no lock taken, nothing indexed.
 *
 *   raw_file append     FOLDER DATA COUNT THREADS RUN BATCH   CPU of durable appends
 *   raw_file growth     FOLDER DATA FILL BLOCKS               as memex_bench
 */
#include <errno.h>

#include "bench.h"

typedef struct {
  int file;
  int64_t size, commit;
} Store;

static Store store_open(const char *path) {
  char name[1100];
  if (mkdir(path, 0700) && errno != EEXIST) fail(path, strerror(errno));
  snprintf(name, sizeof name, "%s/journal.jsonl", path);
  Store s = {open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), 0, 0};
  if (s.file < 0) fail(name, strerror(errno));
  return s;
}

/* A line as the library writes it; head and checksum are constants of their length. */
static size_t line(char *to, const Message *m, uint32_t thread, uint64_t seq, int64_t commit) {
  int n = sprintf(to, "{\"message\":[%u,%llu],\"sizes\":[0,%u],\"at\":%lld,\"head\":\"0100000108001122334400000000000\""
                      ",\"role\":\"%.*s\",\"body\":",
                  thread + 1, (unsigned long long)seq, m->body_len, (long long)time_us(), (int)m->role_len, m->role);
  memcpy(to + n, m->body, m->body_len);
  n += (int)m->body_len;
  n += sprintf(to + n, ",\"last\":[%lld,1],\"crc\":\"01234567\"}\n", (long long)commit);
  return (size_t)n;
}

static void append_all(Store *s, uint64_t *seqs, size_t from, size_t count, uint32_t threads, uint32_t length,
                       size_t batch) {
  Scratch scratch;
  char *text = malloc(batch * 16384);
  for (size_t i = from; i < from + count;) {
    size_t used = 0;
    for (size_t k = 0; k < batch && i < from + count; k++, i++) {
      Message m = message_at(i, &scratch);
      uint32_t t = thread_of(i, threads, length);
      used += line(text + used, &m, t, ++seqs[t], ++s->commit);
    }
    if (pwrite(s->file, text, used, s->size) != (ssize_t)used || fdatasync(s->file)) fail("journal", strerror(errno));
    s->size += (int64_t)used;
  }
  free(text);
}

static void append_main(char **v) {
  size_t count = (size_t)number(v[4]);
  uint32_t threads = (uint32_t)number(v[5]);
  Store s = store_open(v[2]);
  uint64_t *seqs = calloc(threads, sizeof *seqs);
  Mark from = mark();
  append_all(&s, seqs, 0, count, threads, (uint32_t)number(v[6]), (size_t)number(v[7]));
  report(from, count);
  printf("}\n");
}

static void growth_main(char **v) {
  enum { BLOCK = 100 };
  size_t at = (size_t)number(v[4]), blocks = (size_t)number(v[5]);
  char path[1024];
  snprintf(path, sizeof path, "%s-new", v[2]);
  Store s = store_open(v[2]), other = store_open(path);
  uint64_t seq = 0, *seqs = calloc(blocks, sizeof *seqs);
  append_all(&s, &seq, 0, at, 1, 1, 1000);
  double *grown = malloc(blocks * sizeof *grown), *fresh = malloc(blocks * sizeof *fresh);
  for (size_t b = 0; b < blocks; b++) {
    double t = cpu();
    append_all(&s, &seq, at + b * BLOCK, BLOCK, 1, 1, 1);
    grown[b] = (cpu() - t) / BLOCK;
    t = cpu();
    append_all(&other, seqs, b * BLOCK, BLOCK, (uint32_t)blocks, BLOCK, 1);
    fresh[b] = (cpu() - t) / BLOCK;
  }
  printf("{\"grown_us\":%.3f,\"fresh_us\":%.3f}\n", median(grown, blocks) * 1e6, median(fresh, blocks) * 1e6);
}

int main(int argc, char **argv) {
  pin();
  if (argc < 4) fail(argv[0], "append|growth FOLDER DATA ...");
  messages_load(argv[3]);
  if (argc == 8 && !strcmp(argv[1], "append")) append_main(argv);
  else if (argc == 6 && !strcmp(argv[1], "growth")) growth_main(argv);
  else fail(argv[0], "wrong arguments; see the head of raw_file.c");
  return 0;
}
