/*
 * memex.h - the memory of LLM applications: conversations kept for good.
 *
 * This header is the whole contract of libmemex.so. It compiles alone as C99 and as C++11.
 *
 * CONVENTIONS
 *
 *   Names       memex_<noun>_<verb>. A verb means the same on every noun: open, create, get, list,
 *               update, delete, free; close only where closing can fail. Units come last (_us).
 *   Shape       receiver, inputs, outputs, and last a nullable `memex_error **error`. Outputs are
 *               cleared before any work is done; on failure they stay cleared.
 *   Status      every function that can fail returns memex_status: 0 is success, negative is one of
 *               MEMEX_E_*, positive is a condition (MEMEX_DONE).
 *   Text, JSON  a pointer and a length in bytes; MEMEX_NTS as length means NUL-terminated. NULL with
 *               length 0 (or MEMEX_NTS) means "not given". JSON is UTF-8, strict: no duplicate keys, no NUL
 *               in a key (the parser cannot hold one; in values it is legal), no byte order mark, no lone
 *               surrogates; what is not is MEMEX_E_INVALID with the offset. More than 128 levels are
 *               MEMEX_E_LIMIT; levels of options around metadata or provenance do not count. Unknown keys
 *               of options, queries and configurations are MEMEX_E_INVALID, naming the path.
 *   Time        int64_t microseconds since the Unix epoch, UTC; names end in _at_us. Spans end in _us.
 *
 * OWNERSHIP, in four words
 *
 *   copied      every input, before the call returns (bytes handed to the library may be freed then).
 *   owned       every out-handle and every memex_bytes: freed by the function its comment names.
 *   borrowed    a returned `const char *` or handle, valid as long as its comment says; never freed.
 *   consumed    the handle is dead after the call, whatever it returns.
 *
 * HANDLES
 *
 *   Handles are typed, opaque and never dereferenced: the value is an entry of a table, salted per
 *   process. A NULL, stale, foreign or wrong-type handle gets MEMEX_E_HANDLE, never a crash. A handle
 *   whose store was closed gets MEMEX_E_CLOSED and can still be freed. After fork(), inherited handles
 *   get MEMEX_E_FORKED in the child, which opens its own. Freeing NULL, or twice, does nothing.
 *
 * THREADS
 *
 *   Every function may be called from any thread, on any handle. Calls on one cursor or one transaction
 *   run one after another. Callbacks run on the thread whose call needs them, never under a lock.
 *
 * ERRORS
 *
 *   The comment of a function names the errors that are its own. Besides these,
 *
 *   any call     may answer HANDLE, FORKED, CLOSED, INVALID (a required output is NULL, a text is NULL with
 *                a length), LIMIT (an argument, an id or JSON is too large or too deep) and NO_MEMORY;
 *   one that reads the store   IO, CORRUPT, CALLBACK (of a backend of yours), BUSY (it changed again and
 *                again meanwhile);
 *   one that writes   those of reading, and BUSY (others hold the store, or changed the thread until the
 *                time-out), TIMEOUT, CANCELLED (while it waited its turn), FULL, IO (also: opened
 *                read-only), POISONED, REENTRANT (from a callback of the same backend), UNSUPPORTED (the
 *                backend cannot), OUTCOME_UNKNOWN. All but the last mean that nothing was stored.
 *                In a transaction they come from its commit.
 *
 * LIMITS (see memex_describe for the figures in force; passing one is MEMEX_E_LIMIT)
 *
 *   ids and idempotency keys 1-255 bytes without control characters; a body 64 MiB; JSON 128 levels;
 *   2^31 - 1 messages a thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MEMEX_H
#define MEMEX_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------------------------------------
 * Version
 * --------------------------------------------------------------------------------------------- */

#define MEMEX_VERSION_MAJOR 0
#define MEMEX_VERSION_MINOR 2
#define MEMEX_VERSION_PATCH 0
/** 10000 * major + 100 * minor + patch of this header. */
#define MEMEX_VERSION_NUMBER 200
/** Version of the binary interface; a library serves every header with the same number. */
#define MEMEX_ABI_VERSION 1

/* ------------------------------------------------------------------------------------------------
 * Status
 * --------------------------------------------------------------------------------------------- */

/** 0 success, negative an error (MEMEX_E_*), positive a condition. Numbers never change meaning. */
typedef int32_t memex_status;

#define MEMEX_OK 0
/** Nothing more to read. */
#define MEMEX_DONE 1

