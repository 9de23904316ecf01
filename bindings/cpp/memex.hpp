// memex.hpp - the memory of LLM applications, for C++17: conversations kept for good.
//
//   memex::store store("{\"url\":\"sqlite:///chat.db\"}");
//   memex::thread thread = store.create_thread("{\"title\":\"Order 17\"}");
//   thread.append_text("user", "Where is my order?");
//   for (const memex::message_view &m : thread.messages("{\"last\":50}")) std::cout << m.role << m.body;
//
// A header over the C interface, memex.h, which documents every function and every JSON document. Link with
// -lmemex (pkg-config --cflags --libs memex).
//
// OWNERSHIP. Every class here owns one handle, frees it in its destructor, can be moved and not copied. A
// moved-from object is empty: calls on it throw memex::error with MEMEX_E_HANDLE. A store_view borrows (a
// transaction's view). Objects may outlive their store; calls on them then throw MEMEX_E_CLOSED. std::string_view
// arguments are copied by the library before the call returns; what is returned as std::string_view says how
// long it lives. A default std::string_view{} means "not given", "" is an empty text.
//
// ERRORS. Every failure is a memex::error with code(), details() and retryable(). Destructors never throw: what
// closing a store has to say is heard by calling close().
//
// CALLBACKS. Backends, strategies and log receivers are C++ objects; an exception in one of them becomes a
// failure of the call that needed it (MEMEX_E_CALLBACK), and never passes through C.
//
// THREADS. As in C: any object may be used from any thread; moving or destroying one while it is used may not.
//
// SPDX-License-Identifier: MIT
#ifndef MEMEX_HPP
#define MEMEX_HPP

#include <cstdint>
#include <cstring>
#include <exception>
#include <functional>
#include <iterator>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#ifdef __GLIBCXX__
#include <cxxabi.h>
#endif

#include "memex.h"

namespace memex {

// ------------------------------------------------------------------------------------------------ errors

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

// ------------------------------------------------------------------------------------------------- bytes

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

// ----------------------------------------------------------------------------------------------- library

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

// ----------------------------------------------------------------------------------------------- cursors

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

namespace detail {

// The end of the JSON value that begins at `at`, in text that is well formed.
inline const char *json_end(const char *at, const char *end) noexcept {
  int depth = 0;
  while (at < end) {
    const char c = *at++;
    if (c == '"') {
      while (at < end && *at != '"') at += *at == '\\' ? 2 : 1;
      if (++at >= end) return end;
    } else if (c == '{' || c == '[') {
      ++depth;
      continue;
    } else if (c == '}' || c == ']') {
      --depth;
    } else if (c == ',' || c == ':' || c == ' ' || c == '\n' || c == '\r' || c == '\t') {
      continue;
    } else if (at < end && !std::strchr(",}] \n\r\t", *at)) {
      continue;  // in the middle of a number or a word
    }
    if (depth <= 0) return at;
  }
  return end;
}

inline const char *json_skip(const char *at, const char *end) noexcept {
  while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t' || *at == ',' || *at == ':')) ++at;
  return at;
}

// The raw value of a member of a well-formed object; empty when there is none.
inline std::string_view json_member(std::string_view object, std::string_view name) noexcept {
  const char *end = object.data() + object.size();
  const char *at = json_skip(object.data(), end);
  if (at == end || *at != '{') return {};
  for (at = json_skip(at + 1, end); at < end && *at == '"'; at = json_skip(at, end)) {
    const char *key_end = json_end(at, end);
    const std::string_view key(at + 1, static_cast<std::size_t>(key_end - at) - 2);
    at = json_skip(key_end, end);
    const char *value_end = json_end(at, end);
    if (key == name) return {at, static_cast<std::size_t>(value_end - at)};
    at = value_end;
  }
  return {};
}

inline void append_utf8(std::string &to, std::uint32_t c) {
  if (c < 0x80) {
    to += static_cast<char>(c);
    return;
  }
  if (c < 0x800) {
    to += static_cast<char>(0xC0 | c >> 6);
  } else {
    if (c < 0x10000) {
      to += static_cast<char>(0xE0 | c >> 12);
    } else {
      to += static_cast<char>(0xF0 | c >> 18);
      to += static_cast<char>(0x80 | (c >> 12 & 0x3F));
    }
    to += static_cast<char>(0x80 | (c >> 6 & 0x3F));
  }
  to += static_cast<char>(0x80 | (c & 0x3F));
}

// The text of a well-formed JSON string; empty for anything else.
inline std::string json_text(std::string_view value) {
  std::string text;
  if (value.size() < 2 || value.front() != '"') return text;
  value = value.substr(1, value.size() - 2);
  const auto hex = [&](std::size_t at) {
    return static_cast<std::uint32_t>(std::stoul(std::string(value.substr(at, 4)), nullptr, 16));
  };
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] != '\\') {
      text += value[i];
      continue;
    }
    switch (value[++i]) {
      case 'b': text += '\b'; break;
      case 'f': text += '\f'; break;
      case 'n': text += '\n'; break;
      case 'r': text += '\r'; break;
      case 't': text += '\t'; break;
      case 'u': {
        std::uint32_t c = hex(i + 1);
        i += 4;
        if (c >= 0xD800 && c < 0xDC00 && i + 6 < value.size()) {
          c = 0x10000 + ((c - 0xD800) << 10) + (hex(i + 3) - 0xDC00);
          i += 6;
        }
        append_utf8(text, c);
        break;
      }
      default: text += value[i];
    }
  }
  return text;
}

}  // namespace detail

