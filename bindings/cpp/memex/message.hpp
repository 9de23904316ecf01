// Messages, one by one. Part of memex.hpp.
#ifndef MEMEX_MESSAGE_HPP
#define MEMEX_MESSAGE_HPP

#include <cstdint>
#include <string>
#include <string_view>

#include "memex.h"
#include "bytes.hpp"
#include "call.hpp"

namespace memex {

// One message of a conversation.
class message {
 public:
  message() noexcept = default;
  explicit message(memex_message *owned) noexcept : handle_(owned) {}

  std::string id() const { return detail::text_or_empty(memex_message_id(get())); }
  std::int64_t seq() const noexcept { return memex_message_seq(get()); }
  std::string role() const { return detail::text_or_empty(memex_message_role(get())); }

  // The body, byte for byte as it was given.
  bytes body() const {
    bytes out;
    detail::call(memex_message_body, get(), out.out());
    return out;
  }

  // Envelope and body.
  bytes json() const {
    bytes out;
    detail::call(memex_message_json, get(), out.out());
    return out;
  }

  void replace(std::string_view body, std::string_view options = {}) {
    detail::call(memex_message_replace, get(), body.data(), body.size(), options.data(), options.size());
  }

  void update_metadata(std::string_view patch, std::string_view options = {}) {
    detail::call(memex_message_update_metadata, get(), patch.data(), patch.size(), options.data(), options.size());
  }

  // Deletes the message from its thread.
  void remove(std::string_view options = {}) {
    detail::call(memex_message_delete, get(), options.data(), options.size());
  }

  memex_message *get() const noexcept { return handle_.get(); }

 private:
  detail::handle<memex_message, memex_message_free> handle_;
};

}  // namespace memex

#endif  // MEMEX_MESSAGE_HPP