/** An argument is wrong; the message names it, and for JSON the path or the byte offset. */
#define MEMEX_E_INVALID (-1)
/** No such thread, message, backend, strategy, tokenizer, model or command. */
#define MEMEX_E_NOT_FOUND (-2)
/** The id is taken. */
#define MEMEX_E_EXISTS (-3)
/** A precondition failed (if_version, if_rev, expect_seq), or an idempotency key came with other bytes. */
#define MEMEX_E_CONFLICT (-4)
/** Somebody else holds what is needed. Retryable. */
#define MEMEX_E_BUSY (-5)
/** Waiting took longer than timeout_us. Retryable. */
#define MEMEX_E_TIMEOUT (-6)
/** memex_store_interrupt ended the wait, or in an interruptible store a signal: then call again. */
#define MEMEX_E_CANCELLED (-7)
/** The store, session or transaction behind the handle is closed. */
#define MEMEX_E_CLOSED (-8)
/** The handle was inherited through fork(): open your own. */
#define MEMEX_E_FORKED (-9)
/** Not a live handle of the type asked for. */
#define MEMEX_E_HANDLE (-10)
/** Not allowed from inside this callback. */
#define MEMEX_E_REENTRANT (-11)
/** The principal may not do this. */
#define MEMEX_E_DENIED (-12)
/** The backend or this build cannot do this; the message says what can. */
#define MEMEX_E_UNSUPPORTED (-13)
/** A limit of memex_describe was passed. */
#define MEMEX_E_LIMIT (-14)
/** Memory ran out; nothing was changed. Retryable. */
#define MEMEX_E_NO_MEMORY (-15)
/** The system refused a read or a write. */
#define MEMEX_E_IO (-16)
/** The disk is full; nothing was changed. Retryable once there is room. */
#define MEMEX_E_FULL (-17)
/** An earlier write to stable storage failed, or the file was moved: close the store and open it again. */
#define MEMEX_E_POISONED (-18)
/** Stored bytes are damaged. */
#define MEMEX_E_CORRUPT (-19)
/** Stored bytes were changed by somebody without the key. */
#define MEMEX_E_TAMPERED (-20)
/** Written by a newer version: nothing was touched. */
#define MEMEX_E_NEWER_FORMAT (-21)
/** A server or a shared library that is needed cannot be reached. Retryable. */
#define MEMEX_E_UNAVAILABLE (-22)
/** A model provider refused. */
#define MEMEX_E_PROVIDER (-23)
/** A model provider asks to wait. Retryable. */
#define MEMEX_E_RATE_LIMITED (-24)
/** A callback failed, threw, or returned anything but the value that means success. */
#define MEMEX_E_CALLBACK (-25)
/** A commit was sent and its answer lost: repeat the call with the same idempotency key. Retryable. */
#define MEMEX_E_OUTCOME_UNKNOWN (-26)
/** A defect in the library; please report it. */
#define MEMEX_E_INTERNAL (-27)

/** Length that means: up to the terminating NUL. */
#define MEMEX_NTS ((size_t)-1)

/* ------------------------------------------------------------------------------------------------
 * Types
 * --------------------------------------------------------------------------------------------- */

/** A set of conversations behind one URL, or a session's or a transaction's view of it. */
typedef struct memex_store memex_store;
/** Changes that are applied together or not at all. */
typedef struct memex_txn memex_txn;
/** One conversation. */
typedef struct memex_thread memex_thread;
/** One message of a conversation. */
typedef struct memex_message memex_message;
/** A position in a list of threads or messages. */
typedef struct memex_cursor memex_cursor;
/** A pipeline that chooses what the model sees. */
typedef struct memex_strategy memex_strategy;
/** What turns text into tokens. */
typedef struct memex_tokenizer memex_tokenizer;
/** Why a call failed. */
typedef struct memex_error memex_error;
/** Where a callback puts its answer; valid until the callback returns. */
typedef struct memex_reply memex_reply;

/**
 * Bytes that the library allocated. data is followed by a NUL that len does not count.
 * Ownership: owned; free with memex_bytes_free. Initialise to zero.
 */
typedef struct memex_bytes {
  char *data;
  size_t len;
} memex_bytes;

/** What an append did. Set struct_size to sizeof(memex_receipt) before the call. */
typedef struct memex_receipt {
  uint32_t struct_size;
  /** 1 when the idempotency key had been used with the same bytes: nothing was stored again. */
  uint32_t duplicate;
  /** First and last seq given; 0 in a transaction, whose seqs come from its commit. */
  int64_t first_seq;
  int64_t last_seq;
  /** When the first message was stored. */
  int64_t created_at_us;
  /** The thread's rev after the append. */
  int64_t rev;
} memex_receipt;

/** Called once when the library no longer needs user_data, also when a registration fails. */
typedef void (*memex_destroy_fn)(void *user_data);

/* ------------------------------------------------------------------------------------------------
 * Library
 * --------------------------------------------------------------------------------------------- */

/** Version of the library as a number, like MEMEX_VERSION_NUMBER. Never fails. @since 0.2 */
uint32_t memex_version_number(void);

/** Version of the library as text, "0.2.0". Ownership: borrowed, for ever. @since 0.2 */
const char *memex_version(void);

/**
 * Asks whether this library serves callers that were compiled with a header of the given
 * MEMEX_ABI_VERSION.
 * Errors: UNSUPPORTED. @since 0.2
 */
memex_status memex_check_abi(uint32_t abi_version);

/** Name of a status, "MEMEX_E_BUSY"; "MEMEX_E_UNKNOWN" for other numbers. Ownership: borrowed, for ever. @since 0.2 */
const char *memex_status_name(memex_status status);

/**
 * What is built in, as JSON: {"version", "abi_version", "limits", "backends", "strategies",
 * "tokenizers", "formats", "commands"}, registered ones included.
 * Ownership: out is owned. Errors: NO_MEMORY. @since 0.2
 */
memex_status memex_describe(memex_bytes *out, memex_error **error);

/** Frees what data points to and clears the struct, so a second call does nothing. NULL is allowed. @since 0.2 */
void memex_bytes_free(memex_bytes *bytes);

#define MEMEX_LOG_ERROR 1
#define MEMEX_LOG_WARNING 2
#define MEMEX_LOG_INFO 3
#define MEMEX_LOG_DEBUG 4

/** A line for the log: never holds content or secrets. text is valid during the call. */
typedef void (*memex_log_fn)(void *user_data, int32_t level, const char *text, size_t len);