// A text as JSON, in quotes: for putting ids and contents into documents. The text must be UTF-8.
inline std::string quoted(std::string_view text) {
  static const char digits[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += "\\u00";
      out += digits[static_cast<unsigned char>(c) >> 4];
      out += digits[c & 15];
    } else {
      out += c;
    }
  }
  return out + '"';
}

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

inline std::int64_t json_number(std::string_view value) {
  return value.empty() ? 0 : static_cast<std::int64_t>(std::stoll(std::string(value)));
}

// Calls back with every element of the array that is the only member of a page.
template <typename Visit>
void json_elements(std::string_view page, std::string_view name, Visit visit) {
  const std::string_view array = json_member(page, name);
  const char *end = array.data() + array.size();
  if (array.empty()) return;
  for (const char *at = json_skip(array.data() + 1, end); at < end && *at != ']'; at = json_skip(at, end)) {
    const char *next = json_end(at, end);
    visit(std::string_view(at, static_cast<std::size_t>(next - at)));
    at = next;
  }
}

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

// ---------------------------------------------------------------------------------------------- strategy

// A pipeline that chooses what a model sees.
class strategy {
 public:
  strategy() noexcept = default;  // none: the default pipeline
  explicit strategy(std::string_view pipeline) {
    memex_strategy *opened = nullptr;
    detail::call(memex_strategy_open, pipeline.data(), pipeline.size(), &opened);
    handle_.reset(opened);
  }

  // The same on messages that are not stored: an array of bodies.
  bytes build(std::string_view messages, std::string_view request = {}) const {
    bytes out;
    detail::call(memex_context_build_messages, handle_.get(), messages.data(), messages.size(), request.data(),
                 request.size(), out.out());
    return out;
  }

  memex_strategy *get() const noexcept { return handle_.get(); }

 private:
  detail::handle<memex_strategy, memex_strategy_free> handle_;
};

// ----------------------------------------------------------------------------------------------- message

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

// ------------------------------------------------------------------------------------------------ thread

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

// ------------------------------------------------------------------------------------------------- store

class transaction;
class store;

// What can be done with a store, a session or a transaction's view of one. Borrows; copying it is cheap.
class store_view {
 public:
  store_view() noexcept = default;
  explicit store_view(memex_store *borrowed) noexcept : store_(borrowed) {}

  thread create_thread(std::string_view init = {}) const {
    memex_thread *opened = nullptr;
    detail::call(memex_thread_create, store_, init.data(), init.size(), &opened);
    return thread(opened);
  }

  thread open_thread(std::string_view id) const {
    memex_thread *opened = nullptr;
    detail::call(memex_thread_open, store_, id.data(), id.size(), &opened);
    return thread(opened);
  }

  void delete_thread(std::string_view id, std::string_view options = {}) const {
    detail::call(memex_thread_delete, store_, id.data(), id.size(), options.data(), options.size());
  }

  // Threads, for range-for.
  thread_range threads(std::string_view query = {}) const { return thread_range(pages(query)); }

