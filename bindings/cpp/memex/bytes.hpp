// What calls give back: bytes, receipts; and what the library says of itself. Part of memex.hpp.
#ifndef MEMEX_BYTES_HPP
#define MEMEX_BYTES_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "memex.h"
#include "call.hpp"

namespace memex {

// Bytes of the library's, freed with it. view() and data() live as long as the object; data() ends with NUL.
class bytes {
 public:
  bytes() noexcept = default;
  bytes(bytes &&other) noexcept : value_(std::exchange(other.value_, memex_bytes{nullptr, 0})) {}
  bytes &operator=(bytes &&other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~bytes() { memex_bytes_free(&value_); }

  const char *data() const noexcept { return value_.data ? value_.data : ""; }
  std::size_t size() const noexcept { return value_.len; }
  bool empty() const noexcept { return value_.len == 0; }
  std::string_view view() const noexcept { return {data(), size()}; }
  std::string str() const { return std::string(view()); }
  operator std::string_view() const noexcept { return view(); }

  // For calls of the C interface: frees what is held and gives the place to fill.
  memex_bytes *out() noexcept {
    memex_bytes_free(&value_);
    return &value_;
  }

 private:
  memex_bytes value_{nullptr, 0};
};

// What an append did.
struct receipt {
  std::int64_t first_seq = 0;  // 0 in a transaction
  std::int64_t last_seq = 0;
  std::int64_t created_at_us = 0;
  std::int64_t rev = 0;
  bool duplicate = false;  // the idempotency key had been used: nothing was stored again
};

inline std::uint32_t version_number() noexcept { return memex_version_number(); }
inline std::string_view version() noexcept { return memex_version(); }

// Whether the library serves this header.
inline bool abi_matches() noexcept { return memex_check_abi(MEMEX_ABI_VERSION) == MEMEX_OK; }

// What is built in, as JSON.
inline bytes describe() {
  bytes out;
  detail::call(memex_describe, out.out());
  return out;
}

}  // namespace memex

#endif  // MEMEX_BYTES_HPP