/**
 * Sets the one receiver of log lines up to a level; fn NULL removes it. The receiver that was set
 * before is destroyed once no call of it is running.
 * Ownership: user_data stays the caller's until destroy is called.
 * Threads: fn is called on whatever thread logs, without locks; from inside it this function is
 * REENTRANT. Errors: INVALID, REENTRANT. @since 0.2
 */
memex_status memex_log_handler(int32_t level, memex_log_fn fn, void *user_data,
                               memex_destroy_fn destroy, memex_error **error);

/* ------------------------------------------------------------------------------------------------
 * Errors
 * --------------------------------------------------------------------------------------------- */

/** The status that the failed call returned; MEMEX_E_HANDLE when error is not a live error. @since 0.2 */
memex_status memex_error_code(const memex_error *error);

/** What was wrong, where, and what to do; never content or secrets. Ownership: borrowed until the error is freed. @since 0.2 */
const char *memex_error_message(const memex_error *error);

/** A JSON object with what a program may want: {"path", "offset", "limit", "retry_after_us", ...}. Ownership: borrowed until the error is freed. @since 0.2 */
const char *memex_error_details(const memex_error *error);

/** 1 when the same call may succeed later, else 0. @since 0.2 */
int32_t memex_error_retryable(const memex_error *error);

/** Frees an error. NULL is allowed. @since 0.2 */
void memex_error_free(memex_error *error);

/* ------------------------------------------------------------------------------------------------
 * Stores
 * --------------------------------------------------------------------------------------------- */

/**
 * Opens a store.
 *
 * @param config {"url": "sqlite:///chat.db"} and optionally
 *   "durability": "full" (default: an acknowledged append survives power loss) or "normal" (survives
 *     the process, not power loss), "timeout_us": longest wait for locks (default 30000000),
 *   "create": false to open only what exists, "read_only": true,
 *   "tokenizer": what messages are counted with: "estimate" (default), the name of an encoding, of a
 *     registered tokenizer or of a model, or an object as for memex_tokenizer_open. Counts are stored with
 *     their messages; those that another tokenizer made are made anew when they are needed,
 *   "interruptible": true to end waits early with CANCELLED and {"signal", "remaining_us"} so that the
 *     caller can handle signals and call again.
 *   URLs: memory: (private), memory:name (shared in the process), sqlite:///relative.db,
 *   sqlite:////absolute.db, sqlite::memory:, lmdb:///relative-folder, lmdb:////absolute/folder,
 *   file:///relative-folder, file:////absolute/folder, postgresql://user@host/database,
 *   redis://host:6379/0, redis+cluster://host:port,host:port, and NAME:... of a registered backend.
 *
 * Ownership: *out is owned; memex_store_close. Errors: INVALID, NOT_FOUND, UNSUPPORTED, UNAVAILABLE,
 * IO, FULL, CORRUPT, NEWER_FORMAT, BUSY, TIMEOUT, CANCELLED, CALLBACK. @since 0.2
 */
memex_status memex_store_open(const char *config, size_t config_len, memex_store **out,
                              memex_error **error);

/**
 * Narrows a store to a tenant and a principal: {"tenant": "acme", "principal": "alice"}. Every function
 * that takes a store takes the session, and sees that tenant only. A plain store acts in tenant "".
 * A session cannot be widened: opening one from a session keeps its tenant or is DENIED.
 * Ownership: *out is owned; memex_store_close closes the session alone. Errors: INVALID, DENIED. @since 0.2
 */
memex_status memex_session_open(memex_store *store, const char *options, size_t options_len,
                                memex_store **out, memex_error **error);

/**
 * Closes a store: refuses new calls, wakes those that wait, waits for those that run. What was opened
 * on it answers MEMEX_E_CLOSED from then on and is freed as usual. From inside one of its callbacks it
 * answers REENTRANT and the store stays open.
 * Ownership: store is consumed, except with REENTRANT, INVALID and FORKED. Errors: HANDLE, FORKED,
 * REENTRANT, INVALID (a transaction's view), CALLBACK (the backend's
 * close failed; the store is closed all the same). @since 0.2
 */
memex_status memex_store_close(memex_store *store, memex_error **error);

/**
 * Makes everything acknowledged so far as durable as the engine can, and writes back what it defers.
 * Errors: those of writing. @since 0.2
 */
memex_status memex_store_flush(memex_store *store, memex_error **error);

/**
 * Ends the waits of all calls now waiting on this store, sessions included, with CANCELLED. Calls that are
 * running finish.
 * Errors: those of any call. @since 0.2
 */
memex_status memex_store_interrupt(memex_store *store, memex_error **error);

/**
 * The control plane: runs a command by name ("stats", "check", "maintain"; memex_describe lists them) with
 * arguments as JSON.
 * Ownership: out is owned, nullable. Errors: NOT_FOUND, INVALID, DENIED (a session), those of writing.
 * @since 0.2
 */
memex_status memex_store_command(memex_store *store, const char *name, size_t name_len,
                                 const char *arguments, size_t arguments_len, memex_bytes *out,
                                 memex_error **error);

/* ------------------------------------------------------------------------------------------------
 * Transactions
 * --------------------------------------------------------------------------------------------- */

/**
 * Begins to collect changes that are applied together. Nothing is locked until the commit.
 * @param options none yet; pass NULL.
 * Ownership: *out is owned; memex_txn_commit or memex_txn_rollback.
 * Errors: INVALID, UNSUPPORTED (on a view), IO (read-only). @since 0.2
 */