  // The same page by page.
  cursor pages(std::string_view query = {}) const {
    memex_cursor *opened = nullptr;
    detail::call(memex_thread_list, store_, query.data(), query.size(), &opened);
    return cursor(opened);
  }

  inline transaction begin() const;
  // The store narrowed to a tenant and a principal, with a close of its own.
  inline store session(std::string_view options) const;

  void flush() const { detail::call(memex_store_flush, store_); }
  void interrupt() const { detail::call(memex_store_interrupt, store_); }

  // The control plane: "stats", "check", "maintain", ...
  bytes command(std::string_view name, std::string_view arguments = {}) const {
    bytes out;
    detail::call(memex_store_command, store_, name.data(), name.size(), arguments.data(), arguments.size(),
                 out.out());
    return out;
  }

  memex_store *get() const noexcept { return store_; }

 protected:
  memex_store *store_ = nullptr;
};

// A set of conversations behind one URL. Owns its handle; the destructor closes it.
class store : public store_view {
 public:
  store() noexcept = default;
  explicit store(std::string_view config) {
    memex_store *opened = nullptr;
    detail::call(memex_store_open, config.data(), config.size(), &opened);
    adopt(opened);
  }
  store(store &&other) noexcept : handle_(std::move(other.handle_)) {
    store_ = handle_.get();
    other.store_ = nullptr;
  }
  store &operator=(store &&other) noexcept {
    handle_ = std::move(other.handle_);
    store_ = handle_.get();
    other.store_ = nullptr;
    return *this;
  }

  // Closes it and says what went wrong. From inside a callback of the store: MEMEX_E_REENTRANT, and it stays
  // open. Closing twice does nothing.
  void close() {
    if (!store_) return;
    detail::error_slot slot;
    const memex_status status = memex_store_close(store_, slot.out());
    if (status != MEMEX_E_REENTRANT) {
      (void)handle_.release();  // consumed, whatever the answer
      store_ = nullptr;
    }
    if (status < 0) slot.raise(status);
  }

 private:
  friend class store_view;

  void adopt(memex_store *opened) noexcept {
    handle_.reset(opened);
    store_ = opened;
  }

  detail::handle<memex_store, detail::close_quietly> handle_;
};

// Changes that are applied together or not at all; rolled back by the destructor unless committed.
class transaction {
 public:
  explicit transaction(memex_txn *owned) noexcept : handle_(owned) {}

  // The view through which changes are collected; borrowed until the transaction ends.
  store_view store() const noexcept { return store_view(memex_txn_store(handle_.get())); }

  // Applies all or none: {"results": [...]}. The transaction is over, also when it throws.
  bytes commit() {
    bytes out;
    detail::call(memex_txn_commit, handle_.release(), out.out());
    return out;
  }

  void rollback() noexcept { handle_.reset(); }
  memex_txn *get() const noexcept { return handle_.get(); }

 private:
  detail::handle<memex_txn, memex_txn_rollback> handle_;
};

inline transaction store_view::begin() const {
  memex_txn *begun = nullptr;
  detail::call(memex_txn_begin, store_, static_cast<const char *>(nullptr), static_cast<std::size_t>(0), &begun);
  return transaction(begun);
}

inline store store_view::session(std::string_view options) const {
  memex_store *opened = nullptr;
  detail::call(memex_session_open, store_, options.data(), options.size(), &opened);
  store narrowed;
  narrowed.adopt(opened);
  return narrowed;
}

// --------------------------------------------------------------------------------------------- callbacks

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

// A registered backend or strategy; removed by the destructor. What was opened with it goes on working.
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

// The answer of backend_store::get; puts bytes into the library, no copy is kept here.
class value_reply {
 public:
  explicit value_reply(memex_reply *reply) noexcept : reply_(reply) {}
  void operator()(std::string_view value) const {
    detail::must_answer(memex_reply_data(reply_, value.data() ? value.data() : "", value.size()));
  }

 private:
  memex_reply *reply_;
};

// The answer of backend_store::scan, one call an entry.
class entry_reply {
 public:
  explicit entry_reply(memex_reply *reply) noexcept : reply_(reply) {}
  void operator()(std::string_view key, std::string_view value) const {
    detail::must_answer(memex_reply_entry(reply_, key.data(), key.size(), value.data() ? value.data() : "",
                                          value.size()));
  }

 private:
  memex_reply *reply_;
};

