#ifndef MEMEX_SHIM_CALLBACKS_H
#define MEMEX_SHIM_CALLBACKS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Calls the caller's function; a C++ exception becomes MEMEX_SHIM_THROWN instead of passing through
   Swift frames. The argument lists are those of memex_backend, memex_strategy_fn and memex_tokenizer_functions. */
#define MEMEX_SHIM_THROWN (-2147483647)

int32_t memex_shim_call_open(int32_t (*fn)(void *, const char *, size_t, void **, void *), void *user_data,
                             const char *url, size_t url_len, void **instance, void *reply);
int32_t memex_shim_call_close(int32_t (*fn)(void *, void *), void *instance, void *reply);
int32_t memex_shim_call_get(int32_t (*fn)(void *, const char *, size_t, void *), void *instance,
                            const char *key, size_t key_len, void *reply);
int32_t memex_shim_call_scan(int32_t (*fn)(void *, const char *, size_t, const char *, size_t, int32_t, int64_t,
                                           void *),
                             void *instance, const char *from, size_t from_len, const char *to,
                             size_t to_len, int32_t descending, int64_t limit, void *reply);
int32_t memex_shim_call_commit(int32_t (*fn)(void *, const void *, size_t, void *), void *instance,
                               const void *writes, size_t count, void *reply);
int32_t memex_shim_call_strategy(int32_t (*fn)(void *, const char *, size_t, void *), void *user_data,
                                 const char *input, size_t input_len, void *reply);
int32_t memex_shim_call_count(int32_t (*fn)(void *, const char *, size_t, int64_t *, void *), void *user_data,
                              const char *text, size_t len, int64_t *tokens, void *reply);
int32_t memex_shim_call_encode(int32_t (*fn)(void *, const char *, size_t, void *), void *user_data,
                               const char *text, size_t len, void *reply);
int32_t memex_shim_call_decode(int32_t (*fn)(void *, const uint32_t *, size_t, void *), void *user_data,
                               const uint32_t *ids, size_t n, void *reply);
int32_t memex_shim_call_destroy(void (*fn)(void *), void *user_data);
int32_t memex_shim_call_log(void (*fn)(void *, int32_t, const char *, size_t), void *user_data,
                            int32_t level, const char *text, size_t len);

/* The stores (any pointers) under whose callbacks the calling thread runs, innermost last. */
int memex_shim_callback_enter(const void *owner); /* 0, or -1 when nested too deep */
void memex_shim_callback_leave(void);
int memex_shim_callback_inside(const void *owner); /* 1 when the thread runs under a callback of owner */
int memex_shim_callback_depth(void);

#ifdef __cplusplus
}
#endif

#endif
