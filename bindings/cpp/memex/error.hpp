// What a failed call throws. Part of memex.hpp.
#ifndef MEMEX_ERROR_HPP
#define MEMEX_ERROR_HPP

#include <stdexcept>
#include <string>
#include <utility>

#include "memex.h"

namespace memex {

// A call that failed.
class error : public std::runtime_error {
 public:
  error(memex_status code, const std::string &message, std::string details = "{}", bool retryable = false)
      : std::runtime_error(message), code_(code), details_(std::move(details)), retryable_(retryable) {}

  // MEMEX_E_...
  memex_status code() const noexcept { return code_; }
  // "MEMEX_E_BUSY"
  const char *name() const noexcept { return memex_status_name(code_); }
  // A JSON object with what a program may want: {"path", "offset", "limit", ...}.
  const std::string &details() const noexcept { return details_; }
  // Whether the same call may succeed later.
  bool retryable() const noexcept { return retryable_; }

 private:
  memex_status code_;
  std::string details_;
  bool retryable_;
};

// What a backend or a strategy throws to say why it fails. The text becomes part of the error's message, so it
// must not hold content; of other exceptions only the fact is passed on.
class failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace memex

#endif  // MEMEX_ERROR_HPP