memex_status memex_txn_begin(memex_store *store, const char *options, size_t options_len,
                             memex_txn **out, memex_error **error);

/**
 * The transaction's view of its store. Writes through it, and through what is opened on it, are
 * collected; reads see what is committed. Ownership: borrowed until the transaction ends; NULL for a bad
 * handle. @since 0.2
 */
memex_store *memex_txn_store(memex_txn *txn);

/**
 * Applies all changes or none.
 * @param out {"results": [...]}: for each change in order what its call would have returned. Nullable.
 * Ownership: txn is consumed; out is owned. Errors: CONFLICT, NOT_FOUND, EXISTS, those of writing.
 * @since 0.2
 */
memex_status memex_txn_commit(memex_txn *txn, memex_bytes *out, memex_error **error);

/** Forgets all changes. Ownership: txn is consumed. NULL is allowed. @since 0.2 */
void memex_txn_rollback(memex_txn *txn);

/* ------------------------------------------------------------------------------------------------
 * Threads
 * --------------------------------------------------------------------------------------------- */

/**
 * Creates a thread.
 * @param init {"id", "title", "metadata", "created_at_us"}, all optional; a missing id becomes a UUIDv7.
 * Ownership: *out is owned; memex_thread_free. Errors: INVALID, EXISTS, those of writing. @since 0.2
 */
memex_status memex_thread_create(memex_store *store, const char *init, size_t init_len,
                                 memex_thread **out, memex_error **error);

/** Opens a thread by id. Ownership: *out is owned; memex_thread_free. Errors: INVALID, NOT_FOUND, those of reading. @since 0.2 */
memex_status memex_thread_open(memex_store *store, const char *id, size_t id_len,
                               memex_thread **out, memex_error **error);

/** Frees the handle, not the thread. NULL is allowed. @since 0.2 */
void memex_thread_free(memex_thread *thread);

/** The thread's id; NULL for a bad handle. Ownership: borrowed until the handle is freed. @since 0.2 */
const char *memex_thread_id(memex_thread *thread);

/**
 * The thread's document: {"id", "tenant", "title", "metadata", "version", "rev", "created_at_us",
 * "updated_at_us", "last_message_at_us", "message_count", "last_seq", "root", "base"}; keys without a
 * value are absent, as is "tenant" when it is "".
 * Ownership: out is owned. Errors: NOT_FOUND (deleted), those of reading. @since 0.2
 */
memex_status memex_thread_get(memex_thread *thread, memex_bytes *out, memex_error **error);

/**
 * Changes title and metadata by a JSON merge patch (RFC 7396): {"title": "x", "metadata": {"k": null}}.
 * @param options {"if_version": n}: CONFLICT unless the document's version is n.
 * @param out the document after the change; nullable, owned.
 * Errors: INVALID, NOT_FOUND, CONFLICT, UNSUPPORTED (a second change in a transaction), those of writing.
 * @since 0.2
 */
memex_status memex_thread_update(memex_thread *thread, const char *patch, size_t patch_len,
                                 const char *options, size_t options_len, memex_bytes *out,
                                 memex_error **error);

/**
 * Deletes a thread and its messages. Messages shared with forks stay until the last fork goes.
 * @param options {"if_version": n, "erase": true}: erase removes the messages from forks, too, and
 *   from the engine's files. TIMEOUT may then mean that it is deleted and its bytes are not wiped yet: the
 *   same call again wipes them, and answers NOT_FOUND.
 * Errors: INVALID, NOT_FOUND, CONFLICT, UNSUPPORTED (a second change in a transaction; erase there, or on a
 * backend that cannot wipe), those of writing. @since 0.2
 */
memex_status memex_thread_delete(memex_store *store, const char *id, size_t id_len,
                                 const char *options, size_t options_len, memex_error **error);

/**
 * Starts a new thread that shares this one's messages up to a point, without copying them.
 * @param options {"at_seq": n (default: the last), "id", "title", "metadata", "created_at_us"}.
 * Ownership: *out is owned; memex_thread_free. Errors: INVALID, NOT_FOUND, EXISTS, LIMIT (1,000 forks
 * of forks), UNSUPPORTED (in a transaction), those of writing. @since 0.2
 */
memex_status memex_thread_fork(memex_thread *thread, const char *options, size_t options_len,
                               memex_thread **out, memex_error **error);

/**
 * Lists threads.
 * @param query {"order": "activity" (default) | "created", "descending": true (default), "limit": n,
 *   "page_size": 100, "root": id, "filter": {...}, "cursor": token}.
 *   filter: {"id" | "title" | "created_at_us" | "updated_at_us" | "last_message_at_us" |
 *   "message_count" | "version": condition, "metadata": {key: condition}, "and": [...], "or": [...],
 *   "not": {...}}; a condition is {"eq" | "ne" | "lt" | "lte" | "gt" | "gte" | "in" | "prefix" |
 *   "exists": value}, several are joined by and.
 * Pages are {"threads": [document, ...]}. A limit of 0 gives none.
 * Ownership: *out is owned; memex_cursor_free. Errors: INVALID (also "cursor", when it is the token of
 * another query), NOT_FOUND ("root"), those of reading. @since 0.2
 */
memex_status memex_thread_list(memex_store *store, const char *query, size_t query_len,
                               memex_cursor **out, memex_error **error);

