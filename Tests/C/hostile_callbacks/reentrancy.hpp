// Backends that close and free what they run under, and that call back in.
#ifndef HOSTILE_CALLBACKS_REENTRANCY_HPP
#define HOSTILE_CALLBACKS_REENTRANCY_HPP

#include "store.hpp"

namespace {

void backend_closes_and_frees() {
  const struct {
    at where;
    const char *name;
  } places[] = {{at::get, "get"}, {at::scan, "scan"}, {at::commit, "commit"}};
  for (const auto &place : places) {
    watch(string("closes its store in ") + place.name);
    store_of s(config);
    memex_store *session = nullptr;
    EXPECT_STATUS(memex_session_open(s.store, "{\"tenant\":\"x\"}", MEMEX_NTS, &session, nullptr), MEMEX_OK);
    set_hook(place.where, 1000000, [&](memex_reply *) {
      EXPECT_STATUS(memex_store_close(s.store, nullptr), MEMEX_E_REENTRANT);
      return work;
    });
    EXPECT_STATUS(s.say("stored all the same"), MEMEX_OK);
    memex_cursor *cursor = nullptr;
    memex_bytes page = {nullptr, 0};
    EXPECT_STATUS(memex_thread_list(s.store, nullptr, 0, &cursor, nullptr), MEMEX_OK);
    EXPECT_STATUS(memex_cursor_next(cursor, &page, nullptr), MEMEX_OK);
    memex_bytes_free(&page);
    memex_cursor_free(cursor);
    EXPECT(hook_runs > 0, "%s was not called", place.name);
    clear_hook();
    expect_works(s.store);

    watch(string("closes a session of its store in ") + place.name);
    set_hook(place.where, 1, [&](memex_reply *) {
      memex_status status = memex_store_close(session, nullptr);
      EXPECT(status == MEMEX_OK || status == MEMEX_E_REENTRANT, "%s", memex_status_name(status));
      return work;
    });
    memex_thread *inside = nullptr;
    memex_status status = memex_thread_create(session, nullptr, 0, &inside, nullptr);
    EXPECT(status == MEMEX_OK || status == MEMEX_E_CLOSED, "%s", memex_status_name(status));
    memex_thread_free(inside);
    clear_hook();
    memex_store_close(session, nullptr);
    expect_works(s.store);

    watch(string("frees the handles it runs under in ") + place.name);
    memex_thread *mine = nullptr;
    memex_message *message = nullptr;
    EXPECT_STATUS(memex_thread_open(s.store, "t", 1, &mine, nullptr), MEMEX_OK);
    EXPECT_STATUS(memex_message_at(mine, 1, &message, nullptr), MEMEX_OK);
    EXPECT_STATUS(memex_thread_messages(mine, nullptr, 0, &cursor, nullptr), MEMEX_OK);
    set_hook(place.where, 1000000, [&](memex_reply *) {
      memex_thread_free(mine);
      memex_message_free(message);
      memex_cursor_free(cursor);
      memex_error_free(reinterpret_cast<memex_error *>(mine));
      return work;
    });
    status = memex_thread_append_text(mine, "user", 4, "x", 1, nullptr, 0, nullptr, nullptr);
    EXPECT(status == MEMEX_OK, "%s", memex_status_name(status));
    memex_cursor_next(cursor, &page, nullptr);
    memex_bytes_free(&page);
    memex_message_replace(message, "{\"role\":\"user\"}", MEMEX_NTS, nullptr, 0, nullptr);
    clear_hook();
    memex_thread_free(mine);
    memex_message_free(message);
    memex_cursor_free(cursor);
    EXPECT_STATUS(memex_thread_append_text(mine, "user", 4, "x", 1, nullptr, 0, nullptr, nullptr), MEMEX_E_HANDLE);
    expect_works(s.store);

    watch(string("unregisters its backend in ") + place.name);
    set_hook(place.where, 1, [&](memex_reply *) {
      EXPECT_STATUS(memex_unregister("backend", MEMEX_NTS, "hostile", MEMEX_NTS, nullptr), MEMEX_OK);
      return work;
    });
    if (s.say("x") == MEMEX_OK && hook_runs == 0) {
      memex_thread_list(s.store, nullptr, 0, &cursor, nullptr);
      memex_cursor_next(cursor, &page, nullptr);
      memex_bytes_free(&page);
      memex_cursor_free(cursor);
    }
    EXPECT(hook_runs == 1, "%s was not called", place.name);
    clear_hook();
    expect_works(s.store);
    memex_backend b = table();
    EXPECT_STATUS(memex_register_backend("hostile", MEMEX_NTS, &b, nullptr, nullptr, nullptr), MEMEX_OK);
    s.done();
  }
  watch("closes a store in its open");
  store_of other("{\"url\":\"memory:\"}");
  memex_store *store = nullptr;
  set_hook(at::open, 1, [&](memex_reply *) {
    EXPECT_STATUS(memex_store_close(other.store, nullptr), MEMEX_OK); // not the one it runs under
    return work;
  });
  EXPECT_STATUS(memex_store_open(config, MEMEX_NTS, &store, nullptr), MEMEX_OK);
  clear_hook();
  memex_thread_free(other.thread);
  EXPECT_STATUS(memex_store_close(store, nullptr), MEMEX_OK);
}

void backend_calls_back_in() {
  const struct {
    at where;
    const char *name;
  } places[] = {{at::get, "get"}, {at::scan, "scan"}, {at::commit, "commit"}};
  store_of s(config), other("{\"url\":\"memory:\"}");
  for (const auto &place : places) {
    watch(string("reads its own store in ") + place.name);
    set_hook(place.where, 1, [&](memex_reply *) {
      int64_t count = 0;
      memex_bytes bytes = {nullptr, 0};
      memex_cursor *cursor = nullptr;
      EXPECT_STATUS(memex_thread_count(s.thread, &count, nullptr), MEMEX_OK);
      EXPECT_STATUS(memex_thread_get(s.thread, &bytes, nullptr), MEMEX_OK);
      memex_bytes_free(&bytes);
      EXPECT_STATUS(memex_thread_messages(s.thread, nullptr, 0, &cursor, nullptr), MEMEX_OK);
      EXPECT_STATUS(memex_cursor_next(cursor, &bytes, nullptr), MEMEX_OK);
      memex_bytes_free(&bytes);
      memex_cursor_free(cursor);
      EXPECT_STATUS(other.say("from inside"), MEMEX_OK);
      return work;
    });
    EXPECT_STATUS(s.say("x"), MEMEX_OK);
    memex_cursor *cursor = nullptr;
    memex_bytes page = {nullptr, 0};
    memex_thread_list(s.store, nullptr, 0, &cursor, nullptr);
    memex_cursor_next(cursor, &page, nullptr);
    memex_bytes_free(&page);
    memex_cursor_free(cursor);
    EXPECT(hook_runs == 1, "%s was not called", place.name);
    clear_hook();
    expect_works(s.store);

    watch(string("appends to its own store in ") + place.name);
    memex_status inner = MEMEX_E_INTERNAL;
    set_hook(place.where, 1, [&](memex_reply *) {
      inner = s.say("inner", "{\"timeout_us\":500000}");
      return work;
    });
    memex_status outer = s.say("outer");
    if (hook_runs == 0) {
      memex_thread_list(s.store, nullptr, 0, &cursor, nullptr);
      memex_cursor_next(cursor, &page, nullptr);
      memex_bytes_free(&page);
      memex_cursor_free(cursor);
    }
    EXPECT(hook_runs == 1, "%s was not called", place.name);
    // In a commit there is a commit already: a wait would have no end.
    EXPECT(inner == MEMEX_OK || inner == MEMEX_E_REENTRANT || inner == MEMEX_E_TIMEOUT || inner == MEMEX_E_BUSY,
           "the inner append is %s", memex_status_name(inner));
    EXPECT(outer == MEMEX_OK, "the outer append is %s", memex_status_name(outer));
    clear_hook();
    expect_works(s.store);

    for (const char *what : {"flush", "interrupt", "stats", "check", "maintain"}) {
      watch(string("calls ") + what + " in " + place.name);
      memex_status status = MEMEX_OK;
      set_hook(place.where, 1, [&](memex_reply *) {
        memex_bytes bytes = {nullptr, 0};
        if (!strcmp(what, "flush")) status = memex_store_flush(s.store, nullptr);
        else if (!strcmp(what, "interrupt")) status = memex_store_interrupt(s.store, nullptr);
        else status = memex_store_command(s.store, what, MEMEX_NTS, nullptr, 0, &bytes, nullptr);
        memex_bytes_free(&bytes);
        return work;
      });
      outer = s.say("outer");
      EXPECT(status == MEMEX_OK || status == MEMEX_E_REENTRANT || status == MEMEX_E_TIMEOUT ||
                 status == MEMEX_E_UNSUPPORTED,
             "the inner call is %s", memex_status_name(status));
      EXPECT(outer == MEMEX_OK, "the outer append is %s", memex_status_name(outer));
      clear_hook();
      expect_works(s.store);
    }
  }
  watch("opens itself in open, 100 levels");
  memex_status deepest = MEMEX_OK;
  int depth = 0;
  std::function<int32_t(memex_reply *)> again = [&](memex_reply *) -> int32_t {
    memex_store *inner = nullptr;
    if (++depth > 100) return work;
    memex_status status = memex_store_open("{\"url\":\"hostile:deep\"}", MEMEX_NTS, &inner, nullptr);
    if (status) deepest = status;
    else memex_store_close(inner, nullptr);
    return work;
  };
  set_hook(at::open, 1000000, again);
  memex_store *store = nullptr;
  EXPECT_STATUS(memex_store_open(config, MEMEX_NTS, &store, nullptr), MEMEX_OK);
  clear_hook();
  EXPECT(depth > 100 || deepest == MEMEX_E_LIMIT, "%d levels, %s", depth, memex_status_name(deepest));
  EXPECT_STATUS(memex_store_close(store, nullptr), MEMEX_OK);
  other.done();
  s.done();
}

}  // namespace

#endif
