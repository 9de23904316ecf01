// The store that is attacked, and what it must be able to do afterwards.
#ifndef HOSTILE_CALLBACKS_STORE_HPP
#define HOSTILE_CALLBACKS_STORE_HPP

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "engine.hpp"

namespace {

void watch(const string &what) {
  static char now[200];
  snprintf(now, sizeof now, "%s", what.c_str());
  abi_watch(now, 20);
}

void count_destroy(void *counter) { ++*static_cast<int *>(counter); }

struct store_of {
  memex_store *store = nullptr;
  memex_thread *thread = nullptr;
  explicit store_of(const char *config) {
    NEED(memex_store_open(config, MEMEX_NTS, &store, nullptr) == MEMEX_OK);
    if (memex_thread_open(store, "t", 1, &thread, nullptr) != MEMEX_OK)
      NEED(memex_thread_create(store, "{\"id\":\"t\"}", MEMEX_NTS, &thread, nullptr) == MEMEX_OK);
    NEED(say("first") == MEMEX_OK);
  }
  memex_status say(const char *text, const char *options = nullptr) {
    return memex_thread_append_text(thread, "user", 4, text, strlen(text), options, options ? MEMEX_NTS : 0, nullptr,
                                    nullptr);
  }
  void done() {
    clear_hook();
    memex_thread_free(thread);
    EXPECT_STATUS(memex_store_close(store, nullptr), MEMEX_OK);
  }
};

// The store works: writes and reads, from another thread than this, in reasonable time.
void expect_works(memex_store *store) {
  std::thread other([&] {
    memex_thread *thread = nullptr;
    memex_cursor *cursor = nullptr;
    memex_bytes page = {nullptr, 0};
    int64_t before = -1, after = -1;
    const char *fast = "{\"timeout_us\":3000000}";
    EXPECT_STATUS(memex_thread_open(store, "t", 1, &thread, nullptr), MEMEX_OK);
    EXPECT_STATUS(memex_thread_count(thread, &before, nullptr), MEMEX_OK);
    EXPECT_STATUS(memex_thread_append_text(thread, "user", 4, "works", 5, fast, MEMEX_NTS, nullptr, nullptr), MEMEX_OK);
    EXPECT_STATUS(memex_thread_count(thread, &after, nullptr), MEMEX_OK);
    EXPECT(after == before + 1, "%d messages became %d", (int)before, (int)after);
    EXPECT_STATUS(memex_thread_messages(thread, "{\"last\":1}", MEMEX_NTS, &cursor, nullptr), MEMEX_OK);
    EXPECT_STATUS(memex_cursor_next(cursor, &page, nullptr), MEMEX_OK);
    EXPECT(page.data && strstr(page.data, "works"), "the last message is %s", page.data ? page.data : "absent");
    memex_bytes_free(&page);
    memex_cursor_free(cursor);
    memex_thread_free(thread);
  });
  other.join();
}

const char config[] = "{\"url\":\"hostile:a\",\"timeout_us\":2000000}";

// Holds a callback back until it is released.
struct gate {
  std::mutex lock;
  std::condition_variable changed;
  bool entered = false, open = false;
  void pass() {
    std::unique_lock<std::mutex> held(lock);
    entered = true;
    changed.notify_all();
    changed.wait(held, [&] { return open; });
  }
  void await() {
    std::unique_lock<std::mutex> held(lock);
    changed.wait(held, [&] { return entered; });
  }
  void release() {
    std::lock_guard<std::mutex> held(lock);
    open = true;
    changed.notify_all();
  }
};

}  // namespace

#endif