/**
 * Appends one message (an object) or several (an array), all or none. Each body is kept byte for byte.
 *
 * Order is by seq alone. created_at_us stands instead of now, for its message only: the next one without it
 * gets the clock's now, also when that is earlier. An idempotency key that comes again with the same bodies,
 * byte for byte and through whichever function, stores nothing.
 *
 * @param options {"idempotency_key", "expect_seq": n (CONFLICT unless the next seq is n),
 *   "format": "openai.chat" (default) | "opaque" | ..., "timeout_us"}, for every message of the call
 *   {"created_at_us", "metadata", "provenance", "pinned", "state": "complete" | "incomplete"} and, when
 *   it is one, "id"; or {"messages": [{the same and "id"}, ...]} with one entry a message.
 * @param out nullable; set out->struct_size first.
 * Errors: INVALID (with path or offset), EXISTS (id), NOT_FOUND (thread), CONFLICT, those of writing.
 * @since 0.2
 */
memex_status memex_thread_append(memex_thread *thread, const char *messages, size_t messages_len,
                                 const char *options, size_t options_len, memex_receipt *out,
                                 memex_error **error);

/**
 * Appends plain text as {"role": role, "content": text}. Any UTF-8 is legal in text, NUL included.
 * @param options as for one message of memex_thread_append.
 * Errors: as memex_thread_append. @since 0.2
 */
memex_status memex_thread_append_text(memex_thread *thread, const char *role, size_t role_len,
                                      const char *text, size_t text_len, const char *options,
                                      size_t options_len, memex_receipt *out, memex_error **error);

/**
 * Reads messages in the order of seq.
 *
 * @param query {"last": n} | {"from_seq", "to_seq"} | {"after_seq" or "before_seq", "limit"} | {} for
 *   all; "page_size": 250, "descending": false, "include_deleted": false,
 *   "layout": "json" (default) | "bodies" | "packed", "cursor": token.
 * Pages: json {"messages": [{"id", "seq", "rev", "state", "role", "created_at_us", "format", "tokens",
 *   ..., "body": <bytes>}]}; bodies [<bytes>, ...], null for a deleted one; packed as described in
 *   docs/reference/packed-page.md.
 * The upper end is fixed here: messages appended later are not seen. Each page shows its messages as they
 * are when it is read: one deleted before that is not in it (unless "include_deleted"), and a page that was
 * read does not change. "last" or "limit" of 0 gives none.
 * Ownership: *out is owned; memex_cursor_free. Errors: INVALID (also "cursor", when it is the token of
 * another query), NOT_FOUND, those of reading. @since 0.2
 */
memex_status memex_thread_messages(memex_thread *thread, const char *query, size_t query_len,
                                   memex_cursor **out, memex_error **error);

/** Number of messages that are not deleted. Errors: NOT_FOUND, those of reading. @since 0.2 */
memex_status memex_thread_count(memex_thread *thread, int64_t *out, memex_error **error);

/* ------------------------------------------------------------------------------------------------
 * Messages
 * --------------------------------------------------------------------------------------------- */

/**
 * Opens a message by id. One that was deleted opens, too, so that it can be erased; its body is NOT_FOUND.
 * Ownership: *out is owned; memex_message_free. Errors: INVALID, NOT_FOUND, those of reading. @since 0.2
 */
memex_status memex_message_open(memex_thread *thread, const char *id, size_t id_len,
                                memex_message **out, memex_error **error);

/** The same by seq. Ownership: *out is owned; memex_message_free. Errors: INVALID, NOT_FOUND, those of reading. @since 0.2 */
memex_status memex_message_at(memex_thread *thread, int64_t seq, memex_message **out,
                              memex_error **error);

/** Frees the handle, not the message. NULL is allowed. @since 0.2 */
void memex_message_free(memex_message *message);

/** The message's id; NULL for a bad handle. Ownership: borrowed until the handle is freed. @since 0.2 */
const char *memex_message_id(memex_message *message);

/** The message's seq; 0 for a bad handle. @since 0.2 */
int64_t memex_message_seq(memex_message *message);

/** The role at the time of opening, "" if the body has none; NULL for a bad handle. Ownership: borrowed until the handle is freed. @since 0.2 */
const char *memex_message_role(memex_message *message);

/** The body, byte for byte as it was given. Ownership: out is owned. Errors: NOT_FOUND (deleted), those of reading. @since 0.2 */
memex_status memex_message_body(memex_message *message, memex_bytes *out, memex_error **error);

/** Envelope and body: {"id", "seq", "rev", ..., "body": <bytes>}. Ownership: out is owned. Errors: NOT_FOUND (deleted), those of reading. @since 0.2 */
memex_status memex_message_json(memex_message *message, memex_bytes *out, memex_error **error);

/**
 * Replaces the body. Forks that share the message keep the old one.
 * @param options {"if_rev": n, "state": "complete" | "incomplete", "pinned": bool}.
 * Errors: INVALID, NOT_FOUND, CONFLICT, UNSUPPORTED (a second change in a transaction), those of writing.
 * @since 0.2
 */
memex_status memex_message_replace(memex_message *message, const char *body, size_t body_len,
                                   const char *options, size_t options_len, memex_error **error);

/**
 * Changes the message's metadata by a JSON merge patch (RFC 7396).
 * @param options {"if_rev": n, "pinned": bool}.
 * Errors: as memex_message_replace. @since 0.2
 */
