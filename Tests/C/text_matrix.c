/* Every text and JSON argument of every function with every sort of wrong text: the documented status, an error
   with the path or the offset in its details, and nothing written. A new argument gets a row in `arguments`. */
#include <sys/mman.h>

#include "abi_support.h"

/* --------------------------------------------------------------------------------------- arguments -- */

static memex_store *store;
static memex_thread *thread;
static memex_message *message;

typedef enum kind {
  OPTIONS, /* a JSON object of known keys */
  PATCH,   /* a JSON object of any keys */
  BODY,    /* a message, or an array of them */
  LIST,    /* an array, or one object, of something else */
  ID,
  NAME,
  TEXT
} kind;

typedef memex_status (*call)(const char *data, size_t len, memex_error **error);

/* A call that succeeds by mistake must not change what the next one finds: outputs are dropped. */
#define CALL(name, ...)                                                                  \
  static memex_status name(const char *data, size_t len, memex_error **error) {          \
    memex_bytes out = {NULL, 0};                                                         \
    void *made = NULL;                                                                   \
    memex_status status = __VA_ARGS__;                                                   \
    if (status < 0 && (out.data || made)) EXPECT(0, #name " left an output");            \
    memex_bytes_free(&out);                                                              \
    drop(made);                                                                          \
    return status;                                                                       \
  }

/* Frees a handle of whatever type; the others' functions find nothing of theirs. */
static void drop(void *made) {
  if (!made) return;
  memex_thread_free(made);
  memex_message_free(made);
  memex_cursor_free(made);
  memex_strategy_free(made);
  memex_txn_rollback(made);
  memex_store_close(made, NULL);
}

static int32_t no_strategy(void *user_data, const char *input, size_t len, memex_reply *reply) {
  (void)user_data, (void)input, (void)len, (void)reply;
  return 0;
}

#define USER "{\"role\":\"user\",\"content\":\"x\"}"

CALL(store_open_config, memex_store_open(data, len, (memex_store **)&made, error))
CALL(session_open_options, memex_session_open(store, data, len, (memex_store **)&made, error))
CALL(command_name, memex_store_command(store, data, len, NULL, 0, &out, error))
CALL(command_arguments, memex_store_command(store, "stats", MEMEX_NTS, data, len, &out, error))
CALL(txn_begin_options, memex_txn_begin(store, data, len, (memex_txn **)&made, error))
CALL(thread_create_init, memex_thread_create(store, data, len, (memex_thread **)&made, error))
CALL(thread_open_id, memex_thread_open(store, data, len, (memex_thread **)&made, error))
CALL(thread_update_patch, memex_thread_update(thread, data, len, NULL, 0, &out, error))
CALL(thread_update_options, memex_thread_update(thread, "{}", 2, data, len, &out, error))
CALL(thread_delete_id, memex_thread_delete(store, data, len, NULL, 0, error))
CALL(thread_delete_options, memex_thread_delete(store, "nobody", 6, data, len, error))
CALL(thread_fork_options, memex_thread_fork(thread, data, len, (memex_thread **)&made, error))
CALL(thread_list_query, memex_thread_list(store, data, len, (memex_cursor **)&made, error))
CALL(append_messages, memex_thread_append(thread, data, len, NULL, 0, NULL, error))
CALL(append_options, memex_thread_append(thread, USER, MEMEX_NTS, data, len, NULL, error))
CALL(append_text_role, memex_thread_append_text(thread, data, len, "x", 1, NULL, 0, NULL, error))
CALL(append_text_text, memex_thread_append_text(thread, "user", 4, data, len, NULL, 0, NULL, error))
CALL(append_text_options, memex_thread_append_text(thread, "user", 4, "x", 1, data, len, NULL, error))
CALL(messages_query, memex_thread_messages(thread, data, len, (memex_cursor **)&made, error))
CALL(message_open_id, memex_message_open(thread, data, len, (memex_message **)&made, error))
CALL(replace_body, memex_message_replace(message, data, len, NULL, 0, error))
CALL(replace_options, memex_message_replace(message, USER, MEMEX_NTS, data, len, error))
CALL(metadata_patch, memex_message_update_metadata(message, data, len, NULL, 0, error))
CALL(metadata_options, memex_message_update_metadata(message, "{}", 2, data, len, error))
CALL(message_delete_options, memex_message_delete(message, data, len, error))
CALL(strategy_pipeline, memex_strategy_open(data, len, (memex_strategy **)&made, error))
CALL(context_request, memex_context_build(thread, NULL, data, len, &out, error))
CALL(context_messages, memex_context_build_messages(NULL, data, len, NULL, 0, &out, error))
CALL(context_messages_request, memex_context_build_messages(NULL, "[]", 2, data, len, &out, error))
CALL(register_strategy_name, memex_register_strategy(data, len, no_strategy, NULL, NULL, error))
CALL(unregister_kind, memex_unregister(data, len, "nobody", 6, error))
CALL(unregister_name, memex_unregister("strategy", 8, data, len, error))

/* Known keys with the sort of their values: i integer, s text, b bool, o object, a array, d id. */
static const struct argument {
  const char *name;
  call run;
  kind kind;
  int optional;
  int writes; /* succeeds with a good text, and then writes */
  const char *keys;
} arguments[] = {
    {"memex_store_open config", store_open_config, OPTIONS, 0, 0,
     "url:s durability:s timeout_us:i create:b read_only:b tokenizer:s"},
    {"memex_session_open options", session_open_options, OPTIONS, 1, 0, "tenant:s principal:s"},
    {"memex_store_command name", command_name, NAME, 0, 0, NULL},
    {"memex_store_command arguments", command_arguments, OPTIONS, 1, 0, ""},
    {"memex_txn_begin options", txn_begin_options, OPTIONS, 1, 0, ""},
    {"memex_thread_create init", thread_create_init, OPTIONS, 1, 1, "id:d title:s metadata:o created_at_us:i"},
    {"memex_thread_open id", thread_open_id, ID, 0, 0, NULL},
    {"memex_thread_update patch", thread_update_patch, OPTIONS, 0, 1, "title:s metadata:o"},
    {"memex_thread_update options", thread_update_options, OPTIONS, 1, 1, "if_version:i"},
    {"memex_thread_delete id", thread_delete_id, ID, 0, 0, NULL},
    {"memex_thread_delete options", thread_delete_options, OPTIONS, 1, 0, "if_version:i erase:b"},
    {"memex_thread_fork options", thread_fork_options, OPTIONS, 1, 1,
     "at_seq:i id:d title:s metadata:o created_at_us:i"},
    {"memex_thread_list query", thread_list_query, OPTIONS, 1, 0,
     "order:s descending:b limit:i page_size:i root:d filter:o cursor:s"},
    {"memex_thread_append messages", append_messages, BODY, 0, 1, NULL},
    {"memex_thread_append options", append_options, OPTIONS, 1, 1,
     "idempotency_key:d expect_seq:i format:s timeout_us:i created_at_us:i metadata:o provenance:o pinned:b state:s "
     "id:d messages:a"},
    {"memex_thread_append_text role", append_text_role, NAME, 0, 1, NULL},
    {"memex_thread_append_text text", append_text_text, TEXT, 0, 1, NULL},
    {"memex_thread_append_text options", append_text_options, OPTIONS, 1, 1,
     "idempotency_key:d expect_seq:i timeout_us:i created_at_us:i metadata:o provenance:o pinned:b state:s id:d"},
    {"memex_thread_messages query", messages_query, OPTIONS, 1, 0,
     "last:i from_seq:i to_seq:i after_seq:i before_seq:i limit:i page_size:i descending:b include_deleted:b layout:s "
     "cursor:s"},
    {"memex_message_open id", message_open_id, ID, 0, 0, NULL},
    {"memex_message_replace body", replace_body, BODY, 0, 1, NULL},
    {"memex_message_replace options", replace_options, OPTIONS, 1, 1, "if_rev:i state:s pinned:b"},
    {"memex_message_update_metadata patch", metadata_patch, PATCH, 0, 1, NULL},
    {"memex_message_update_metadata options", metadata_options, OPTIONS, 1, 1, "if_rev:i pinned:b"},
    {"memex_message_delete options", message_delete_options, OPTIONS, 1, 1, "if_rev:i erase:b"},
    {"memex_strategy_open pipeline", strategy_pipeline, LIST, 1, 0, NULL},
    {"memex_context_build request", context_request, OPTIONS, 1, 0, "max_tokens:i provider:s examine:i"},
    {"memex_context_build_messages messages", context_messages, LIST, 0, 0, NULL},
    {"memex_context_build_messages request", context_messages_request, OPTIONS, 1, 0,
     "max_tokens:i provider:s examine:i"},
    {"memex_register_strategy name", register_strategy_name, NAME, 0, 0, NULL},
    {"memex_unregister kind", unregister_kind, NAME, 0, 0, NULL},
    {"memex_unregister name", unregister_name, NAME, 0, 0, NULL},
};

/* ------------------------------------------------------------------------------------------ nothing -- */

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

/* -------------------------------------------------------------------------------------------- cases -- */

static const uint64_t INVALID = UINT64_C(1) << 1, LIMIT = UINT64_C(1) << 14, NOT_FOUND = UINT64_C(1) << 2, OK = 1;

/* Pages that fault beyond their end, so that reading over a length shows. */
static char *edge;
enum { EDGE = 4096 };

/* The text at the very end of readable memory. */
static const char *at_edge(const char *data, size_t len) {
  memcpy(edge + EDGE - len, data, len);
  return edge + EDGE - len;
}

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
  memset(deep + n, '[', 127);
  memset(deep + n + 127, ']', 127);
  memcpy(deep + n + 254, "}}", 3);
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

/* Offsets that are known. */
static void offsets(void) {
  static const struct {
    const char *text;
    int offset;
  } known[] = {{"{\"role\":\"user\",\"content\":\"\xff\"}", 26},
               {"\xef\xbb\xbf" USER, 0},
               {"{\"role\":\"user\",\"content\":\"ab\\ud800\"}", 28},
               {"{\"role\":\"user\" \"content\":1}", 15},
               {"{\"role\":\"user\",\"content\":tru}", 25}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    memex_error *error = NULL;
    char wanted[40];
    abi_now = "offsets";
    EXPECT_STATUS(memex_thread_append(thread, known[i].text, MEMEX_NTS, NULL, 0, NULL, &error), MEMEX_E_INVALID);
    snprintf(wanted, sizeof wanted, "\"offset\":%d", known[i].offset);
    const char *details = memex_error_details(error);
    const char *at = details ? strstr(details, "\"offset\":") : NULL;
    /* The byte, or one of the token that it ends. */
    EXPECT(at && labs(strtol(at + 9, NULL, 10) - known[i].offset) <= 3, "%s: details are %s, not %s", known[i].text,
           details, wanted);
    memex_error_free(error);
  }
}

static void run(const char *config) {
  memex_bytes bytes = {NULL, 0};
  char *kept;
  NEED(memex_store_open(config, MEMEX_NTS, &store, NULL) == MEMEX_OK);
  NEED(memex_thread_create(store, "{\"id\":\"t\",\"title\":\"T\",\"metadata\":{\"k\":1}}", MEMEX_NTS, &thread, NULL) ==
       MEMEX_OK);
  NEED(memex_thread_append(thread, "[" USER "," USER "]", MEMEX_NTS, NULL, 0, NULL, NULL) == MEMEX_OK);
  state_before = snapshot();
  for (size_t i = 0; i < sizeof arguments / sizeof *arguments; i++) {
    const struct argument *a = &arguments[i];
    alarm(60);
    /* A delete that was allowed to succeed leaves no message to work with. */
    NEED(memex_thread_append(thread, USER, MEMEX_NTS, NULL, 0, NULL, NULL) == MEMEX_OK);
    int64_t count = 0;
    memex_cursor *cursor = NULL;
    NEED(memex_thread_messages(thread, "{\"last\":1,\"layout\":\"packed\"}", MEMEX_NTS, &cursor, NULL) == MEMEX_OK);
    NEED(memex_cursor_next(cursor, &bytes, NULL) == MEMEX_OK);
    memcpy(&count, bytes.data + 16, sizeof count);
    memex_bytes_free(&bytes);
    memex_cursor_free(cursor);
    NEED(memex_message_at(thread, count, &message, NULL) == MEMEX_OK);
    free(state_before);
    state_before = snapshot();
    if (a->kind == ID || a->kind == NAME) ids(a);
    if (a->kind == TEXT) texts(a);
    if (is_json(a)) broken_json(a);
    if (is_json(a)) wrong_types(a);
    if (a->kind == OPTIONS) keys(a);
    lengths(a);
    memex_message_free(message);
  }
  kept = state_before;
  offsets();
  state_before = kept;
  expect_unchanged();
  free(state_before);
  memex_thread_free(thread);
  EXPECT_STATUS(memex_store_close(store, NULL), MEMEX_OK);
}

int main(void) {
  char config[500];
  setvbuf(stdout, NULL, _IOLBF, 0);
  abi_make_folder();
  abi_watch("texts", 60);
  edge = mmap(NULL, 2 * EDGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  NEED(edge != MAP_FAILED && mprotect(edge + EDGE, EDGE, PROT_NONE) == 0);
  run("{\"url\":\"memory:\"}");
  run(abi_config(config, sizeof config, "texts.db", ",\"durability\":\"normal\""));
  return abi_finish();
}
