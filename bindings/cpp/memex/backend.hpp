// Storage backends of your own. Part of memex.hpp.
#ifndef MEMEX_BACKEND_HPP
#define MEMEX_BACKEND_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "memex.h"
#include "bytes.hpp"
#include "call.hpp"
#include "callback.hpp"
#include "error.hpp"

namespace memex {

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

// Runs the conformance cases of storage backends: {"passed", "failed", "skipped", "cases"}.
inline bytes check_backend(std::string_view config) {
  bytes out;
  detail::call(memex_backend_check, config.data(), config.size(), out.out());
  return out;
}

}  // namespace memex

#endif  // MEMEX_BACKEND_HPP