memex_status memex_message_update_metadata(memex_message *message, const char *patch,
                                           size_t patch_len, const char *options,
                                           size_t options_len, memex_error **error);

/**
 * Deletes the message; its seq is never used again. Forks that share it keep it.
 * @param options {"if_rev": n, "erase": true}: erase removes it from forks, too, and from the engine's
 *   files, also when it is deleted already (if_rev is then not compared). TIMEOUT may then mean that it is
 *   deleted and its bytes are not wiped yet: the same call again wipes them.
 * Errors: INVALID, NOT_FOUND, CONFLICT, UNSUPPORTED (a second change in a transaction; erase there, or on a
 * backend that cannot wipe), those of writing. @since 0.2
 */
memex_status memex_message_delete(memex_message *message, const char *options, size_t options_len,
                                  memex_error **error);

/* ------------------------------------------------------------------------------------------------
 * Cursors
 * --------------------------------------------------------------------------------------------- */

/**
 * The next page; MEMEX_DONE, with out cleared, when there is none. After an error the cursor stands where it
 * stood: the next call tries the same page again.
 * Ownership: out is owned. Errors: NOT_FOUND (the thread was deleted), REENTRANT (from a callback that this
 * page needs), those of reading. @since 0.2
 */
memex_status memex_cursor_next(memex_cursor *cursor, memex_bytes *out, memex_error **error);

/**
 * A token that continues here when it is given as "cursor" in the same query, in this or any other
 * process: before the first page at the beginning; empty after the last page. Another query, tenant or
 * thread refuses it; page_size and layout may differ. Ownership: out is owned. Errors: REENTRANT. @since 0.2
 */
memex_status memex_cursor_token(memex_cursor *cursor, memex_bytes *out, memex_error **error);

/** Frees a cursor. NULL is allowed. @since 0.2 */
void memex_cursor_free(memex_cursor *cursor);

/* ------------------------------------------------------------------------------------------------
 * Tokens
 *
 * Text is bytes, NUL included. What is no UTF-8 is counted byte by byte, and decoding what was encoded
 * gives the same bytes again. No call but one that uses a registered tokenizer calls back.
 * --------------------------------------------------------------------------------------------- */

/**
 * Opens a tokenizer. The vocabularies are part of the library: nothing is loaded.
 *
 * @param options exactly one of
 *   "encoding": "o200k_base", "o200k_harmony", "cl100k_base", "p50k_base", "estimate" (a token for every
 *     four bytes), "estimate:claude", "estimate:claude-4.7", "estimate:gemini", or the name of a registered
 *     tokenizer,
 *   "model": "gpt-4o": the encoding of that model; there is no silent estimate for others,
 *   "path": a .tiktoken file or a tokenizer.json, with "pattern": the encoding whose way to split text it
 *     has, for a .tiktoken file;
 *   and optionally "special": "text" (default: what looks like a special token, such as <|endoftext|>, is
 *     text like any other) or "tokens" (it is that token).
 * Ownership: *out is owned; memex_tokenizer_free. Errors: INVALID, NOT_FOUND (names the choices),
 * UNSUPPORTED (the encoding of the model is not built in), those of reading a file. @since 0.2
 */
memex_status memex_tokenizer_open(const char *options, size_t options_len, memex_tokenizer **out,
                                  memex_error **error);

/** Frees a tokenizer; stores that were opened with the same go on. NULL is allowed. @since 0.2 */
void memex_tokenizer_free(memex_tokenizer *tokenizer);

/** The name of the encoding, "o200k_base" for the model gpt-4o; NULL for a bad handle. Ownership: borrowed until the handle is freed. @since 0.2 */
const char *memex_tokenizer_name(memex_tokenizer *tokenizer);

/** Number of tokens of a text. Errors: CALLBACK (of a tokenizer of yours). @since 0.2 */
memex_status memex_tokenizer_count(memex_tokenizer *tokenizer, const char *text, size_t text_len,
                                   int64_t *out, memex_error **error);

/**
 * Number of tokens of each of several texts: much faster than one call each.
 *
 * @param texts the texts, one behind the other with nothing between.
 * @param lengths n lengths in bytes; their sum is texts_len.
 * @param counts room for n numbers; untouched when n is 0, all 0 after an error.
 * Errors: INVALID (the lengths do not fit), CALLBACK. @since 0.2
 */
memex_status memex_tokenizer_count_batch(memex_tokenizer *tokenizer, const char *texts,
                                         size_t texts_len, const size_t *lengths, size_t n,
                                         int64_t *counts, memex_error **error);

/**
 * Tokens of a request as a chat model bills its input: messages with their frames, tool calls, tool
 * definitions, response format. docs/guides/tokens.md says what is exact.
 * @param request {"messages": [<body>, ...], "tools": [...], "response_format": {...}, "model": "gpt-4o"}:
 *   only "messages" is needed; model is the one the tokenizer was opened with unless it is given.
 * Errors: INVALID, CALLBACK. @since 0.2
 */
memex_status memex_tokenizer_count_messages(memex_tokenizer *tokenizer, const char *request,
                                            size_t request_len, int64_t *out, memex_error **error);

/**
 * The ids of a text's tokens.
 * @param ids len / 4 numbers of type uint32_t in the machine's order.
 * Ownership: ids is owned. Errors: UNSUPPORTED (the tokenizer only counts), CALLBACK. @since 0.2
 */
memex_status memex_tokenizer_encode(memex_tokenizer *tokenizer, const char *text, size_t text_len,
                                    memex_bytes *ids, memex_error **error);

