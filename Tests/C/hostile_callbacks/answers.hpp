// Backends that answer never, twice, too late, lies and damaged values.
#ifndef HOSTILE_CALLBACKS_ANSWERS_HPP
#define HOSTILE_CALLBACKS_ANSWERS_HPP

#include "store.hpp"

namespace {

void backend_answers() {
  store_of s(config);
  memex_reply *late = nullptr;
  for (at where : {at::get, at::scan, at::commit}) {
    watch("a reply that is used too late, twice, from another thread, and in the wrong way");
    set_hook(where, 1000000, [&](memex_reply *reply) {
      late = reply;
      std::thread other([&] { EXPECT_STATUS(memex_reply_failure(reply, "not used", 8), MEMEX_OK); });
      other.join();
      memex_status status = memex_reply_data(reply, nullptr, 5);
      EXPECT(status == MEMEX_E_INVALID, "NULL with a length is %s", memex_status_name(status));
      status = memex_reply_entry(reply, nullptr, 5, "x", 1);
      EXPECT(status == MEMEX_E_INVALID, "a NULL key with a length is %s", memex_status_name(status));
      return work;
    });
    s.say("x");
    memex_thread *thread = nullptr;
    memex_thread_open(s.store, "nobody", MEMEX_NTS, &thread, nullptr);
    memex_cursor *cursor = nullptr;
    memex_bytes page = {nullptr, 0};
    memex_thread_list(s.store, nullptr, 0, &cursor, nullptr);
    memex_cursor_next(cursor, &page, nullptr);
    memex_bytes_free(&page);
    memex_cursor_free(cursor);
    clear_hook();
    EXPECT(late != nullptr, "it was not called");
    EXPECT_STATUS(memex_reply_data(late, "x", 1), MEMEX_E_HANDLE);
    EXPECT_STATUS(memex_reply_entry(late, "x", 1, "y", 1), MEMEX_E_HANDLE);
    EXPECT_STATUS(memex_reply_failure(late, "x", 1), MEMEX_E_HANDLE);
    expect_works(s.store);
  }
  const struct {
    const char *name;
    std::function<void(memex_reply *)> answers;
  } lies[] = {
      {"entries out of order",
       [](memex_reply *r) {
         memex_reply_entry(r, "b", 1, "x", 1);
         memex_reply_entry(r, "a", 1, "x", 1);
       }},
      {"entries outside of the range", [](memex_reply *r) { memex_reply_entry(r, "\xff\xff\xff", 3, "x", 1); }},
      {"an empty key", [](memex_reply *r) { memex_reply_entry(r, "", 0, "x", 1); }},
      {"data instead of entries", [](memex_reply *r) { memex_reply_data(r, "x", 1); }},
      {"a value of 1 MB", [](memex_reply *r) { memex_reply_data(r, string(1 << 20, 'x').data(), 1 << 20); }},
      {"100,000 entries",
       [](memex_reply *r) {
         for (int i = 0; i < 100000; i++) {
           char key[16];
           int n = snprintf(key, sizeof key, "%08d", i);
           memex_reply_entry(r, key, (size_t)n, "x", 1);
         }
       }},
  };
  for (const auto &lie : lies)
    for (at where : {at::get, at::scan}) {
      watch(string("a backend answers with ") + lie.name);
      memex_store *store = nullptr;
      memex_thread *thread = nullptr;
      memex_cursor *cursor = nullptr;
      memex_bytes page = {nullptr, 0};
      set_hook(where, 1000000, [&](memex_reply *reply) {
        lie.answers(reply);
        return MEMEX_CALLBACK_OK;
      });
      s.say("x"); // whatever the answer: no crash, no hang
      memex_thread_open(s.store, "nobody", MEMEX_NTS, &thread, nullptr);
      memex_thread_free(thread);
      if (!memex_thread_messages(s.thread, nullptr, 0, &cursor, nullptr)) memex_cursor_next(cursor, &page, nullptr);
      memex_bytes_free(&page);
      memex_cursor_free(cursor);
      if (!memex_store_open("{\"url\":\"hostile:lies\"}", MEMEX_NTS, &store, nullptr)) memex_store_close(store, nullptr);
      clear_hook();
      // What it said may have been believed, so only a store that is opened again must work.
      memex_thread_free(s.thread);
      memex_store_close(s.store, nullptr);
      engines.erase("hostile:a");
      s = store_of(config);
      expect_works(s.store);
    }

  watch("a backend whose values are damaged");
  uint64_t random = 7;
  for (int i = 0; i < 2000; i++) s.say(i % 3 ? "some text" : "some longer text, so that there is more to damage");
  for (int round = 0; round < 400; round++) {
    spoil = [&](string value) {
      if (value.empty() || next_random(&random) % 3) return value;
      switch (next_random(&random) % 4) {
        case 0: value.resize(next_random(&random) % value.size()); break;
        case 1: value[next_random(&random) % value.size()] ^= (char)(1 << next_random(&random) % 8); break;
        case 2: value += value; break;
        default:
          for (char &c : value) c = (char)next_random(&random);
      }
      return value;
    };
    memex_store *store = nullptr;
    memex_thread *thread = nullptr;
    memex_cursor *cursor = nullptr;
    memex_bytes bytes = {nullptr, 0};
    memex_message *message = nullptr;
    if (memex_store_open(config, MEMEX_NTS, &store, nullptr) == MEMEX_OK) {
      if (memex_thread_open(store, "t", 1, &thread, nullptr) == MEMEX_OK) {
        if (!memex_thread_get(thread, &bytes, nullptr)) memex_bytes_free(&bytes);
        if (!memex_thread_messages(thread, "{\"last\":20}", MEMEX_NTS, &cursor, nullptr)) {
          if (memex_cursor_next(cursor, &bytes, nullptr) == MEMEX_OK) memex_bytes_free(&bytes);
          memex_cursor_free(cursor);
        }
        if (!memex_message_at(thread, 3, &message, nullptr)) {
          if (!memex_message_json(message, &bytes, nullptr)) memex_bytes_free(&bytes);
          memex_message_free(message);
        }
        if (!memex_context_build(thread, nullptr, "{\"max_tokens\":300}", MEMEX_NTS, &bytes, nullptr))
          memex_bytes_free(&bytes);
        memex_thread_free(thread);
      }
      if (!memex_thread_list(store, nullptr, 0, &cursor, nullptr)) {
        if (memex_cursor_next(cursor, &bytes, nullptr) == MEMEX_OK) memex_bytes_free(&bytes);
        memex_cursor_free(cursor);
      }
      spoil = nullptr;
      EXPECT_STATUS(memex_store_close(store, nullptr), MEMEX_OK);
    }
    spoil = nullptr;
  }
  s.done();
  store_of intact(config);
  expect_works(intact.store);
  intact.done();
}

}  // namespace

#endif
