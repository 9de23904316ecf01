// Backends whose callbacks throw, return garbage, fail for ever or say CONFLICT for ever.
#ifndef HOSTILE_CALLBACKS_FAILURES_HPP
#define HOSTILE_CALLBACKS_FAILURES_HPP

#include <new>
#include <stdexcept>

#include "store.hpp"

namespace {

void backend_failures() {
  struct attack {
    const char *name;
    std::function<int32_t(memex_reply *)> does;
  };
  const attack attacks[] = {
      {"throws an exception", [](memex_reply *) -> int32_t { throw std::runtime_error("a secret"); }},
      {"throws an int", [](memex_reply *) -> int32_t { throw 42; }},
      {"throws bad_alloc", [](memex_reply *) -> int32_t { throw std::bad_alloc(); }},
      {"returns 0", [](memex_reply *) { return 0; }},
      {"returns 1", [](memex_reply *) { return 1; }},
      {"returns -1", [](memex_reply *) { return -1; }},
      {"returns 1903190240", [](memex_reply *) { return 1903190240; }},
      {"returns -1349742368", [](memex_reply *) { return -1349742368; }},
      {"returns nearly OK", [](memex_reply *) { return MEMEX_CALLBACK_OK + 1; }},
      {"says why and fails",
       [](memex_reply *reply) {
         EXPECT_STATUS(memex_reply_failure(reply, "out of order", MEMEX_NTS), MEMEX_OK);
         return 0;
       }},
      {"answers, then fails",
       [](memex_reply *reply) {
         memex_reply_data(reply, "half", 4);
         memex_reply_entry(reply, "half", 4, "half", 4);
         return 0;
       }},
  };
  const struct {
    at where;
    const char *name;
  } places[] = {{at::get, "get"}, {at::scan, "scan"}, {at::commit, "commit"}};
  store_of s(config);
  for (const attack &a : attacks)
    for (const auto &place : places) {
      watch(string("backend ") + place.name + " " + a.name);
      // Every failure in a row, not only the first: nothing may be retried for ever.
      set_hook(place.where, 1000000, a.does);
      memex_error *error = nullptr;
      memex_thread *thread = nullptr;
      memex_cursor *cursor = nullptr;
      memex_bytes page = {nullptr, 0};
      memex_status status = MEMEX_OK;
      const char *text = "hostile";
      status = memex_thread_append_text(s.thread, "user", 4, text, 7, nullptr, 0, nullptr, &error);
      if (place.where == at::commit) EXPECT_STATUS(status, MEMEX_E_CALLBACK);
      if (status == MEMEX_OK) { // an append that needed no such call
        memex_error_free(error);
        error = nullptr;
        status = memex_thread_list(s.store, nullptr, 0, &cursor, &error);
        if (status == MEMEX_OK) status = memex_cursor_next(cursor, &page, &error);
        if (status >= 0) {
          memex_bytes_free(&page);
          status = memex_thread_open(s.store, "not-cached", MEMEX_NTS, &thread, &error);
        }
      }
      EXPECT(status == MEMEX_E_CALLBACK, "%s, after %d calls", memex_status_name(status), hook_runs);
      const char *message = memex_error_message(error);
      EXPECT(message && !strstr(message, "secret"), "the error says %s", message);
      if (strcmp(a.name, "says why and fails") == 0)
        EXPECT(message && strstr(message, "out of order"), "the error says %s", message);
      memex_error_free(error);
      memex_cursor_free(cursor);
      memex_thread_free(thread);
      clear_hook();
      expect_works(s.store);
    }
  s.done();
  for (const attack &a : attacks) {
    watch(string("backend open ") + a.name);
    memex_store *store = nullptr;
    int before = opened - closed;
    set_hook(at::open, 1000000, a.does);
    EXPECT_STATUS(memex_store_open(config, MEMEX_NTS, &store, nullptr), MEMEX_E_CALLBACK);
    clear_hook();
    EXPECT(!store && opened - closed == before, "%d stores are open", opened - closed);
    watch(string("backend close ") + a.name);
    store_of other(config);
    set_hook(at::close, 1000000, a.does);
    memex_status status = memex_store_close(other.store, nullptr);
    EXPECT(status == MEMEX_E_CALLBACK, "close is %s", memex_status_name(status));
    EXPECT(hook_runs == 1, "close was called %d times", hook_runs);
    clear_hook();
    EXPECT_STATUS(memex_store_close(other.store, nullptr), MEMEX_E_HANDLE);
    EXPECT_STATUS(other.say("x"), MEMEX_E_CLOSED);
    memex_thread_free(other.thread);
  }
  EXPECT(opened == closed, "opened %d times, closed %d times", opened, closed);
}

void backend_conflicts() {
  store_of s(config);
  watch("commit says CONFLICT for ever");
  set_hook(at::commit, 1000000000, [](memex_reply *) { return MEMEX_CALLBACK_CONFLICT; });
  int64_t started = now_us();
  memex_status status = s.say("x");
  EXPECT(status == MEMEX_E_CONFLICT || status == MEMEX_E_BUSY || status == MEMEX_E_TIMEOUT ||
             status == MEMEX_E_CALLBACK,
         "%s", memex_status_name(status));
  EXPECT(now_us() - started < 10000000, "took %d ms", (int)((now_us() - started) / 1000));
  clear_hook();
  expect_works(s.store);
  for (at where : {at::get, at::scan}) {
    watch(where == at::get ? "get says CONFLICT" : "scan says CONFLICT");
    memex_thread *thread = nullptr;
    memex_cursor *cursor = nullptr;
    memex_bytes page = {nullptr, 0};
    set_hook(where, 1000000000, [](memex_reply *) { return MEMEX_CALLBACK_CONFLICT; });
    status = memex_thread_open(s.store, "nobody", MEMEX_NTS, &thread, nullptr);
    if (status == MEMEX_E_NOT_FOUND) {
      status = memex_thread_list(s.store, nullptr, 0, &cursor, nullptr);
      if (!status) status = memex_cursor_next(cursor, &page, nullptr);
    }
    EXPECT(status == MEMEX_E_CALLBACK, "%s", memex_status_name(status));
    memex_cursor_free(cursor);
    clear_hook();
    expect_works(s.store);
  }
  s.done();
}

}  // namespace

#endif
