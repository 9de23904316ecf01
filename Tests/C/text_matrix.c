/* Every text and JSON argument of every function with every sort of wrong text: the documented status, an error
   with the path or the offset in its details, and nothing written. A new argument gets a row in
   text_matrix/arguments.h. */
#include "text_matrix/json_cases.h"
#include "text_matrix/text_cases.h"

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
