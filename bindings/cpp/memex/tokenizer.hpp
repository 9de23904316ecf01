// Tokenizers: those of the library, and your own. Part of memex.hpp.
#ifndef MEMEX_TOKENIZER_HPP
#define MEMEX_TOKENIZER_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "memex.h"
#include "bytes.hpp"
#include "call.hpp"
#include "callback.hpp"

namespace memex {

// Turns text into tokens.
class tokenizer {
 public:
  // {"encoding": "o200k_base"}, {"model": "gpt-4o"} or {"path": file}, see memex_tokenizer_open.
  explicit tokenizer(std::string_view options) {
    memex_tokenizer *opened = nullptr;
    detail::call(memex_tokenizer_open, options.data(), options.size(), &opened);
    handle_.reset(opened);
  }

  // The encoding's name; "" for a moved-from object. Lives as long as this.
  std::string_view name() const noexcept {
    const char *found = memex_tokenizer_name(handle_.get());
    return found ? found : "";
  }

  std::int64_t count(std::string_view text) const {
    std::int64_t number = 0;
    detail::call(memex_tokenizer_count, handle_.get(), text.data(), text.size(), &number);
    return number;
  }

  // Of each text; much faster than one call each. Copies the texts into one block.
  std::vector<std::int64_t> count_batch(const std::vector<std::string_view> &texts) const {
    std::string joined;
    std::vector<std::size_t> lengths;
    lengths.reserve(texts.size());
    for (const std::string_view text : texts) {
      joined.append(text);
      lengths.push_back(text.size());
    }
    std::vector<std::int64_t> counts(texts.size());
    detail::call(memex_tokenizer_count_batch, handle_.get(), joined.data(), joined.size(), lengths.data(),
                 lengths.size(), counts.data());
    return counts;
  }

  // Of a request: {"messages": [...], "tools": [...], "response_format": {...}}.
  std::int64_t count_messages(std::string_view request) const {
    std::int64_t number = 0;
    detail::call(memex_tokenizer_count_messages, handle_.get(), request.data(), request.size(), &number);
    return number;
  }

  std::vector<std::uint32_t> encode(std::string_view text) const {
    bytes found;
    detail::call(memex_tokenizer_encode, handle_.get(), text.data(), text.size(), found.out());
    std::vector<std::uint32_t> ids(found.size() / sizeof(std::uint32_t));
    if (!ids.empty()) std::memcpy(ids.data(), found.data(), ids.size() * sizeof(std::uint32_t));
    return ids;
  }

  bytes decode(const std::vector<std::uint32_t> &ids) const {
    bytes text;
    detail::call(memex_tokenizer_decode, handle_.get(), ids.data(), ids.size(), text.out());
    return text;
  }

  // The beginning of a text that has at most so many tokens; lives as long as the text.
  std::string_view truncate(std::string_view text, std::int64_t max_tokens) const {
    std::int64_t length = 0, tokens = 0;
    detail::call(memex_tokenizer_truncate, handle_.get(), text.data(), text.size(), max_tokens, &length, &tokens);
    return text.substr(0, static_cast<std::size_t>(length));
  }

  memex_tokenizer *get() const noexcept { return handle_.get(); }

 private:
  detail::handle<memex_tokenizer, memex_tokenizer_free> handle_;
};

// A tokenizer of your own. Functions may be called from several threads at once; they fail by throwing.
class custom_tokenizer {
 public:
  virtual ~custom_tokenizer() = default;
  virtual std::int64_t count(std::string_view text) = 0;
  virtual std::vector<std::uint32_t> encode(std::string_view) { throw failure("it only counts"); }
  virtual std::string decode(const std::uint32_t *, std::size_t) { throw failure("it only counts"); }
};

// Registers a tokenizer as an encoding. The library keeps the shared_ptr as long as it is used.
[[nodiscard]] inline registration register_tokenizer(std::string_view name, std::shared_ptr<custom_tokenizer> counts) {
  using holder = std::shared_ptr<custom_tokenizer>;
  memex_tokenizer_functions table{};
  table.struct_size = sizeof table;
  table.count = [](void *user_data, const char *text, std::size_t len, std::int64_t *tokens, memex_reply *reply) {
    return detail::guarded(reply, [&]() -> std::int32_t {
      *tokens = (*static_cast<holder *>(user_data))->count({text, len});
      return MEMEX_CALLBACK_OK;
    });
  };
  table.encode = [](void *user_data, const char *text, std::size_t len, memex_reply *reply) {
    return detail::guarded(reply, [&]() -> std::int32_t {
      const std::vector<std::uint32_t> ids = (*static_cast<holder *>(user_data))->encode({text, len});
      detail::must_answer(memex_reply_data(reply, ids.empty() ? "" : reinterpret_cast<const char *>(ids.data()),
                                           ids.size() * sizeof(std::uint32_t)));
      return MEMEX_CALLBACK_OK;
    });
  };
  table.decode = [](void *user_data, const std::uint32_t *ids, std::size_t n, memex_reply *reply) {
    return detail::guarded(reply, [&]() -> std::int32_t {
      const std::string text = (*static_cast<holder *>(user_data))->decode(ids, n);
      detail::must_answer(memex_reply_data(reply, text.data(), text.size()));
      return MEMEX_CALLBACK_OK;
    });
  };
  auto held = std::make_unique<holder>(std::move(counts));
  registration made("tokenizer", std::string(name));
  try {
    detail::call(memex_register_tokenizer, name.data(), name.size(),
                 static_cast<const memex_tokenizer_functions *>(&table), static_cast<void *>(held.release()),
                 &detail::destroy<holder>);
  } catch (...) {
    made.keep();
    throw;
  }
  return made;
}

}  // namespace memex

#endif  // MEMEX_TOKENIZER_HPP
