/*
 * Appends to Redis: through the library, and through hiredis alone with the same script, the same keys and a
 * row of the same size. Both write under a prefix that the library made; it is removed at the end.
 *
 *   redis_bench append HOST PORT DATA COUNT THREADS RUN ours|raw
 *   redis_bench growth HOST PORT DATA FILL BLOCKS     blocks of 100, by turns into a thread of FILL and a new one
 */
#if __has_include(<hiredis/hiredis.h>)
#include <hiredis/hiredis.h>
#else
#include <hiredis.h>
#endif

#include "memex_bench/calls.h"

static char prefix[64], url[256];
static redisContext *redis;

static redisReply *ask(redisReply *reply, int type) {
  if (!reply) fail("hiredis", redis->errstr);
  if (reply->type != type) fail("hiredis", reply->type == REDIS_REPLY_ERROR ? reply->str : "another reply");
  return reply;
}

static void set_up(const char *host, const char *port) {
  snprintf(prefix, sizeof prefix, "bench%d", (int)getpid());
  snprintf(url, sizeof url, "redis://%s:%s/0?prefix=%s", host, port, prefix);
  redis = redisConnect(host, atoi(port));
  if (!redis || redis->err) fail("hiredis", redis ? redis->errstr : "no memory");
}

static void tear_down(void) {
  freeReplyObject(redisCommand(redis, "EVAL %s 0 {%s:0}*",
                               "for _, k in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('UNLINK', k) end",
                               prefix));
  redisFree(redis);
}

static memex_store *store_at_url(void) {
  char config[512];
  memex_store *store;
  snprintf(config, sizeof config, "{\"url\":\"%s\"}", url);
  CALL(memex_store_open(config, MEMEX_NTS, &store, &error));
  return store;
}

/* The SHA-1 by which the server knows the library's script. */
static void script_name(memex_store *store, char *name) {
  memex_bytes stats = {0};
  CALL(memex_store_command(store, "stats", MEMEX_NTS, NULL, 0, &stats, &error));
  const char *found = strstr((const char *)stats.data, "\"commit_script\":\"");
  if (!found) fail("stats", "no commit_script");
  snprintf(name, 41, "%.40s", found + strlen("\"commit_script\":\""));
  memex_bytes_free(&stats);
}

typedef struct Raw {
  char values[96], messages[96], head[1024];
  size_t head_len;
  int64_t seq;
} Raw;

static void raw_thread(Raw *raw, uint32_t t) {
  char name[32];
  int length = snprintf(name, sizeof name, "i%ct%u", 0, t);
  redisReply *r = ask(redisCommand(redis, "HGET {%s:0}h %b", prefix, name, (size_t)length), REDIS_REPLY_STRING);
  int64_t key;
  memcpy(&key, r->str, 8);
  freeReplyObject(r);
  snprintf(raw->values, sizeof raw->values, "{%s:0}h%lld", prefix, (long long)key);
  snprintf(raw->messages, sizeof raw->messages, "{%s:0}m%lld", prefix, (long long)key);
  r = ask(redisCommand(redis, "HGET %s t", raw->values), REDIS_REPLY_STRING);
  if (r->len > sizeof raw->head) fail("hiredis", "a long head");
  memcpy(raw->head, r->str, raw->head_len = r->len);
  freeReplyObject(r);
  raw->seq = 0;
}

