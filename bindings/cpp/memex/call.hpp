// Calls of the C interface that throw, and handles that free themselves. Part of memex.hpp.
#ifndef MEMEX_CALL_HPP
#define MEMEX_CALL_HPP

#include <memory>
#include <string>

#include "memex.h"
#include "error.hpp"

namespace memex {

namespace detail {

// The error of a C call, on its way to becoming an exception.
class error_slot {
 public:
  error_slot() = default;
  error_slot(const error_slot &) = delete;
  error_slot &operator=(const error_slot &) = delete;
  ~error_slot() { memex_error_free(handle_); }

  memex_error **out() noexcept { return &handle_; }

  [[noreturn]] void raise(memex_status status) const {
    if (!handle_) throw error(status, memex_status_name(status));
    throw error(status, memex_error_message(handle_), memex_error_details(handle_),
                memex_error_retryable(handle_) != 0);
  }

 private:
  memex_error *handle_ = nullptr;
};

// Calls a function of the C interface; throws when it fails, else gives its status.
template <typename Function, typename... Arguments>
memex_status call(Function function, Arguments... arguments) {
  error_slot slot;
  const memex_status status = function(arguments..., slot.out());
  if (status < 0) slot.raise(status);
  return status;
}

template <typename T, void (*Free)(T *)>
struct deleter {
  void operator()(T *handle) const noexcept { Free(handle); }
};

// An owned handle. The types are never completed, which unique_ptr with a deleter of its own allows.
template <typename T, void (*Free)(T *)>
using handle = std::unique_ptr<T, deleter<T, Free>>;

inline void close_quietly(memex_store *store) { (void)memex_store_close(store, nullptr); }

inline std::string text_or_empty(const char *text) { return text ? std::string(text) : std::string(); }

}  // namespace detail

}  // namespace memex

#endif  // MEMEX_CALL_HPP
