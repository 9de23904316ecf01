// Conversations: appending, reading, forking, windows. Part of memex.hpp.
#ifndef MEMEX_THREAD_HPP
#define MEMEX_THREAD_HPP

#include <cstdint>
#include <string>
#include <string_view>

#include "memex.h"
#include "bytes.hpp"
#include "call.hpp"
#include "cursor.hpp"
#include "message.hpp"
#include "strategy.hpp"

namespace memex {

// One conversation.
class thread {
 public:
  thread() noexcept = default;
  explicit thread(memex_thread *owned) noexcept : handle_(owned) {}

  std::string id() const { return detail::text_or_empty(memex_thread_id(get())); }

  // The document: {"id", "title", "metadata", "version", "message_count", ...}.
  bytes json() const {
    bytes out;
    detail::call(memex_thread_get, get(), out.out());
    return out;
  }

  // Changes title and metadata by a merge patch; gives the document after it.
  bytes update(std::string_view patch, std::string_view options = {}) {
    bytes out;
    detail::call(memex_thread_update, get(), patch.data(), patch.size(), options.data(), options.size(), out.out());
    return out;
  }

  // Appends one message (an object) or several (an array), all or none.
  receipt append(std::string_view messages, std::string_view options = {}) {
    memex_receipt filled = empty_receipt();
    detail::call(memex_thread_append, get(), messages.data(), messages.size(), options.data(), options.size(),
                 &filled);
    return made(filled);
  }

  // Appends plain text.
  receipt append_text(std::string_view role, std::string_view text, std::string_view options = {}) {
    memex_receipt filled = empty_receipt();
    detail::call(memex_thread_append_text, get(), role.data(), role.size(), text.data(), text.size(),
                 options.data(), options.size(), &filled);
    return made(filled);
  }

  // Messages in the order of seq, for range-for. The query's layout must stay the default.
  message_range messages(std::string_view query = {}) const { return message_range(pages(query)); }

  // The same page by page, in any layout.
  cursor pages(std::string_view query = {}) const {
    memex_cursor *opened = nullptr;
    detail::call(memex_thread_messages, get(), query.data(), query.size(), &opened);
    return cursor(opened);
  }

  std::int64_t count() const {
    std::int64_t out = 0;
    detail::call(memex_thread_count, get(), &out);
    return out;
  }

  message at(std::int64_t seq) const {
    memex_message *opened = nullptr;
    detail::call(memex_message_at, get(), seq, &opened);
    return message(opened);
  }

  message open_message(std::string_view id) const {
    memex_message *opened = nullptr;
    detail::call(memex_message_open, get(), id.data(), id.size(), &opened);
    return message(opened);
  }

  // A new thread that shares this one's messages up to a point, without copying them.
  thread fork(std::string_view options = {}) const {
    memex_thread *opened = nullptr;
    detail::call(memex_thread_fork, get(), options.data(), options.size(), &opened);
    return thread(opened);
  }

  // What the model sees: {"messages", "seqs", "tokens", "kept", "left_out", ...}.
  bytes context(std::string_view request = {}, const strategy &with = strategy()) const {
    bytes out;
    detail::call(memex_context_build, get(), with.get(), request.data(), request.size(), out.out());
    return out;
  }

  memex_thread *get() const noexcept { return handle_.get(); }

 private:
  static memex_receipt empty_receipt() noexcept {
    memex_receipt filled{};
    filled.struct_size = sizeof filled;
    return filled;
  }

  static receipt made(const memex_receipt &filled) noexcept {
    return {filled.first_seq, filled.last_seq, filled.created_at_us, filled.rev, filled.duplicate != 0};
  }

  detail::handle<memex_thread, memex_thread_free> handle_;
};

}  // namespace memex

#endif  // MEMEX_THREAD_HPP
