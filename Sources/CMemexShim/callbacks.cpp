#include "memex_shim_callbacks.h"

#include <cxxabi.h>

namespace {

constexpr int kDepthMax = 32;
thread_local const void *owners[kDepthMax];
thread_local int depth = 0;

template <typename Fn, typename... Args>
int32_t guarded(Fn fn, Args... args) {
  try {
    return fn(args...);
  } catch (abi::__forced_unwind &) {
    throw;  // thread cancellation must go on
  } catch (...) {
    return MEMEX_SHIM_THROWN;
  }
}

template <typename Fn, typename... Args>
int32_t guarded_void(Fn fn, Args... args) {
  try {
    fn(args...);
    return 0;
  } catch (abi::__forced_unwind &) {
    throw;
  } catch (...) {
    return MEMEX_SHIM_THROWN;
  }
}

}  // namespace

extern "C" {

int32_t memex_shim_call_open(int32_t (*fn)(void *, const char *, size_t, void **, void *), void *user_data,
                             const char *url, size_t url_len, void **instance, void *reply) {
  return guarded(fn, user_data, url, url_len, instance, reply);
}

int32_t memex_shim_call_close(int32_t (*fn)(void *, void *), void *instance, void *reply) {
  return guarded(fn, instance, reply);
}

int32_t memex_shim_call_get(int32_t (*fn)(void *, const char *, size_t, void *), void *instance,
                            const char *key, size_t key_len, void *reply) {
  return guarded(fn, instance, key, key_len, reply);
}

int32_t memex_shim_call_scan(int32_t (*fn)(void *, const char *, size_t, const char *, size_t, int32_t, int64_t,
                                           void *),
                             void *instance, const char *from, size_t from_len, const char *to,
                             size_t to_len, int32_t descending, int64_t limit, void *reply) {
  return guarded(fn, instance, from, from_len, to, to_len, descending, limit, reply);
}

int32_t memex_shim_call_commit(int32_t (*fn)(void *, const void *, size_t, void *), void *instance,
                               const void *writes, size_t count, void *reply) {
  return guarded(fn, instance, writes, count, reply);
}

int32_t memex_shim_call_strategy(int32_t (*fn)(void *, const char *, size_t, void *), void *user_data,
                                 const char *input, size_t input_len, void *reply) {
  return guarded(fn, user_data, input, input_len, reply);
}

int32_t memex_shim_call_count(int32_t (*fn)(void *, const char *, size_t, int64_t *, void *), void *user_data,
                              const char *text, size_t len, int64_t *tokens, void *reply) {
  return guarded(fn, user_data, text, len, tokens, reply);
}

int32_t memex_shim_call_encode(int32_t (*fn)(void *, const char *, size_t, void *), void *user_data,
                               const char *text, size_t len, void *reply) {
  return guarded(fn, user_data, text, len, reply);
}

int32_t memex_shim_call_decode(int32_t (*fn)(void *, const uint32_t *, size_t, void *), void *user_data,
                               const uint32_t *ids, size_t n, void *reply) {
  return guarded(fn, user_data, ids, n, reply);
}

int32_t memex_shim_call_destroy(void (*fn)(void *), void *user_data) { return guarded_void(fn, user_data); }

int32_t memex_shim_call_log(void (*fn)(void *, int32_t, const char *, size_t), void *user_data,
                            int32_t level, const char *text, size_t len) {
  return guarded_void(fn, user_data, level, text, len);
}

int memex_shim_callback_enter(const void *owner) {
  if (depth >= kDepthMax) return -1;
  owners[depth++] = owner;
  return 0;
}

void memex_shim_callback_leave(void) {
  if (depth > 0) depth--;
}

int memex_shim_callback_inside(const void *owner) {
  for (int i = 0; i < depth; i++)
    if (owners[i] == owner) return 1;
  return 0;
}

int memex_shim_callback_depth(void) { return depth; }

}  // extern "C"
