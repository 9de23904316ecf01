// Stores, their sessions and transactions. Part of memex.hpp.
#ifndef MEMEX_STORE_HPP
#define MEMEX_STORE_HPP

#include <cstddef>
#include <string_view>
#include <utility>

#include "memex.h"
#include "bytes.hpp"
#include "call.hpp"
#include "cursor.hpp"
#include "thread.hpp"

namespace memex {

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

}  // namespace memex

#endif  // MEMEX_STORE_HPP
