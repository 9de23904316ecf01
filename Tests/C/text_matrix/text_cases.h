/* Lengths of any argument, ids and bare texts. */
#ifndef TEXT_MATRIX_TEXT_CASES_H
#define TEXT_MATRIX_TEXT_CASES_H

#include "check.h"

static int is_json(const struct argument *a) { return a->kind <= LIST; }

static void lengths(const struct argument *a) {
  static const size_t huge[] = {(size_t)-2, (size_t)-1 - 4096, SIZE_MAX / 2 + 1, SIZE_MAX / 2, SIZE_MAX / 2 - 64,
                                (size_t)1 << 40};
  uint64_t absent = a->optional ? OK | NOT_FOUND : INVALID;
  if (a->run == context_request || a->run == context_messages_request) absent |= INVALID;
  if (a->kind == TEXT) absent |= OK;
  if (a->run == command_name) absent |= NOT_FOUND;
  check(a, "NULL, 0", NULL, 0, absent, 0, NULL);
  check(a, "NULL, MEMEX_NTS", NULL, MEMEX_NTS, absent, 0, NULL);
  check(a, "NULL, 5", NULL, 5, INVALID, 0, NULL);
  check(a, "NULL, 2^63", NULL, SIZE_MAX / 2 + 1, INVALID, 0, NULL);
  check(a, "empty", "", 0, absent | INVALID | (a->kind == NAME ? NOT_FOUND : 0), 0, NULL);
  check(a, "empty, MEMEX_NTS", "", MEMEX_NTS, absent | INVALID | (a->kind == NAME ? NOT_FOUND : 0), 0, NULL);
  for (size_t i = 0; i < sizeof huge / sizeof *huge; i++) {
    char what[40];
    snprintf(what, sizeof what, "length %zx", huge[i]);
    /* Text that ends where memory does: a byte further is a crash. The first byte is fine in JSON and text. */
    check(a, what, is_json(a) ? at_edge("{}", 2) : at_edge("xy", 2), huge[i], INVALID | LIMIT | NOT_FOUND, 0, NULL);
  }
}

static void ids(const struct argument *a) {
  static const struct {
    const char *what, *text;
    size_t len;
  } bad[] = {
#define T(what, text) {what, text, sizeof text - 1}
      T("NUL", "a\0b"),
      T("line feed", "a\nb"),
      T("escape", "\x1b[0m"),
      T("delete", "a\x7f"),
      T("C1 control", "a\xc2\x85"),
      T("invalid UTF-8", "\xff"),
      T("cut UTF-8", "a\xe2\x82"),
      T("surrogate", "\xed\xa0\x80"),
      T("overlong", "\xc0\xaf"),
#undef T
  };
  char longest[300];
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    check(a, bad[i].what, at_edge(bad[i].text, bad[i].len), bad[i].len,
          a->kind == NAME ? INVALID | NOT_FOUND : INVALID, 0, NULL);
  memset(longest, 'x', sizeof longest);
  check(a, "256 bytes", at_edge(longest, 256), 256, INVALID | LIMIT | (a->kind == NAME ? NOT_FOUND : 0), 0, NULL);
  if (a->kind == ID) check(a, "255 bytes", at_edge(longest, 255), 255, NOT_FOUND, 0, NULL);
  if (a->kind == ID) check(a, "SQL", "x'; drop table messages; --", MEMEX_NTS, NOT_FOUND, 0, NULL);
  if (a->kind == ID) check(a, "any script", "\xe6\x80\xa5\xe9\xa0\x88 %s ../..", MEMEX_NTS, NOT_FOUND, 0, NULL);
}

static void texts(const struct argument *a) {
  static const char *const bad[] = {"\xff", "a\xe2\x82", "\xed\xa0\x80", "\xc0\xaf", "\xf5\x80\x80\x80", "ok\x80"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    check(a, "invalid UTF-8", at_edge(bad[i], strlen(bad[i])), strlen(bad[i]), INVALID, WANTS_PLACE, NULL);
  check(a, "NUL and controls", "a\0b\x01\x7f\n", 6, OK, 0, NULL);
  check(a, "quotes and backslashes", "\"\\\"\\u0041", MEMEX_NTS, OK, 0, NULL);
}

#endif
