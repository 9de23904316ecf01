// Lists: cursors, and their pages as ranges of messages and threads. Part of memex.hpp.
#ifndef MEMEX_CURSOR_HPP
#define MEMEX_CURSOR_HPP

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "memex.h"
#include "bytes.hpp"
#include "call.hpp"
#include "json.hpp"

namespace memex {

// A position in a list of threads or messages.
class cursor {
 public:
  cursor() noexcept = default;
  explicit cursor(memex_cursor *owned) noexcept : handle_(owned) {}

  // The next page, or nothing.
  std::optional<bytes> next() {
    bytes page;
    if (detail::call(memex_cursor_next, handle_.get(), page.out()) == MEMEX_DONE) return std::nullopt;
    return std::optional<bytes>(std::move(page));
  }

  // Continues here as "cursor" of the same query, in any process; empty after the last page.
  std::string token() const {
    bytes out;
    detail::call(memex_cursor_token, handle_.get(), out.out());
    return out.str();
  }

  memex_cursor *get() const noexcept { return handle_.get(); }

 private:
  detail::handle<memex_cursor, memex_cursor_free> handle_;
};

// Pages of a cursor as an input range of items, for range-for. Decode turns a page into items that refer into
// it: an item lives until the iterator moves to the next page, so copy what is to stay. One pass.
template <typename Item, typename Decode>
class page_range {
 public:
  class iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Item;
    using difference_type = std::ptrdiff_t;
    using pointer = const Item *;
    using reference = const Item &;

    iterator() noexcept = default;
    explicit iterator(page_range *range) : range_(range) { ++*this; }
    const Item &operator*() const { return range_->items_[range_->at_]; }
    const Item *operator->() const { return &**this; }
    iterator &operator++() {
      if (!range_->advance()) range_ = nullptr;
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(const iterator &other) const noexcept { return range_ == other.range_; }
    bool operator!=(const iterator &other) const noexcept { return range_ != other.range_; }

   private:
    page_range *range_ = nullptr;
  };

  explicit page_range(cursor owned) : cursor_(std::move(owned)) {}
  page_range(page_range &&) = default;
  page_range &operator=(page_range &&) = default;

  // Begins where the range is; a second begin() goes on, it does not start again.
  iterator begin() { return iterator(this); }
  iterator end() noexcept { return iterator(); }

 private:
  bool advance() {
    if (++at_ < items_.size()) return true;
    for (;;) {
      std::optional<bytes> page = cursor_.next();
      items_.clear();
      at_ = 0;
      if (!page) return false;
      page_ = std::move(*page);
      Decode()(page_.view(), items_);
      if (!items_.empty()) return true;
    }
  }

  cursor cursor_;
  bytes page_;
  std::vector<Item> items_;
  std::size_t at_ = 0;
};

// A message of a range. The views live until the iterator moves on.
struct message_view {
  std::string_view json;  // envelope and body: {"id", "seq", "rev", ..., "body"}
  std::string_view body;  // byte for byte as it was given; empty when the message is deleted
  std::string id, role;
  std::int64_t seq = 0, rev = 0, created_at_us = 0;
  bool complete = true, deleted = false, pinned = false;
};

// A thread of a range. The view lives until the iterator moves on.
struct thread_view {
  std::string_view json;  // the document: {"id", "title", "metadata", "message_count", ...}
  std::string id, title;
  std::int64_t message_count = 0, created_at_us = 0;
};

namespace detail {

struct decode_messages {
  void operator()(std::string_view page, std::vector<message_view> &items) const {
    json_elements(page, "messages", [&](std::string_view element) {
      message_view m;
      m.json = element;
      m.body = json_member(element, "body");
      m.id = json_text(json_member(element, "id"));
      m.role = json_text(json_member(element, "role"));
      m.seq = json_number(json_member(element, "seq"));
      m.rev = json_number(json_member(element, "rev"));
      m.created_at_us = json_number(json_member(element, "created_at_us"));
      const std::string_view state = json_member(element, "state");
      m.complete = state == "\"complete\"";
      m.deleted = state == "\"deleted\"";
      m.pinned = json_member(element, "pinned") == "true";
      items.push_back(std::move(m));
    });
  }
};

struct decode_threads {
  void operator()(std::string_view page, std::vector<thread_view> &items) const {
    json_elements(page, "threads", [&](std::string_view element) {
      thread_view t;
      t.json = element;
      t.id = json_text(json_member(element, "id"));
      t.title = json_text(json_member(element, "title"));
      t.message_count = json_number(json_member(element, "message_count"));
      t.created_at_us = json_number(json_member(element, "created_at_us"));
      items.push_back(std::move(t));
    });
  }
};

}  // namespace detail

using message_range = page_range<message_view, detail::decode_messages>;
using thread_range = page_range<thread_view, detail::decode_threads>;

}  // namespace memex

#endif  // MEMEX_CURSOR_HPP