/**
 * The bytes of tokens; a cut character stays cut. Special tokens become their names.
 * Ownership: text is owned. Errors: INVALID (an id that is no token: {"index"}), UNSUPPORTED (the tokenizer
 * only counts), CALLBACK. @since 0.2
 */
memex_status memex_tokenizer_decode(memex_tokenizer *tokenizer, const uint32_t *ids, size_t n,
                                    memex_bytes *text, memex_error **error);

/**
 * Cuts a text after its first max_tokens tokens, and before a character that would be broken.
 * @param length bytes to keep from the beginning of the text; all of it when it has no more tokens.
 * @param tokens number of tokens of what is kept, at most max_tokens.
 * Errors: INVALID (max_tokens is negative), CALLBACK. @since 0.2
 */
memex_status memex_tokenizer_truncate(memex_tokenizer *tokenizer, const char *text, size_t text_len,
                                      int64_t max_tokens, int64_t *length, int64_t *tokens,
                                      memex_error **error);

/* ------------------------------------------------------------------------------------------------
 * Context
 * --------------------------------------------------------------------------------------------- */

/**
 * Prepares a pipeline: one step or an array of steps, applied in order.
 * Steps: {"type": "fifo", "last": n}, {"type": "token_budget", "max_tokens": n},
 * {"type": "pin", "roles": ["system"], "flagged": true}, {"type": NAME, "examine": n, ...} of a
 * registered strategy.
 * NULL or no text: pin system messages, then token_budget.
 * Ownership: *out is owned; memex_strategy_free. Errors: INVALID, NOT_FOUND. @since 0.2
 */
memex_status memex_strategy_open(const char *pipeline, size_t pipeline_len, memex_strategy **out,
                                 memex_error **error);

/** Frees a strategy. NULL is allowed. @since 0.2 */
void memex_strategy_free(memex_strategy *strategy);

/**
 * Chooses what the model sees of a thread. Reads only. Whatever the pipeline chose, the result is one
 * that the provider accepts.
 *
 * @param strategy NULL: pin system messages, then token_budget.
 * @param request {"max_tokens": n, "provider": "openai.chat" (default), "examine": n, "tokenizer": as for
 *   memex_store_open (default: the store's)}.
 * @param out {"messages": [<body>, ...], "seqs": [...], "tokens": n, "tokenizer": "estimate",
 *   "kept": [{"seq", "reason", "tokens"}], "left_out": [{"seq", "reason", "tokens", "detail"} |
 *   {"from_seq", "to_seq", "count", "reason"}], "changed": [...], "message_count": n}. Owned.
 * Errors: INVALID, NOT_FOUND, UNSUPPORTED (provider), LIMIT (what must stay passes max_tokens), CALLBACK,
 * those of reading. @since 0.2
 */
memex_status memex_context_build(memex_thread *thread, memex_strategy *strategy,
                                 const char *request, size_t request_len, memex_bytes *out,
                                 memex_error **error);

/**
 * The same on messages that are not stored: an array of bodies. seqs count from 1; "tokenizer" is "estimate"
 * unless the request names another. Ownership: out is owned. Errors: as memex_context_build. @since 0.2
 */
memex_status memex_context_build_messages(memex_strategy *strategy, const char *messages,
                                          size_t messages_len, const char *request,
                                          size_t request_len, memex_bytes *out,
                                          memex_error **error);

/* ------------------------------------------------------------------------------------------------
 * Extending: backends, strategies and tokenizers of your own
 *
 * A callback that succeeds returns MEMEX_CALLBACK_OK, exactly; one whose precondition failed returns
 * MEMEX_CALLBACK_CONFLICT. Anything else, also a C++ exception, is a failure: the call that needed
 * the callback returns MEMEX_E_CALLBACK. longjmp out of a callback is not allowed.
 * --------------------------------------------------------------------------------------------- */

/** The one return value of a callback that means success. */
#define MEMEX_CALLBACK_OK 0x4D454D58
/** The return value of memex_backend.commit that means: a precondition did not hold, nothing was written. */
#define MEMEX_CALLBACK_CONFLICT 0x4D454D43

/** Answers a callback with bytes (memex_backend.get, a strategy, ids and text of tokens). Copied. Errors: HANDLE, INVALID, NO_MEMORY. @since 0.2 */
memex_status memex_reply_data(memex_reply *reply, const char *data, size_t len);

/** Adds one entry to the answer of memex_backend.scan. Copied. Errors: HANDLE, INVALID, NO_MEMORY. @since 0.2 */
memex_status memex_reply_entry(memex_reply *reply, const char *key, size_t key_len,
                               const char *value, size_t value_len);

/** Says why a callback fails; goes into the error's message, so no content in it. Copied. Errors: HANDLE. @since 0.2 */
memex_status memex_reply_failure(memex_reply *reply, const char *message, size_t len);

#define MEMEX_WRITE_PUT 1
#define MEMEX_WRITE_DELETE 2
#define MEMEX_WRITE_REQUIRE_ABSENT 3
#define MEMEX_WRITE_REQUIRE_PRESENT 4
#define MEMEX_WRITE_REQUIRE_EQUAL 5

/** One step of memex_backend.commit. Valid during the call. */
typedef struct memex_write {
  /** MEMEX_WRITE_*; unknown kinds must be answered with failure. */
  uint32_t kind;
  uint32_t reserved;
  const char *key;
  size_t key_len;
  /** For PUT and REQUIRE_EQUAL. */
  const char *value;
  size_t value_len;
} memex_write;