static void append_raw(memex_store *store, size_t count, uint32_t threads, uint32_t length) {
  char script[64];
  script_name(store, script);
  Raw *raws = calloc(threads, sizeof *raws);
  for (uint32_t t = 0; t < threads; t++) raw_thread(&raws[t], t);
  static char row[65536];
  Scratch scratch;
  Mark from = mark();
  for (size_t i = 0; i < count; i++) {
    Message m = message_at(i, &scratch);
    Raw *raw = &raws[thread_of(i, threads, length)];
    char seq[24];
    int seq_len = snprintf(seq, sizeof seq, "%lld", (long long)++raw->seq);
    uint64_t order = __builtin_bswap64((uint64_t)raw->seq);
    /* The seq, and a head of the size that the library's has. */
    memcpy(row, &order, 8);
    memset(row + 8, 1, 36);
    memcpy(row + 44, m.body, m.body_len);
    const char *arguments[] = {"EVALSHA", script, "2", raw->values, raw->messages, "=", "1", "t", raw->head,
                               "<",       "2",    seq, "m",         "2",           seq, row};
    size_t lengths[] = {7, 40, 1, strlen(raw->values), strlen(raw->messages), 1, 1, 1, raw->head_len,
                        1, 1, (size_t)seq_len, 1, 1, (size_t)seq_len, 44 + m.body_len};
    redisReply *r = ask(redisCommandArgv(redis, 16, arguments, lengths), REDIS_REPLY_INTEGER);
    expect(r->integer, 1, "what the script says");
    freeReplyObject(r);
  }
  report(from, count);
  printf("}\n");
  int64_t stored = 0;
  for (uint32_t t = 0; t < threads; t++) {
    redisReply *r = ask(redisCommand(redis, "ZCARD %s", raws[t].messages), REDIS_REPLY_INTEGER);
    stored += r->integer;
    freeReplyObject(r);
  }
  expect(stored, (int64_t)count, "messages that hiredis stored");
  free(raws);
}

static void append_main(char **v) {
  size_t count = (size_t)number(v[5]);
  uint32_t threads = (uint32_t)number(v[6]), length = (uint32_t)number(v[7]);
  memex_store *store = store_at_url();
  memex_thread **handles = malloc(threads * sizeof *handles);
  for (uint32_t t = 0; t < threads; t++) handles[t] = thread_create(store, t);
  if (!strcmp(v[8], "raw")) {
    append_raw(store, count, threads, length);
  } else {
    Scratch scratch;
    Mark from = mark();
    for (size_t i = 0; i < count; i++) {
      Message m = message_at(i, &scratch);
      append(handles[thread_of(i, threads, length)], m.body, m.body_len);
    }
    report(from, count);
    printf("}\n");
    int64_t *seqs = calloc(threads, sizeof *seqs);
    for (size_t i = 0; i < count; i++) {
      uint32_t t = thread_of(i, threads, length);
      seqs[t]++;
      if (i % 97) continue;
      Message m = message_at(i, &scratch);
      expect_body(handles[t], seqs[t], m.body, m.body_len);
    }
    for (uint32_t t = 0; t < threads; t++) expect_count(handles[t], seqs[t]);
  }
  CALL(memex_store_close(store, &error));
}

static void growth_main(char **v) {
  enum { BLOCK = 100 };
  size_t at = (size_t)number(v[5]), blocks = (size_t)number(v[6]);
  memex_store *store = store_at_url();
  memex_thread *thread = thread_create(store, 0);
  if (at) fill(thread, at);
  double *grown = malloc(blocks * sizeof *grown), *fresh = malloc(blocks * sizeof *fresh);
  Scratch scratch;
  for (size_t b = 0; b < blocks; b++) {
    memex_thread *new_thread = thread_create(store, (uint32_t)b + 1);
    double t = now();
    for (size_t i = 0; i < BLOCK; i++) {
      Message m = message_at(at + b * BLOCK + i, &scratch);
      append(thread, m.body, m.body_len);
    }
    grown[b] = (now() - t) / BLOCK;
    t = now();
    for (size_t i = 0; i < BLOCK; i++) {
      Message m = message_at(at + b * BLOCK + i, &scratch);
      append(new_thread, m.body, m.body_len);
    }
    fresh[b] = (now() - t) / BLOCK;
    expect_count(new_thread, BLOCK);
    memex_thread_free(new_thread);
  }
  size_t total = at + blocks * BLOCK;
  expect_count(thread, (int64_t)total);
  Message m = message_at(total - 1, &scratch);
  expect_body(thread, (int64_t)total, m.body, m.body_len);
  printf("{\"grown_us\":%.3f,\"fresh_us\":%.3f}\n", median(grown, blocks) * 1e6, median(fresh, blocks) * 1e6);
  CALL(memex_store_close(store, &error));
}

int main(int argc, char **argv) {
  int is_append = argc == 9 && !strcmp(argv[1], "append"), is_growth = argc == 7 && !strcmp(argv[1], "growth");
  if (!is_append && !is_growth) fail(argv[0], "wrong arguments; see the head of redis_bench.c");
  messages_load(argv[4]);
  set_up(argv[2], argv[3]);
  if (is_append) append_main(argv);
  else growth_main(argv);
  tear_down();
  return 0;
}