// The writes of a commit, in order. The views live during the call.
struct write {
  std::uint32_t kind = 0;  // MEMEX_WRITE_...; unknown kinds must be refused by throwing
  std::string_view key, value;
};

// An open store of a backend: an ordered set of keys and values. Keys are compared bytewise, a prefix first.
// Functions may be called from several threads at once, commit from one at a time. The destructor closes it.
class backend_store {
 public:
  virtual ~backend_store() = default;
  // Calls found once, or not at all when the key is absent.
  virtual void get(std::string_view key, const value_reply &found) = 0;
  // Calls found for keys in [from, to), at most limit, ascending or descending; without to, up to the end.
  virtual void scan(std::string_view from, std::optional<std::string_view> to, bool descending, std::int64_t limit,
                    const entry_reply &found) = 0;
  // Checks every REQUIRE_..., then applies every PUT and DELETE: all, durably, or none. False when a
  // precondition did not hold.
  virtual bool commit(const std::vector<write> &writes) = 0;
};

// What opens stores for URLs NAME:...
class backend {
 public:
  virtual ~backend() = default;
  virtual std::unique_ptr<backend_store> open(std::string_view url) = 0;
};

// Registers a backend. The library keeps the shared_ptr until the backend is removed and its last store closed.
[[nodiscard]] inline registration register_backend(std::string_view name, std::shared_ptr<backend> opens) {
  using holder = std::shared_ptr<backend>;
  memex_backend table{};
  table.struct_size = sizeof table;
  table.open = [](void *user_data, const char *url, std::size_t url_len, void **instance, memex_reply *reply) {
    return detail::guarded(reply, [&]() -> std::int32_t {
      std::unique_ptr<backend_store> opened = (*static_cast<holder *>(user_data))->open({url, url_len});
      if (!opened) throw failure("the backend opened nothing");
      *instance = opened.release();
      return MEMEX_CALLBACK_OK;
    });
  };
  table.close = [](void *instance, memex_reply *reply) {
    return detail::guarded(reply, [&]() -> std::int32_t {
      delete static_cast<backend_store *>(instance);
      return MEMEX_CALLBACK_OK;
    });
  };
  table.get = [](void *instance, const char *key, std::size_t key_len, memex_reply *reply) {
    return detail::guarded(reply, [&]() -> std::int32_t {
      static_cast<backend_store *>(instance)->get({key, key_len}, value_reply(reply));
      return MEMEX_CALLBACK_OK;
    });
  };
  table.scan = [](void *instance, const char *from, std::size_t from_len, const char *to, std::size_t to_len,
                  std::int32_t descending, std::int64_t limit, memex_reply *reply) {
    return detail::guarded(reply, [&]() -> std::int32_t {
      static_cast<backend_store *>(instance)->scan(
          {from, from_len}, to ? std::optional<std::string_view>(std::string_view(to, to_len)) : std::nullopt,
          descending != 0, limit, entry_reply(reply));
      return MEMEX_CALLBACK_OK;
    });
  };
  table.commit = [](void *instance, const memex_write *writes, std::size_t count, memex_reply *reply) {
    return detail::guarded(reply, [&]() -> std::int32_t {
      std::vector<write> list;
      list.reserve(count);
      for (std::size_t i = 0; i < count; ++i)
        list.push_back({writes[i].kind, {writes[i].key, writes[i].key_len}, {writes[i].value, writes[i].value_len}});
      return static_cast<backend_store *>(instance)->commit(list) ? MEMEX_CALLBACK_OK : MEMEX_CALLBACK_CONFLICT;
    });
  };
  auto held = std::make_unique<holder>(std::move(opens));
  registration made("backend", std::string(name));
  try {
    // From here on the library destroys it, also when the registration fails.
    detail::call(memex_register_backend, name.data(), name.size(), static_cast<const memex_backend *>(&table),
                 static_cast<void *>(held.release()), &detail::destroy<holder>);
  } catch (...) {
    made.keep();  // nothing to remove
    throw;
  }
  return made;
}

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

// Runs the conformance cases of storage backends: {"passed", "failed", "skipped", "cases"}.
inline bytes check_backend(std::string_view config) {
  bytes out;
  detail::call(memex_backend_check, config.data(), config.size(), out.out());
  return out;
}

}  // namespace memex

#endif  // MEMEX_HPP
