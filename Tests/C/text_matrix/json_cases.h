/* JSON that is broken, of the wrong type, or has keys and values that are wrong. */
#ifndef TEXT_MATRIX_JSON_CASES_H
#define TEXT_MATRIX_JSON_CASES_H

#include "check.h"

static void broken_json(const struct argument *a) {
  static const struct {
    const char *what, *text;
    size_t len;
  } broken[] = {
#define T(what, text) {what, text, sizeof text - 1}
      T("byte order mark", "\xef\xbb\xbf{}"),
      T("UTF-16", "\xff\xfe{\0}\0"),
      T("invalid UTF-8 in a key", "{\"x\xff\":1}"),
      T("invalid UTF-8 in a value", "{\"x\":\"\xc3(\"}"),
      T("overlong slash", "{\"x\":\"\xc0\xaf\"}"),
      T("surrogate in UTF-8", "{\"x\":\"\xed\xa0\x80\"}"),
      T("above U+10FFFF", "{\"x\":\"\xf4\x90\x80\x80\"}"),
      T("cut UTF-8", "{\"x\":\"\xe2\x82"),
      T("lone high surrogate", "{\"x\":\"\\ud800\"}"),
      T("lone low surrogate", "{\"x\":\"\\udc00 \"}"),
      T("surrogates in the wrong order", "{\"x\":\"\\udc00\\ud800\"}"),
      T("NUL in the text", "{\"x\":\"\0\"}"),
      T("NUL between", "{\"x\":\0""1}"),
      T("NUL at the end", "{}\0"),
      T("a raw line feed", "{\"x\":\"\n\"}"),
      T("unterminated object", "{"),
      T("unterminated array", "["),
      T("unterminated string", "{\"x"),
      T("unterminated value", "{\"x\":\"y"),
      T("unterminated escape", "{\"x\":\"\\"),
      T("unterminated \\u", "{\"x\":\"\\u12"),
      T("key alone", "{\"x\"}"),
      T("trailing comma", "{\"x\":1,}"),
      T("two values", "{} {}"),
      T("garbage behind", "{}x"),
      T("comment", "{/* */}"),
      T("single quotes", "{'x':1}"),
      T("bare key", "{x:1}"),
      T("NaN", "{\"x\":NaN}"),
      T("leading zero", "{\"x\":01}"),
      T("hexadecimal", "{\"x\":0x1}"),
      T("plus", "{\"x\":+1}"),
      T("bare point", "{\"x\":1.}"),
      T("bad escape", "{\"x\":\"\\x41\"}"),
      T("TRUE", "{\"x\":TRUE}"),
      T("white space alone", "  \n"),
      T("duplicate key", "{\"x\":1,\"x\":1}"),
      T("duplicate key, escaped", "{\"x\":1,\"\\u0078\":1}"),
      T("duplicate key, deep", "{\"metadata\":{\"y\":[{\"x\":1,\"x\":2}]}}"),
#undef T
  };
  char deep[600];
  for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
    check(a, broken[i].what, at_edge(broken[i].text, broken[i].len), broken[i].len, INVALID, WANTS_PLACE, NULL);
    /* The same within a message, where the scanner takes it first. */
    if (a->kind == BODY && broken[i].text[0] == '{' && broken[i].text[1] == '"') {
      char inside[200];
      size_t n = (size_t)sprintf(inside, "{\"role\":\"user\",\"content\":\"c\",");
      memcpy(inside + n, broken[i].text + 1, broken[i].len - 1);
      check(a, broken[i].what, at_edge(inside, n + broken[i].len - 1), n + broken[i].len - 1, INVALID, WANTS_PLACE,
            NULL);
    }
  }
  size_t n = (size_t)sprintf(deep, "{\"role\":\"user\",\"content\":\"c\",\"metadata\":{\"x\":");
  /* Metadata has 128 levels for itself, the options around it not counted. */
  size_t arrays = a->kind == BODY ? 127 : 128;
  memset(deep + n, '[', arrays);
  memset(deep + n + arrays, ']', arrays);
  memcpy(deep + n + 2 * arrays, "}}", 3);
  check(a, "129 levels", deep, MEMEX_NTS, LIMIT, WANTS_PLACE, NULL);
  memset(deep, '[', 500);
  check(a, "500 open arrays", deep, 500, INVALID | LIMIT, WANTS_PLACE, NULL);
}

