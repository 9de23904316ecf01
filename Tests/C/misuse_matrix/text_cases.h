/* Texts that are absent, of a wrong length, or not what they should be. */
#ifndef MISUSE_MATRIX_TEXT_CASES_H
#define MISUSE_MATRIX_TEXT_CASES_H

#include "perform.h"

static void case_text(const function *f, int t, text value, const answers *right, const char *what) {
  fixture x;
  begin(f, "%s %s (%#zx)", f->text[t].name, what, value.len);
  fixture_open(&x, f->context == CONTEXT_BACKEND ? ON_BACKEND : ON_MEMORY);
  call c = arguments_of(f, &x);
  c.text[t] = value;
  outcome o = perform(f, f->context, &x, &c, 0, 0);
  judge(&o, right);
  fixture_close(&x);
}

static void cases_text(const function *f, int t) {
  static const answers invalid = {1, {MEMEX_E_INVALID}};
  static const answers refused = {2, {MEMEX_E_INVALID, MEMEX_E_NOT_FOUND}};
  static const answers too_long = {4, {MEMEX_E_INVALID, MEMEX_E_LIMIT, MEMEX_E_NO_MEMORY, MEMEX_E_NOT_FOUND}};
  static const answers any_text = {2, {MEMEX_OK, MEMEX_E_INVALID}};
  static const size_t huge[] = {SIZE_MAX - 1, (size_t)1 << 63, ((size_t)1 << 63) - 1, (size_t)1 << 40};
  static char long_id[300];
  int sort = f->text[t].kind;
  case_text(f, t, (text){NULL, 0}, &f->text[t].missing, "NULL, length 0");
  if (sort != TEXT_BYTES)
    case_text(f, t, (text){NULL, MEMEX_NTS}, &f->text[t].missing, "NULL, MEMEX_NTS");
  case_text(f, t, (text){NULL, 5}, &invalid, "NULL, length 5");
  if (f->text[t].valid.data && sort != TEXT_BYTES)
    case_text(f, t, (text){f->text[t].valid.data, MEMEX_NTS}, &f->valid, "with MEMEX_NTS");
  for (size_t i = 0; i < sizeof huge / sizeof *huge; i++)
    case_text(f, t, (text){"{}", huge[i]}, &too_long, "with a huge length");
  if (sort == TEXT_BYTES) {
    case_text(f, t, (text){"\xff\xfe\0", 3}, &any_text, "not UTF-8");
    return;
  }
  case_text(f, t, (text){"\"\xff\xfe\"", 4}, sort == TEXT_JSON || sort == TEXT_TEXT ? &invalid : &refused,
            "not UTF-8");
  case_text(f, t, (text){"\"\xed\xa0\x80\"", 5}, sort == TEXT_JSON || sort == TEXT_TEXT ? &invalid : &refused,
            "with a surrogate");
  if (sort == TEXT_JSON) {
    case_text(f, t, (text){"{\"id\":\"x\"}", 6}, &invalid, "cut short");
    case_text(f, t, (text){"", 0}, &f->text[t].missing, "of length 0");
    case_text(f, t, (text){"{\"a\":1,\"a\":2}", 13}, &invalid, "with a key twice");
    case_text(f, t, (text){"\xef\xbb\xbf{}", 5}, &invalid, "with a byte order mark");
    case_text(f, t, (text){"17", 2}, &invalid, "that is a number");
  } else if (sort == TEXT_ID) {
    memset(long_id, 'x', sizeof long_id);
    case_text(f, t, (text){long_id, 256}, &too_long, "of 256 bytes");
    case_text(f, t, (text){"a\0b", 3}, &refused, "with a NUL");
    case_text(f, t, (text){"", 0}, &invalid, "of length 0");
  }
}

#endif
