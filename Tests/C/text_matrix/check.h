/* One call with one text: its status, its error, and that nothing was written. */
#ifndef TEXT_MATRIX_CHECK_H
#define TEXT_MATRIX_CHECK_H

#include <sys/mman.h>

#include "arguments.h"

/* What the store holds: documents, messages, threads. */
static char *snapshot(void) {
  memex_bytes bytes = {NULL, 0};
  memex_cursor *cursor = NULL;
  char *all = calloc(1, 200000);
  NEED(all);
  for (int which = 0; which < 2; which++) {
    memex_status status = which ? memex_thread_list(store, NULL, 0, &cursor, NULL)
                                : memex_thread_messages(thread, "{\"include_deleted\":true}", MEMEX_NTS, &cursor, NULL);
    NEED(status == MEMEX_OK);
    while (memex_cursor_next(cursor, &bytes, NULL) == MEMEX_OK) {
      NEED(strlen(all) + bytes.len < 190000);
      memcpy(all + strlen(all), bytes.data, bytes.len);
      memex_bytes_free(&bytes);
    }
    memex_cursor_free(cursor);
  }
  return all;
}

static char *state_before;

static void expect_unchanged(void) {
  char *now = snapshot();
  EXPECT(strcmp(now, state_before) == 0, "something was written: %.3000s", now);
  free(state_before);
  state_before = now;
}

/* What may come back: a set of statuses, as bits of -status; bit 0 is OK. */
#define MAY(status) (UINT64_C(1) << -(status))

enum { WANTS_PLACE = 1, WANTS_PATH = 2 };

static char now_text[200];

static void check(const struct argument *a, const char *what, const char *data, size_t len, uint64_t right, int place,
                  const char *path) {
  memex_error *error = NULL;
  snprintf(now_text, sizeof now_text, "%s: %s", a->name, what);
  abi_now = now_text;
  memex_status status = a->run(data, len, &error);
  EXPECT(status <= 0 && (right & MAY(status)), "%s", memex_status_name(status));
  if (status < 0) {
    const char *details = memex_error_details(error), *text = memex_error_message(error);
    EXPECT(memex_error_code(error) == status && text && *text, "an error without a message");
    if (details && place == WANTS_PLACE)
      EXPECT(strstr(details, "\"offset\":") || strstr(details, "\"path\":"), "details are %s, message is %s", details,
             text);
    if (details && place == WANTS_PATH) {
      char wanted[100];
      snprintf(wanted, sizeof wanted, "\"path\":\"%s", path);
      EXPECT(strstr(details, wanted), "details are %s instead of %s, message is %s", details, wanted, text);
    }
  } else {
    EXPECT(!error, "success with an error");
  }
  memex_error_free(error);
  if (status < 0 && a->writes) expect_unchanged();
  if (status == 0 && a->writes) { /* it was allowed to */
    free(state_before);
    state_before = snapshot();
  }
}

static const uint64_t INVALID = UINT64_C(1) << 1, LIMIT = UINT64_C(1) << 14, NOT_FOUND = UINT64_C(1) << 2, OK = 1;

/* Pages that fault beyond their end, so that reading over a length shows. */
static char *edge;
enum { EDGE = 4096 };

/* The text at the very end of readable memory. */
static const char *at_edge(const char *data, size_t len) {
  memcpy(edge + EDGE - len, data, len);
  return edge + EDGE - len;
}

#endif