static void wrong_types(const struct argument *a) {
  static const char *const others[] = {"null", "true", "1", "-1.5e3", "\"text\"", "[[]]"};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    check(a, others[i], others[i], MEMEX_NTS, INVALID, 0, NULL);
  if (a->kind == OPTIONS || a->kind == PATCH || a->kind == BODY)
    check(a, "an array of numbers", "[1]", MEMEX_NTS, INVALID, 0, NULL);
  if (a->kind == BODY) {
    check(a, "no role", "{}", 2, INVALID | OK, 0, NULL);
    check(a, "an empty array", "[]", 2, INVALID | OK, 0, NULL);
    check(a, "a role that is no text", "{\"role\":1,\"content\":\"x\"}", MEMEX_NTS, INVALID | OK, 0, NULL);
    check(a, "the second is wrong", "[" USER ",7]", MEMEX_NTS, INVALID, WANTS_PLACE, NULL);
    check(a, "the second is broken", "[" USER ",{\"role\":]", MEMEX_NTS, INVALID, WANTS_PLACE, NULL);
  }
}

/* Every known key with values of every other sort; and keys that are unknown. */
static void keys(const struct argument *a) {
  static const char *const unknown[] = {"zzz", "Url", "id ", "\\u0000", "", "metadata.x", "idempotencyKey"};
  char text[300], path[100], list[400];
  for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
    const char *url = a->run == store_open_config ? "\"url\":\"memory:\"," : "";
    snprintf(text, sizeof text, "{%s\"%s\":1}", url, unknown[i]);
    /* A key that cannot be said is named by its offset. */
    check(a, text, text, MEMEX_NTS, INVALID, unknown[i][0] == '\\' ? WANTS_PLACE : WANTS_PATH, "/");
  }
  snprintf(list, sizeof list, "%s", a->keys);
  for (char *key = strtok(list, " "); key; key = strtok(NULL, " ")) {
    char *colon = strchr(key, ':');
    char sort = colon[1];
    *colon = 0;
    static const struct {
      const char *sorts, *value;
    } values[] = {
        {"", "null"},   {"b", "true"}, {"i", "1"},   {"", "1.5"}, {"", "9223372036854775808"}, {"", "1e400"},
        {"sd", "\"x\""}, {"a", "[]"},   {"o", "{}"},  {"", "-1"},  {"", "-9223372036854775809"},
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
      if (strchr(values[i].sorts, sort) && values[i].sorts[0]) continue;
      /* A merge patch takes null: it removes. */
      if (a->run == thread_update_patch && strcmp(values[i].value, "null") == 0) continue;
      const char *url = a->run == store_open_config && strcmp(key, "url") != 0 ? "\"url\":\"memory:\"," : "";
      snprintf(text, sizeof text, "{%s\"%s\":%s}", url, key, values[i].value);
      snprintf(path, sizeof path, "/%s", key);
      check(a, text, text, MEMEX_NTS, INVALID, WANTS_PATH, path);
    }
    if (sort == 'd') {
      static const char *const bad[] = {"", "\\u0000", "a\\nb", "\\u007f", "\\u0085"};
      for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(text, sizeof text, "{\"%s\":\"%s\"}", key, bad[i]);
        check(a, text, text, MEMEX_NTS, INVALID, WANTS_PATH, path);
      }
      char longest[400];
      int n = sprintf(longest, "{\"%s\":\"", key);
      memset(longest + n, 'x', 256);
      strcpy(longest + n + 256, "\"}");
      check(a, "an id of 256 bytes", longest, MEMEX_NTS, INVALID | LIMIT, WANTS_PATH, path);
    }
  }
}

#endif
