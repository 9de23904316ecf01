/* A strategy of your own: which messages does a model get to see? This one leaves out long tool results, and
 * says so. It is one step of a pipeline; whatever it chooses, the library makes a window of it that the
 * provider accepts.
 *
 *   cc custom_strategy.c $(pkg-config --cflags --libs memex) -o custom_strategy
 */
#define _XOPEN_SOURCE 700
#include "example.h"

/* --- reading JSON that is known to be well formed -------------------------------------------------- */

/* The end of the value that begins here. */
static const char *end_of_value(const char *at) {
  int depth = 0;
  for (;; at++) {
    if (*at == '"') {
      for (at++; *at != '"'; at++)
        if (*at == '\\') at++;
    } else if (*at == '{' || *at == '[') {
      depth++;
      continue;
    } else if (*at == '}' || *at == ']') {
      depth--;
    } else {
      if (depth == 0 && strchr(",}] \n", at[1])) return at + 1; /* a number, true, false, null */
      continue;
    }
    if (depth == 0) return at + 1;
  }
}

/* The value of a member of the object that begins here; NULL when there is none. */
static const char *member(const char *at, const char *name) {
  size_t len = strlen(name);
  for (at++; *at != '}';) {
    const char *key = at + 1, *key_end = end_of_value(at);
    at = key_end + 1; /* the colon */
    if ((size_t)(key_end - 1 - key) == len && memcmp(key, name, len) == 0) return at;
    at = end_of_value(at);
    if (*at == ',') at++;
  }
  return NULL;
}

static int is_text(const char *value, const char *text) {
  size_t len = strlen(text);
  return value && *value == '"' && strncmp(value + 1, text, len) == 0 && value[len + 1] == '"';
}

/* --- the strategy ---------------------------------------------------------------------------------- */

/* input: {"config": {"type": "short-tools", "longest": n}, "messages": [{"seq", "role", "tokens", ...}]} */
static int32_t short_tools(void *user_data, const char *input, size_t input_len, memex_reply *reply) {
  const char *config = member(input, "config"), *at = member(input, "messages");
  const char *longest = config ? member(config, "longest") : NULL;
  char *answer = malloc(input_len + 100), *keep = answer; /* an answer is shorter than its question */
  char *reasons = malloc(input_len + 100), *reason = reasons;
  memex_status status = MEMEX_E_NO_MEMORY;
  int *left_out = user_data;
  long limit = longest ? strtol(longest, NULL, 10) : 50;
  if (answer && reasons && at) {
    keep += sprintf(keep, "{\"keep\":[");
    *reason = 0;
    for (at++; *at != ']'; at += *at == ',') {
      const char *seq = member(at, "seq"), *tokens = member(at, "tokens");
      if (seq && tokens && is_text(member(at, "role"), "tool") && strtol(tokens, NULL, 10) > limit) {
        reason += sprintf(reason, "%s\"%ld\":\"a long tool result\"", *reasons ? "," : "", strtol(seq, NULL, 10));
        ++*left_out;
      } else if (seq) {
        keep += sprintf(keep, "%s%ld", keep[-1] == '[' ? "" : ",", strtol(seq, NULL, 10));
      }
      at = end_of_value(at);
    }
    sprintf(keep, "],\"reasons\":{%s}}", reasons);
    status = memex_reply_data(reply, answer, MEMEX_NTS);
  }
  free(answer);
  free(reasons);
  return status == MEMEX_OK ? MEMEX_CALLBACK_OK : 0;
}

/* --- the program ----------------------------------------------------------------------------------- */

static const char conversation[] =
    "[{\"role\":\"system\",\"content\":\"Answer in one sentence.\"},"
    "{\"role\":\"user\",\"content\":\"What does the manual say on cleaning?\"},"
    "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"call_1\",\"type\":\"function\","
    "\"function\":{\"name\":\"read_manual\",\"arguments\":\"{}\"}}]},"
    "{\"role\":\"tool\",\"tool_call_id\":\"call_1\",\"content\":\"Cleaning. Unplug the machine and let it cool for "
    "half an hour. Wipe the outside with a damp cloth; never use solvents. Take out the brewing group, rinse it "
    "with warm water, let it dry, put it back until it clicks. Descale every two months with the descaler that "
    "came with the machine, as shown on pages 14 to 17.\"},"
    "{\"role\":\"assistant\",\"content\":\"Wipe it, rinse the brewing group, descale every two months.\"},"
    "{\"role\":\"user\",\"content\":\"And how often is that last one?\"}]";

int main(void) {
  memex_store *store = NULL;
  memex_thread *thread = NULL;
  memex_strategy *strategy = NULL;
  memex_error *error = NULL;
  memex_bytes window = {NULL, 0};
  int left_out = 0;

  must(memex_register_strategy("short-tools", MEMEX_NTS, short_tools, &left_out, NULL, &error), error,
       "registering the strategy");
  must(memex_strategy_open("[{\"type\":\"short-tools\",\"longest\":40},{\"type\":\"token_budget\",\"max_tokens\":500}]",
                           MEMEX_NTS, &strategy, &error),
       error, "preparing the pipeline");

  must(memex_store_open("{\"url\":\"memory:\"}", MEMEX_NTS, &store, &error), error, "opening the store");
  must(memex_thread_create(store, NULL, 0, &thread, &error), error, "creating a thread");
  must(memex_thread_append(thread, conversation, MEMEX_NTS, NULL, 0, NULL, &error), error, "appending");

  must(memex_context_build(thread, strategy, NULL, 0, &window, &error), error, "building the window");
  must_be(left_out == 1, "one message that is left out");
  must_be(strstr(window.data, "brewing group, rinse it") == NULL, "a window without the long tool result");
  must_be(strstr(window.data, "a long tool result") != NULL, "a window with the reason");
  printf("a window without long tool results:\n%s\n", window.data);

  memex_bytes_free(&window);
  memex_strategy_free(strategy);
  memex_thread_free(thread);
  must(memex_store_close(store, &error), error, "closing the store");
  must(memex_unregister("strategy", MEMEX_NTS, "short-tools", MEMEX_NTS, &error), error, "unregistering");
  return 0;
}