/**
 * An ordered key-value engine: all that a backend must be. Keys (up to 1,024 bytes) are compared
 * bytewise, like memcmp, a prefix first. Functions may be called from several threads at once, commit
 * from one at a time.
 */
typedef struct memex_backend {
  /** sizeof(memex_backend) of the header it was compiled with. */
  uint32_t struct_size;
  uint32_t reserved;
  /** Opens a store for a URL; *instance is passed to the others. */
  int32_t (*open)(void *user_data, const char *url, size_t url_len, void **instance,
                  memex_reply *reply);
  /** Closes it; called once for each successful open. */
  int32_t (*close)(void *instance, memex_reply *reply);
  /** Answers with memex_reply_data, or with nothing when the key is absent. */
  int32_t (*get)(void *instance, const char *key, size_t key_len, memex_reply *reply);
  /** Answers with memex_reply_entry for keys in [from, to), ascending or descending, at most limit. */
  int32_t (*scan)(void *instance, const char *from, size_t from_len, const char *to, size_t to_len,
                  int32_t descending, int64_t limit, memex_reply *reply);
  /** Checks every REQUIRE_*, then applies every PUT and DELETE: all, durably, or none. */
  int32_t (*commit)(void *instance, const memex_write *writes, size_t count, memex_reply *reply);
} memex_backend;

/**
 * Registers a backend; URLs NAME:... open it. A name has 1 to 63 lower-case letters, digits, +, - and _,
 * begins with a letter, and is none of the built-in schemes.
 * Ownership: the struct is copied; user_data stays the caller's until destroy is called, after
 * memex_unregister and the close of its last store. Errors: INVALID, EXISTS. @since 0.2
 */
memex_status memex_register_backend(const char *name, size_t name_len,
                                    const memex_backend *backend, void *user_data,
                                    memex_destroy_fn destroy, memex_error **error);

/**
 * Runs the conformance cases of storage backends against a URL: ordering, paging, transactions,
 * idempotency, forks, limits, concurrency, reopening. The store behind the URL must be empty; it is
 * left with the cases' threads.
 * @param config as memex_store_open, and optionally "cases": [name, ...], "seed": n.
 * @param out {"passed": n, "failed": n, "skipped": n, "cases": [{"name", "result", "reason"}]}. Owned.
 * Errors: as memex_store_open. @since 0.2
 */
memex_status memex_backend_check(const char *config, size_t config_len, memex_bytes *out,
                                 memex_error **error);

/**
 * A strategy step of your own. input is {"config": <the step>, "max_tokens": n or absent, "messages":
 * [{"seq", "role", "tokens", "pinned", "kept": bool, "body"}, ...]}, oldest first. Answer with
 * memex_reply_data: {"keep": [seq, ...], "reasons": {"<seq>": text of at most 255 bytes}}.
 */
typedef int32_t (*memex_strategy_fn)(void *user_data, const char *input, size_t input_len,
                                     memex_reply *reply);

/**
 * Registers a strategy as a step type.
 * Ownership: user_data stays the caller's until destroy is called, after memex_unregister and the last
 * memex_strategy_free. Threads: fn may be called from several threads at once. Errors: INVALID, EXISTS.
 * @since 0.2
 */
memex_status memex_register_strategy(const char *name, size_t name_len, memex_strategy_fn fn,
                                     void *user_data, memex_destroy_fn destroy,
                                     memex_error **error);

/** A tokenizer of your own. Functions may be called from several threads at once. */
typedef struct memex_tokenizer_functions {
  /** sizeof(memex_tokenizer_functions) of the header it was compiled with. */
  uint32_t struct_size;
  uint32_t reserved;
  /** Sets *tokens to the number of tokens of a text, 0 to 2^31 - 1; must not be NULL. */
  int32_t (*count)(void *user_data, const char *text, size_t len, int64_t *tokens, memex_reply *reply);
  /** Answers with memex_reply_data: ids of type uint32_t in the machine's order. May be NULL. */
  int32_t (*encode)(void *user_data, const char *text, size_t len, memex_reply *reply);
  /** Answers with memex_reply_data: the bytes of tokens. May be NULL. */
  int32_t (*decode)(void *user_data, const uint32_t *ids, size_t n, memex_reply *reply);
} memex_tokenizer_functions;

/**
 * Registers a tokenizer as an encoding: {"encoding": NAME} opens it, "tokenizer": NAME counts the messages of
 * a store with it. Counts are stored with messages under its name, so a name stands for one way to count.
 * Names are those of memex_register_backend, and none of a built-in encoding.
 * Ownership: the struct is copied; user_data stays the caller's until destroy is called, after
 * memex_unregister, the last memex_tokenizer_free and the close of the last store. Errors: INVALID, EXISTS.
 * @since 0.2
 */
memex_status memex_register_tokenizer(const char *name, size_t name_len,
                                      const memex_tokenizer_functions *functions, void *user_data,
                                      memex_destroy_fn destroy, memex_error **error);

/**
 * Removes a registration. What was opened with it goes on working.
 * @param kind "backend", "strategy" or "tokenizer". Errors: INVALID, NOT_FOUND. @since 0.2
 */
memex_status memex_unregister(const char *kind, size_t kind_len, const char *name, size_t name_len,
                              memex_error **error);

#ifdef __cplusplus
}
#endif

#endif /* MEMEX_H */
