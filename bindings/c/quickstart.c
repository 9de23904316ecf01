/* A conversation that is kept: stored, read back, listed, shortened for a model.
 *
 *   cc quickstart.c $(pkg-config --cflags --libs memex) -o quickstart && ./quickstart
 */
#define _XOPEN_SOURCE 700
#include "example.h"

int main(void) {
  memex_store *store = NULL;
  memex_thread *thread = NULL;
  memex_message *message = NULL;
  memex_cursor *cursor = NULL;
  memex_error *error = NULL;
  memex_bytes bytes = {NULL, 0};
  memex_receipt receipt;
  memex_status status;
  char config[400];
  int64_t count = 0;

  /* A store is a URL: here a SQLite file. Every acknowledged append survives a power loss. */
  example_config(config, sizeof config);
  must(memex_store_open(config, MEMEX_NTS, &store, &error), error, "opening the store");

  must(memex_thread_create(store, "{\"title\":\"Order 17\",\"metadata\":{\"user\":\"alice\"}}", MEMEX_NTS, &thread,
                           &error),
       error, "creating a thread");

  /* Plain text needs no JSON at all. */
  must(memex_thread_append_text(thread, "user", MEMEX_NTS, "Where is my order?", MEMEX_NTS, NULL, 0, NULL,
                                &error),
       error, "appending text");

  /* A turn of several messages is stored whole or not at all, byte for byte. With the key it can be sent
     again after a lost connection, and is stored once. */
  memset(&receipt, 0, sizeof receipt);
  receipt.struct_size = sizeof receipt;
  must(memex_thread_append(
           thread,
           "[{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"call_1\",\"type\":\"function\","
           "\"function\":{\"name\":\"track\",\"arguments\":\"{\\\"order\\\":17}\"}}]},"
           "{\"role\":\"tool\",\"tool_call_id\":\"call_1\",\"content\":\"out for delivery\"},"
           "{\"role\":\"assistant\",\"content\":\"It arrives today.\"}]",
           MEMEX_NTS, "{\"idempotency_key\":\"turn-2\"}", MEMEX_NTS, &receipt, &error),
       error, "appending a turn");
  printf("stored messages %ld to %ld\n", (long)receipt.first_seq, (long)receipt.last_seq);

  /* The last messages, page by page. */
  must(memex_thread_messages(thread, "{\"last\":2,\"layout\":\"bodies\"}", MEMEX_NTS, &cursor, &error), error,
       "reading");
  while ((status = memex_cursor_next(cursor, &bytes, &error)) == MEMEX_OK) {
    printf("the last two: %s\n", bytes.data);
    memex_bytes_free(&bytes);
  }
  must(status, error, "reading a page");
  memex_cursor_free(cursor);

  /* One message by its number. */
  must(memex_message_at(thread, 1, &message, &error), error, "opening message 1");
  must(memex_message_body(message, &bytes, &error), error, "reading message 1");
  printf("message 1 (%s): %s\n", memex_message_role(message), bytes.data);
  memex_bytes_free(&bytes);
  memex_message_free(message);

  /* What a model with little room gets to see, and why. */
  must(memex_context_build(thread, NULL, "{\"max_tokens\":40}", MEMEX_NTS, &bytes, &error), error,
       "building a window");
  printf("a window of 40 tokens: %s\n", bytes.data);
  memex_bytes_free(&bytes);

  must(memex_thread_count(thread, &count, &error), error, "counting");
  printf("%ld messages in thread %s\n", (long)count, memex_thread_id(thread));

  /* What goes wrong comes with a status, a sentence and details for programs. */
  status = memex_thread_append(thread, "{\"role\":", MEMEX_NTS, NULL, 0, NULL, &error);
  must_be(status == MEMEX_E_INVALID, "appending half a message");
  printf("half a message is refused: %s %s\n", memex_error_message(error), memex_error_details(error));
  memex_error_free(error);

  memex_thread_free(thread);
  must(memex_store_close(store, &error), error, "closing the store");
  example_clean_up();
  return 0;
}
