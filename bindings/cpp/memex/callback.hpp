// Functions of yours that the library calls: strategies and log receivers. Part of memex.hpp.
#ifndef MEMEX_CALLBACK_HPP
#define MEMEX_CALLBACK_HPP

#include <cstdint>
#include <cstring>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#ifdef __GLIBCXX__
#include <cxxabi.h>
#endif

#include "memex.h"
#include "call.hpp"
#include "error.hpp"

namespace memex {

namespace detail {

// Runs a callback's body; what it throws becomes a failure with a reason, and stays in C++.
template <typename Body>
std::int32_t guarded(memex_reply *reply, Body body) noexcept(false) {
  try {
    return body();
  } catch (const failure &thrown) {
    (void)memex_reply_failure(reply, thrown.what(), std::strlen(thrown.what()));
#ifdef __GLIBCXX__
  } catch (abi::__forced_unwind &) {
    throw;  // pthread_cancel: the one unwinding that must go on
#endif
  } catch (const std::bad_alloc &) {
    (void)memex_reply_failure(reply, "memory ran out in the callback", MEMEX_NTS);
  } catch (...) {
    (void)memex_reply_failure(reply, "the callback threw a C++ exception", MEMEX_NTS);
  }
  return 0;
}

template <typename T>
void destroy(void *user_data) {
  delete static_cast<T *>(user_data);
}

inline void must_answer(memex_status status) {
  if (status < 0) throw failure(memex_status_name(status));
}

}  // namespace detail

// A registered backend, strategy or tokenizer; removed by the destructor. What was opened with it goes on working.
class registration {
 public:
  registration() noexcept = default;
  registration(std::string kind, std::string name) : kind_(std::move(kind)), name_(std::move(name)) {}
  registration(registration &&other) noexcept
      : kind_(std::exchange(other.kind_, std::string())), name_(std::exchange(other.name_, std::string())) {}
  registration &operator=(registration &&other) noexcept {
    std::swap(kind_, other.kind_);
    std::swap(name_, other.name_);
    return *this;
  }
  ~registration() {
    if (!name_.empty()) (void)memex_unregister(kind_.data(), kind_.size(), name_.data(), name_.size(), nullptr);
  }

  // Removes it now, and says what went wrong.
  void remove() {
    const std::string name = std::exchange(name_, std::string());
    if (!name.empty()) detail::call(memex_unregister, kind_.data(), kind_.size(), name.data(), name.size());
  }

  // Keeps it for the rest of the process.
  void keep() noexcept { name_.clear(); }

 private:
  std::string kind_, name_;
};

// Takes {"config", "max_tokens", "messages"}, gives {"keep": [seq, ...], "reasons": {"<seq>": text}}.
using strategy_function = std::function<std::string(std::string_view input)>;

// Registers a strategy as a step type. Any thread may call it, several at once.
[[nodiscard]] inline registration register_strategy(std::string_view name, strategy_function chooses) {
  auto held = std::make_unique<strategy_function>(std::move(chooses));
  const memex_strategy_fn function = [](void *user_data, const char *input, std::size_t len, memex_reply *reply) {
    return detail::guarded(reply, [&]() -> std::int32_t {
      const std::string answer = (*static_cast<strategy_function *>(user_data))({input, len});
      detail::must_answer(memex_reply_data(reply, answer.data(), answer.size()));
      return MEMEX_CALLBACK_OK;
    });
  };
  registration made("strategy", std::string(name));
  try {
    detail::call(memex_register_strategy, name.data(), name.size(), function, static_cast<void *>(held.release()),
                 &detail::destroy<strategy_function>);
  } catch (...) {
    made.keep();
    throw;
  }
  return made;
}

// Takes a level (MEMEX_LOG_...) and a line.
using log_function = std::function<void(std::int32_t level, std::string_view line)>;

// Sets the receiver of log lines up to a level; an empty function removes it.
inline void log_handler(std::int32_t level, log_function receives) {
  if (!receives) {
    detail::call(memex_log_handler, level, static_cast<memex_log_fn>(nullptr), static_cast<void *>(nullptr),
                 static_cast<memex_destroy_fn>(nullptr));
    return;
  }
  auto held = std::make_unique<log_function>(std::move(receives));
  const memex_log_fn function = [](void *user_data, std::int32_t line_level, const char *text, std::size_t len) {
    try {
      (*static_cast<log_function *>(user_data))(line_level, {text, len});
#ifdef __GLIBCXX__
    } catch (abi::__forced_unwind &) {
      throw;
#endif
    } catch (...) {
      // a log line has nobody to fail to
    }
  };
  detail::call(memex_log_handler, level, function, static_cast<void *>(held.release()),
               &detail::destroy<log_function>);
}

}  // namespace memex

#endif  // MEMEX_CALLBACK_HPP
