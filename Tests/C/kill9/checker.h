/* Opens a file that lost its writers and compares it with what they had been told. */
#ifndef KILL9_CHECKER_H
#define KILL9_CHECKER_H

#include "pages.h"

/* Halves and duplicates: every part of an append once, in a row, in its conversation. */
static void check_whole(void) {
  for (size_t i = 0; i < found.count;) {
    const stored *first = &found.list[i];
    size_t end = i;
    while (end < found.count && found.list[end].nonce == first->nonce) end++;
    int good = end - i == first->n;
    for (size_t j = i; good && j < end; j++) {
      const stored *s = &found.list[j];
      good = s->k == j - i && s->n == first->n && s->kind == first->kind;
      if (good && s->kind == 'm')
        good = s->conversation == first->conversation && s->seq == first->seq + (int64_t)s->k;
      else if (good)
        good = s->conversation == (first->conversation + s->k) % CONVERSATIONS;
    }
    if (!good) {
      halves++;
      EXPECT(0, "append %016" PRIx64 ": %zu of %u parts, or not in a row", first->nonce, end - i, first->n);
    }
    i = end;
  }
}

static void check_acknowledged(void) {
  for (size_t i = 0; i < acknowledged.count; i++) {
    const acknowledgement *a = &acknowledged.list[i];
    stored key, *s;
    memset(&key, 0, sizeof key);
    key.nonce = a->nonce;
    s = found.count ? bsearch(&key, found.list, found.count, sizeof key, by_nonce) : NULL;
    if (!s || s->n != a->count || s->conversation != a->conversation ||
        (a->first_seq && s->seq != a->first_seq)) {
      lost++;
      EXPECT(0, "append %016" PRIx64 " to t%u was acknowledged with seq %" PRId64 " and is %s", a->nonce,
             a->conversation, a->first_seq, s ? "elsewhere" : "lost");
    }
  }
}

/* Read-only, so that the log stays for the next writers to check in, or as a user would open it. */
static void check_file(const char *name, int thorough) {
  char config[500];
  memex_store *store = NULL;
  memex_error *error = NULL;
  memex_bytes report = {NULL, 0};
  abi_config(config, sizeof config, name, thorough ? "" : ",\"read_only\":true");
  memex_status status = memex_store_open(config, MEMEX_NTS, &store, &error);
  int nothing = status == MEMEX_E_NOT_FOUND && !thorough && acknowledged.count == 0;
  EXPECT(status == MEMEX_OK || nothing, "it does not open: %s", error ? memex_error_message(error) : "");
  memex_error_free(error);
  if (status) return;
  read_all(store);
  check_whole();
  check_acknowledged();
  if (thorough) {
    EXPECT_STATUS(memex_store_command(store, "check", MEMEX_NTS, NULL, 0, &report, NULL), MEMEX_OK);
    EXPECT(report.data && strstr(report.data, "\"ok\":true"), "check says %s", report.data ? report.data : "");
    memex_bytes_free(&report);
  }
  EXPECT_STATUS(memex_store_close(store, NULL), MEMEX_OK);
}

#endif
