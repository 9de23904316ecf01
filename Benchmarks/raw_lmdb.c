/*
 * What LMDB alone can do for conversations: the keys and rows that the library writes, one transaction an
 * append, synced; nothing else. No JSON is scanned, no checksum computed, no lock taken but LMDB's own.
 *
 *   raw_lmdb append     FOLDER DATA COUNT THREADS RUN BATCH   CPU of durable appends
 *   raw_lmdb growth     FOLDER DATA FILL BLOCKS               as memex_bench
 */
#include <endian.h>
#include <errno.h>
#include <lmdb.h>

#include "bench.h"

static void must(int code, const char *what) {
  if (code) fail(what, mdb_strerror(code));
}

typedef struct {
  MDB_env *env;
  MDB_dbi main;
  MDB_txn *txn;
} Store;

static Store store_open(const char *path) {
  Store s;
  if (mkdir(path, 0700) && errno != EEXIST) fail(path, strerror(errno));
  must(mdb_env_create(&s.env), "mdb_env_create");
  must(mdb_env_set_mapsize(s.env, (size_t)4 << 30), "mdb_env_set_mapsize");
  must(mdb_env_open(s.env, path, 0, 0600), path);
  must(mdb_txn_begin(s.env, NULL, 0, &s.txn), "mdb_txn_begin");
  must(mdb_dbi_open(s.txn, NULL, 0, &s.main), "mdb_dbi_open");
  must(mdb_txn_commit(s.txn), "mdb_txn_commit");
  return s;
}

static size_t put_number(unsigned char *to, size_t at, uint32_t v) {
  while (v >= 0x80) to[at++] = (unsigned char)(v | 0x80), v >>= 7;
  to[at++] = (unsigned char)v;
  return at;
}

/* The row of a message: version, time, six lengths, the head, role and body. */
static void put(Store *s, const Message *m, uint32_t thread, uint64_t seq) {
  unsigned char key[17], row[16384];
  uint64_t number = htobe64((uint64_t)thread + 1), place = htobe64(seq);
  int64_t at = time_us();
  key[0] = 'z';
  memcpy(key + 1, &number, 8);
  memcpy(key + 9, &place, 8);
  unsigned char head[40] = {1, 0, 0, 1, 8, 0, 0x11, 0x22, 0x33, 0x44};
  size_t h = put_number(head, 10, m->tokens);
  h = put_number(head, h, 0);
  h = put_number(head, h, m->splice - m->content_len + 1);
  h = put_number(head, h, m->content_len);
  size_t n = 0;
  row[n++] = 1;
  memcpy(row + n, &at, 8), n += 8;
  n = put_number(row, n, (uint32_t)h);
  n = put_number(row, n, m->role_len);
  n = put_number(row, n, 0);
  n = put_number(row, n, 0);
  n = put_number(row, n, 0);
  n = put_number(row, n, m->body_len);
  memcpy(row + n, head, h), n += h;
  memcpy(row + n, m->role, m->role_len), n += m->role_len;
  memcpy(row + n, m->body, m->body_len), n += m->body_len;
  MDB_val name = {sizeof key, key}, value = {n, row};
  must(mdb_put(s->txn, s->main, &name, &value, 0), "mdb_put");
}

static void append_all(Store *s, uint64_t *seqs, size_t from, size_t count, uint32_t threads, uint32_t length,
                       size_t batch) {
  Scratch scratch;
  for (size_t i = from; i < from + count;) {
    must(mdb_txn_begin(s->env, NULL, 0, &s->txn), "mdb_txn_begin");
    for (size_t k = 0; k < batch && i < from + count; k++, i++) {
      Message m = message_at(i, &scratch);
      uint32_t t = thread_of(i, threads, length);
      put(s, &m, t, ++seqs[t]);
    }
    must(mdb_txn_commit(s->txn), "mdb_txn_commit");
  }
}

static void expect_entries(Store *s, size_t wanted) {
  MDB_stat found;
  must(mdb_txn_begin(s->env, NULL, MDB_RDONLY, &s->txn), "mdb_txn_begin");
  must(mdb_stat(s->txn, s->main, &found), "mdb_stat");
  mdb_txn_abort(s->txn);
  if (found.ms_entries == wanted) return;
  fprintf(stderr, "entries: %zu, expected %zu\n", found.ms_entries, wanted);
  exit(4);
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
  expect_entries(&s, count);
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
  expect_entries(&s, at + blocks * BLOCK);
}

int main(int argc, char **argv) {
  pin();
  if (argc < 4) fail(argv[0], "append|growth FOLDER DATA ...");
  messages_load(argv[3]);
  if (argc == 8 && !strcmp(argv[1], "append")) append_main(argv);
  else if (argc == 6 && !strcmp(argv[1], "growth")) growth_main(argv);
  else fail(argv[0], "wrong arguments; see the head of raw_lmdb.c");
  return 0;
}
