/* The arguments: a function that calls with a text, and what sort of text is right. A new one gets a row in
   `arguments`. */
#ifndef TEXT_MATRIX_ARGUMENTS_H
#define TEXT_MATRIX_ARGUMENTS_H

#include "../abi_support.h"

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

#endif
