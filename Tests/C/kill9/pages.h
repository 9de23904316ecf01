/* Reads all that a store holds into the ledger, in packed pages. */
#ifndef KILL9_PAGES_H
#define KILL9_PAGES_H

#include "ledger.h"

static uint32_t u32(const char *from) {
  uint32_t value;
  memcpy(&value, from, sizeof value);
  return value;
}

/* Takes a packed page apart; every body is compared with what its writer made. */
static void take_page(unsigned conversation, const memex_bytes *page, int64_t *next_seq, char *body) {
  uint32_t n = u32(page->data + 4);
  const char *seqs = page->data + 16, *lengths = seqs + (size_t)n * 32, *codes = lengths + (size_t)n * 4;
  const char *text = codes + n;
  NEED(memcmp(page->data, "MXP2", 4) == 0);
  for (uint32_t i = 0; i < n; i++) {
    stored s;
    int64_t seq;
    size_t length = u32(lengths + i * 4);
    memcpy(&seq, seqs + i * 8, sizeof seq);
    if (seq != *next_seq) {
      gaps++;
      EXPECT(0, "t%u: seq %" PRId64 " where %" PRId64 " was due", conversation, seq, *next_seq);
    }
    *next_seq = seq + 1;
    memset(&s, 0, sizeof s);
    /* Without the content's quotes, the packed layout gives the bare text. */
    int content_only = codes[i] != 0;
    const char *content = text + (content_only ? 0 : strlen("{\"role\":\"user\",\"content\":\""));
    int intact = sscanf(content, "%c %16" SCNx64 " %u %u", &s.kind, &s.nonce, &s.k, &s.n) == 4;
    if (intact) {
      size_t whole = make_body(body, s.nonce, s.k, s.n, s.kind);
      const char *wanted = body;
      if (content_only) {
        wanted += strlen("{\"role\":\"user\",\"content\":\"");
        whole -= strlen("{\"role\":\"user\",\"content\":\"") + 2;
      }
      intact = whole == length && memcmp(wanted, text, length) == 0;
    }
    if (!intact) {
      damaged++;
      EXPECT(0, "t%u: the body of seq %" PRId64 " is damaged", conversation, seq);
    }
    text += length + 1;
    s.conversation = conversation;
    s.seq = seq;
    if (found.count == found.room) found.list = grown(found.list, &found.room, sizeof *found.list);
    found.list[found.count++] = s;
  }
}

static void read_all(memex_store *store) {
  char *body = malloc(BODY_ROOM);
  memex_error *error = NULL;
  NEED(body);
  found.count = 0;
  for (unsigned c = 0; c < CONVERSATIONS; c++) {
    char id[8];
    memex_thread *thread = NULL;
    memex_cursor *cursor = NULL;
    memex_bytes page = {NULL, 0};
    int64_t next_seq = 1, count = 0;
    snprintf(id, sizeof id, "t%u", c);
    memex_status status = memex_thread_open(store, id, MEMEX_NTS, &thread, NULL);
    if (status == MEMEX_E_NOT_FOUND) continue;
    EXPECT_STATUS(status, MEMEX_OK);
    if (EXPECT_STATUS(memex_thread_messages(thread, "{\"layout\":\"packed\",\"page_size\":2000}", MEMEX_NTS,
                                            &cursor, &error),
                      MEMEX_OK)) {
      while ((status = memex_cursor_next(cursor, &page, &error)) == MEMEX_OK) {
        take_page(c, &page, &next_seq, body);
        memex_bytes_free(&page);
      }
      EXPECT_STATUS(status, MEMEX_DONE);
    }
    EXPECT_STATUS(memex_thread_count(thread, &count, NULL), MEMEX_OK);
    if (count != next_seq - 1) {
      gaps++;
      EXPECT(0, "t%u: count is %" PRId64 ", read were %" PRId64, c, count, next_seq - 1);
    }
    memex_error_free(error);
    error = NULL;
    memex_cursor_free(cursor);
    memex_thread_free(thread);
  }
  free(body);
  qsort(found.list, found.count, sizeof *found.list, by_nonce);
}

#endif
