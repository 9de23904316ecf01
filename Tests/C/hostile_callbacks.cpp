// Callbacks that misbehave: they throw, return garbage, close and free what they run under, call back in, block,
// answer never, twice or too late. Each gets a defined error; after each the store works, from another thread,
// and no lock is kept; destroy runs exactly once however a registration ends. A case that hangs ends the program
// after 20 seconds.
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>

#include "abi_support.h"

namespace {

using std::string;

// ------------------------------------------------------------------------------- an engine with a hook

enum class at { none, open, close, get, scan, commit };

// What a callback does instead of, or before, its work. Returns the value to give back, or `work`.
constexpr int32_t work = 0x7fffffff;
std::function<int32_t(memex_reply *)> hook;
at hook_at = at::none;
int hook_left = 0;  // how many times
std::mutex hook_lock;
int hook_runs = 0;

int32_t run_hook(at where, memex_reply *reply) {
  std::function<int32_t(memex_reply *)> now;
  {
    std::lock_guard<std::mutex> held(hook_lock);
    if (where != hook_at || hook_left == 0) return work;
    hook_left--;
    hook_runs++;
    now = hook;
  }
  return now(reply);
}

void set_hook(at where, int times, std::function<int32_t(memex_reply *)> does) {
  std::lock_guard<std::mutex> held(hook_lock);
  hook_at = where;
  hook_left = times;
  hook_runs = 0;
  hook = std::move(does);
}

void clear_hook() { set_hook(at::none, 0, nullptr); }

struct engine {
  std::map<string, string> pairs;
  std::mutex lock;
};
std::map<string, engine> engines;  // by URL: they outlive their close
std::mutex engines_lock;
int opened, closed;

// Lets an attack spoil what a read answers.
std::function<string(string)> spoil;

int32_t engine_open(void *, const char *url, size_t len, void **instance, memex_reply *reply) {
  int32_t answer = run_hook(at::open, reply);
  if (answer != work) return answer;
  std::lock_guard<std::mutex> held(engines_lock);
  *instance = &engines[string(url, len)];
  opened++;
  return MEMEX_CALLBACK_OK;
}

int32_t engine_close(void *, memex_reply *reply) {
  {
    std::lock_guard<std::mutex> held(engines_lock);
    closed++;
  }
  int32_t answer = run_hook(at::close, reply);
  return answer != work ? answer : MEMEX_CALLBACK_OK;
}

int32_t engine_get(void *instance, const char *key, size_t len, memex_reply *reply) {
  int32_t answer = run_hook(at::get, reply);
  if (answer != work) return answer;
  engine *e = static_cast<engine *>(instance);
  std::lock_guard<std::mutex> held(e->lock);
  auto found = e->pairs.find(string(key, len));
  if (found == e->pairs.end()) return MEMEX_CALLBACK_OK;
  string value = spoil ? spoil(found->second) : found->second;
  return memex_reply_data(reply, value.data(), value.size()) ? 0 : MEMEX_CALLBACK_OK;
}

int32_t engine_scan(void *instance, const char *from, size_t from_len, const char *to, size_t to_len,
                    int32_t descending, int64_t limit, memex_reply *reply) {
  int32_t answer = run_hook(at::scan, reply);
  if (answer != work) return answer;
  engine *e = static_cast<engine *>(instance);
  std::lock_guard<std::mutex> held(e->lock);
  auto first = e->pairs.lower_bound(string(from, from_len));
  auto end = to ? e->pairs.lower_bound(string(to, to_len)) : e->pairs.end();
  for (; first != end && limit > 0; limit--) {
    auto &pair = descending ? *--end : *first++;
    string value = spoil ? spoil(pair.second) : pair.second;
    if (memex_reply_entry(reply, pair.first.data(), pair.first.size(), value.data(), value.size())) return 0;
  }
  return MEMEX_CALLBACK_OK;
}

int32_t engine_commit(void *instance, const memex_write *writes, size_t count, memex_reply *reply) {
  int32_t answer = run_hook(at::commit, reply);
  if (answer != work) return answer;
  engine *e = static_cast<engine *>(instance);
  std::lock_guard<std::mutex> held(e->lock);
  for (size_t i = 0; i < count; i++) {
    const memex_write &w = writes[i];
    auto found = e->pairs.find(string(w.key, w.key_len));
    bool present = found != e->pairs.end();
    if (w.kind == MEMEX_WRITE_REQUIRE_ABSENT && present) return MEMEX_CALLBACK_CONFLICT;
    if (w.kind == MEMEX_WRITE_REQUIRE_PRESENT && !present) return MEMEX_CALLBACK_CONFLICT;
    if (w.kind == MEMEX_WRITE_REQUIRE_EQUAL && (!present || found->second != string(w.value, w.value_len)))
      return MEMEX_CALLBACK_CONFLICT;
  }
  for (size_t i = 0; i < count; i++) {
    const memex_write &w = writes[i];
    if (w.kind == MEMEX_WRITE_PUT) e->pairs[string(w.key, w.key_len)] = string(w.value, w.value_len);
    if (w.kind == MEMEX_WRITE_DELETE) e->pairs.erase(string(w.key, w.key_len));
  }
  return MEMEX_CALLBACK_OK;
}

memex_backend table() {
  memex_backend b;
  memset(&b, 0, sizeof b);
  b.struct_size = sizeof b;
  b.open = engine_open;
  b.close = engine_close;
  b.get = engine_get;
  b.scan = engine_scan;
  b.commit = engine_commit;
  return b;
}

// ------------------------------------------------------------------------------------------- helpers

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

// ------------------------------------------------------------------------------------ hostile backends

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

void backend_blocks() {
  watch("a commit that blocks: other writers time out");
  store_of s(config);
  gate g;
  memex_status blocked = MEMEX_E_INTERNAL;
  set_hook(at::commit, 1, [&](memex_reply *) {
    g.pass();
    return work;
  });
  std::thread slow([&] { blocked = s.say("slow"); });
  g.await();
  int64_t started = now_us();
  EXPECT_STATUS(s.say("fast", "{\"timeout_us\":200000}"), MEMEX_E_TIMEOUT);
  int64_t took = now_us() - started;
  EXPECT(took >= 150000 && took < 3000000, "the time-out took %d ms", (int)(took / 1000));
  int64_t count = 0;
  EXPECT_STATUS(memex_thread_count(s.thread, &count, nullptr), MEMEX_OK);
  EXPECT(count == 1 || count > 1, "reads go on");
  store_of elsewhere("{\"url\":\"hostile:b\"}");
  EXPECT_STATUS(elsewhere.say("another store is free"), MEMEX_OK);
  memex_thread_free(elsewhere.thread);
  EXPECT_STATUS(memex_store_close(elsewhere.store, nullptr), MEMEX_OK);

  watch("a commit that blocks: interrupt ends the waits");
  memex_status waiting = MEMEX_OK;
  std::thread waiter([&] { waiting = s.say("waits", "{\"timeout_us\":10000000}"); });
  sleep_us(100000);
  EXPECT_STATUS(memex_store_interrupt(s.store, nullptr), MEMEX_OK);
  waiter.join();
  EXPECT_STATUS(waiting, MEMEX_E_CANCELLED);
  g.release();
  slow.join();
  EXPECT_STATUS(blocked, MEMEX_OK);
  expect_works(s.store);

  watch("a commit that blocks while the store is closed");
  gate h;
  memex_status last = MEMEX_E_INTERNAL, refused = MEMEX_OK;
  set_hook(at::commit, 1, [&](memex_reply *) {
    h.pass();
    return work;
  });
  std::thread writer([&] { last = s.say("last"); });
  h.await();
  std::thread queued([&] { refused = s.say("queued", "{\"timeout_us\":10000000}"); });
  sleep_us(50000);
  std::thread opener([&] {
    sleep_us(200000);
    EXPECT_STATUS(s.say("too late", "{\"timeout_us\":100000}"), MEMEX_E_CLOSED);
    h.release();
  });
  EXPECT_STATUS(memex_store_close(s.store, nullptr), MEMEX_OK);
  writer.join();
  queued.join();
  opener.join();
  EXPECT_STATUS(last, MEMEX_OK);
  EXPECT(refused == MEMEX_E_CLOSED || refused == MEMEX_OK, "the queued append is %s", memex_status_name(refused));
  memex_thread_free(s.thread);
  clear_hook();
}

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

// ---------------------------------------------------------------------------------------- registration

void registrations() {
  memex_backend b = table();
  int destroyed = 0;
  const auto registers = [&](const char *name, const memex_backend *backend, memex_status wanted, int destroys) {
    destroyed = 0;
    watch(string("registers a backend named ") + (name ? name : "NULL"));
    EXPECT_STATUS(memex_register_backend(name, MEMEX_NTS, backend, &destroyed, count_destroy, nullptr), wanted);
    EXPECT(destroyed == destroys, "destroyed %d times, not %d", destroyed, destroys);
  };
  registers("twice", &b, MEMEX_OK, 0);
  int second = 0;
  EXPECT_STATUS(memex_register_backend("twice", MEMEX_NTS, &b, &second, count_destroy, nullptr), MEMEX_E_EXISTS);
  EXPECT(second == 1 && destroyed == 0, "destroyed %d and %d times", second, destroyed);
  EXPECT_STATUS(memex_unregister("backend", MEMEX_NTS, "twice", MEMEX_NTS, nullptr), MEMEX_OK);
  EXPECT(destroyed == 1, "destroyed %d times", destroyed);
  EXPECT_STATUS(memex_unregister("backend", MEMEX_NTS, "twice", MEMEX_NTS, nullptr), MEMEX_E_NOT_FOUND);
  EXPECT(destroyed == 1, "destroyed %d times", destroyed);
  registers("Bad Name", &b, MEMEX_E_INVALID, 1);
  registers("", &b, MEMEX_E_INVALID, 1);
  registers(nullptr, &b, MEMEX_E_INVALID, 1);
  registers("sqlite", &b, MEMEX_E_EXISTS, 1);
  registers("no-table", nullptr, MEMEX_E_INVALID, 1);
  memex_backend wrong = b;
  wrong.struct_size = 8;
  registers("small", &wrong, MEMEX_E_INVALID, 1);
  wrong = b;
  wrong.scan = nullptr;
  registers("no-scan", &wrong, MEMEX_E_INVALID, 1);
  watch("a registration in use");
  registers("in-use", &b, MEMEX_OK, 0);
  memex_store *store = nullptr;
  EXPECT_STATUS(memex_store_open("{\"url\":\"in-use:x\"}", MEMEX_NTS, &store, nullptr), MEMEX_OK);
  EXPECT_STATUS(memex_unregister("backend", MEMEX_NTS, "in-use", MEMEX_NTS, nullptr), MEMEX_OK);
  EXPECT(destroyed == 0, "destroyed while a store is open");
  EXPECT_STATUS(memex_store_close(store, nullptr), MEMEX_OK);
  EXPECT(destroyed == 1, "destroyed %d times after the last close", destroyed);
  watch("destroy that throws");
  EXPECT_STATUS(memex_register_backend("thrower", MEMEX_NTS, &b, nullptr, [](void *) { throw 1; }, nullptr), MEMEX_OK);
  EXPECT_STATUS(memex_unregister("backend", MEMEX_NTS, "thrower", MEMEX_NTS, nullptr), MEMEX_OK);
  watch("destroy that registers again");
  static int rounds;
  static memex_backend again;
  again = b;
  rounds = 0;
  EXPECT_STATUS(memex_register_backend(
                    "phoenix", MEMEX_NTS, &b, nullptr,
                    [](void *) {
                      memex_bytes bytes = {nullptr, 0};
                      if (!memex_describe(&bytes, nullptr)) memex_bytes_free(&bytes);
                      rounds += memex_register_backend("phoenix", MEMEX_NTS, &again, nullptr, nullptr, nullptr) == 0;
                    },
                    nullptr),
                MEMEX_OK);
  EXPECT_STATUS(memex_unregister("backend", MEMEX_NTS, "phoenix", MEMEX_NTS, nullptr), MEMEX_OK);
  EXPECT(rounds == 1, "registered again %d times", rounds);
  EXPECT_STATUS(memex_unregister("backend", MEMEX_NTS, "phoenix", MEMEX_NTS, nullptr), MEMEX_OK);
  watch("strategies that are registered");
  const memex_strategy_fn keeps = [](void *, const char *, size_t, memex_reply *reply) -> int32_t {
    memex_reply_data(reply, "{\"keep\":[1]}", 12);
    return MEMEX_CALLBACK_OK;
  };
  destroyed = 0;
  EXPECT_STATUS(memex_register_strategy("fifo", MEMEX_NTS, keeps, &destroyed, count_destroy, nullptr), MEMEX_E_EXISTS);
  EXPECT_STATUS(memex_register_strategy("BAD", MEMEX_NTS, keeps, &destroyed, count_destroy, nullptr), MEMEX_E_INVALID);
  EXPECT_STATUS(memex_register_strategy("null", MEMEX_NTS, nullptr, &destroyed, count_destroy, nullptr),
                MEMEX_E_INVALID);
  EXPECT(destroyed == 3, "destroyed %d times in 3 refusals", destroyed);
  destroyed = 0;
  memex_strategy *strategy = nullptr;
  EXPECT_STATUS(memex_register_strategy("kept", MEMEX_NTS, keeps, &destroyed, count_destroy, nullptr), MEMEX_OK);
  EXPECT_STATUS(memex_strategy_open("{\"type\":\"kept\"}", MEMEX_NTS, &strategy, nullptr), MEMEX_OK);
  EXPECT_STATUS(memex_unregister("strategy", MEMEX_NTS, "kept", MEMEX_NTS, nullptr), MEMEX_OK);
  EXPECT(destroyed == 0, "destroyed while a strategy is open");
  memex_strategy_free(strategy);
  EXPECT(destroyed == 1, "destroyed %d times", destroyed);
  EXPECT_STATUS(memex_unregister("nothing", MEMEX_NTS, "kept", MEMEX_NTS, nullptr), MEMEX_E_INVALID);
  watch("log receivers");
  destroyed = 0;
  const memex_log_fn receives = [](void *, int32_t, const char *, size_t) {};
  EXPECT_STATUS(memex_log_handler(99, receives, &destroyed, count_destroy, nullptr), MEMEX_E_INVALID);
  EXPECT(destroyed == 1, "destroyed %d times when refused", destroyed);
  EXPECT_STATUS(memex_log_handler(MEMEX_LOG_DEBUG, receives, &destroyed, count_destroy, nullptr), MEMEX_OK);
  EXPECT(destroyed == 1, "destroyed while it is set");
  EXPECT_STATUS(memex_log_handler(MEMEX_LOG_DEBUG, receives, &destroyed, count_destroy, nullptr), MEMEX_OK);
  EXPECT(destroyed == 2, "the one before was destroyed %d times", destroyed - 1);
  EXPECT_STATUS(memex_log_handler(MEMEX_LOG_DEBUG, nullptr, nullptr, nullptr, nullptr), MEMEX_OK);
  EXPECT(destroyed == 3, "destroyed %d times", destroyed);
}

// ----------------------------------------------------------------------------------- hostile strategies

std::function<int32_t(const string &, memex_reply *)> choose;

int32_t strategy_function(void *, const char *input, size_t len, memex_reply *reply) {
  return choose(string(input, len), reply);
}

// Builds a window with the hostile strategy.
memex_status build(memex_thread *thread, memex_strategy *strategy, string *window = nullptr,
                   string *message = nullptr) {
  memex_bytes bytes = {nullptr, 0};
  memex_error *error = nullptr;
  memex_status status = memex_context_build(thread, strategy, nullptr, 0, &bytes, &error);
  if (window && bytes.data) *window = bytes.data;
  if (message && error) *message = memex_error_message(error);
  if (status < 0) EXPECT(error && !bytes.data, "a failure without an error, or with bytes");
  memex_bytes_free(&bytes);
  memex_error_free(error);
  return status;
}

void strategies() {
  for (const char *url : {"{\"url\":\"memory:\"}", "{\"url\":\"sqlite::memory:\"}"}) {
    store_of s(url);
    memex_strategy *strategy = nullptr;
    for (int i = 2; i <= 5; i++) s.say("more");
    EXPECT_STATUS(memex_register_strategy("hostile", MEMEX_NTS, strategy_function, nullptr, nullptr, nullptr), MEMEX_OK);
    EXPECT_STATUS(memex_strategy_open("{\"type\":\"hostile\"}", MEMEX_NTS, &strategy, nullptr), MEMEX_OK);
    const auto answer = [](const string &text) {
      return [text](const string &, memex_reply *reply) {
        memex_reply_data(reply, text.data(), text.size());
        return MEMEX_CALLBACK_OK;
      };
    };
    const struct {
      string name;
      std::function<int32_t(const string &, memex_reply *)> does;
      memex_status wanted;
    } attacks[] = {
        {"throws", [](const string &, memex_reply *) -> int32_t { throw std::runtime_error("a secret"); },
         MEMEX_E_CALLBACK},
        {"throws an int", [](const string &, memex_reply *) -> int32_t { throw 1; }, MEMEX_E_CALLBACK},
        {"returns 0", [](const string &, memex_reply *) { return 0; }, MEMEX_E_CALLBACK},
        {"returns garbage", [](const string &, memex_reply *) { return 1903190240; }, MEMEX_E_CALLBACK},
        {"says CONFLICT", [](const string &, memex_reply *) { return MEMEX_CALLBACK_CONFLICT; }, MEMEX_E_CALLBACK},
        {"never answers", [](const string &, memex_reply *) { return MEMEX_CALLBACK_OK; }, MEMEX_E_CALLBACK},
        {"answers nothing", answer(""), MEMEX_E_CALLBACK},
        {"answers no JSON", answer("keep them all"), MEMEX_E_CALLBACK},
        {"answers half an object", answer("{\"keep\":[1"), MEMEX_E_CALLBACK},
        {"answers an array", answer("[1]"), MEMEX_E_CALLBACK},
        {"answers no keep", answer("{}"), MEMEX_E_CALLBACK},
        {"answers another key", answer("{\"keep\":[1],\"keeep\":[2]}"), MEMEX_E_CALLBACK},
        {"keeps a text", answer("{\"keep\":\"1\"}"), MEMEX_E_CALLBACK},
        {"keeps texts", answer("{\"keep\":[\"1\"]}"), MEMEX_E_CALLBACK},
        {"keeps a fraction", answer("{\"keep\":[1.5]}"), MEMEX_E_CALLBACK},
        {"keeps what is not there", answer("{\"keep\":[77]}"), MEMEX_E_CALLBACK},
        {"keeps a negative", answer("{\"keep\":[-1]}"), MEMEX_E_CALLBACK},
        {"keeps 2^63", answer("{\"keep\":[9223372036854775808]}"), MEMEX_E_CALLBACK},
        {"gives reasons as a list", answer("{\"keep\":[1],\"reasons\":[]}"), MEMEX_E_CALLBACK},
        {"gives a number as a reason", answer("{\"keep\":[1],\"reasons\":{\"2\":2}}"), MEMEX_E_CALLBACK},
        {"answers invalid UTF-8", answer("{\"keep\":[1],\"reasons\":{\"2\":\"\xff\"}}"), MEMEX_E_CALLBACK},
        {"answers 129 levels", answer("{\"keep\":" + string(129, '[') + string(129, ']') + "}"), MEMEX_E_CALLBACK},
        {"answers a NUL", answer(string("{\"keep\":[1]}\0", 13)), MEMEX_E_CALLBACK},
    };
    for (const auto &a : attacks) {
      watch("a strategy " + a.name);
      string message;
      choose = a.does;
      memex_status status = build(s.thread, strategy, nullptr, &message);
      EXPECT(status == a.wanted, "%s", memex_status_name(status));
      EXPECT(message.find("secret") == string::npos, "the error says %s", message.c_str());
      choose = answer("{\"keep\":[1,3]}");
      string window;
      EXPECT_STATUS(build(s.thread, strategy, &window), MEMEX_OK);
      EXPECT(window.find("\"seqs\":[1,3]") != string::npos, "the window is %s", window.c_str());
      expect_works(s.store);
    }

    watch("a strategy keeps one twice, in any order");
    string window;
    choose = answer("{\"keep\":[3,1,3,1]}");
    memex_status status = build(s.thread, strategy, &window);
    EXPECT(status == MEMEX_E_CALLBACK || window.find("\"seqs\":[1,3]") != string::npos, "%s, %s",
           memex_status_name(status), window.c_str());

    watch("a strategy answers twice: the last one counts");
    choose = [](const string &, memex_reply *reply) {
      memex_reply_data(reply, "{\"keep\":[1]}", 12);
      memex_reply_data(reply, "{\"keep\":[2]}", 12);
      return MEMEX_CALLBACK_OK;
    };
    EXPECT_STATUS(build(s.thread, strategy, &window), MEMEX_OK);
    EXPECT(window.find("\"seqs\":[2]") != string::npos, "the window is %s", window.c_str());

    watch("a strategy uses its reply too late");
    memex_reply *late = nullptr;
    choose = [&](const string &, memex_reply *reply) {
      late = reply;
      memex_reply_data(reply, "{\"keep\":[1]}", 12);
      return MEMEX_CALLBACK_OK;
    };
    EXPECT_STATUS(build(s.thread, strategy), MEMEX_OK);
    EXPECT_STATUS(memex_reply_data(late, "{\"keep\":[2]}", 12), MEMEX_E_HANDLE);

    watch("a strategy closes the store it runs under");
    choose = [&](const string &, memex_reply *reply) {
      EXPECT_STATUS(memex_store_close(s.store, nullptr), MEMEX_E_REENTRANT);
      memex_reply_data(reply, "{\"keep\":[1]}", 12);
      return MEMEX_CALLBACK_OK;
    };
    EXPECT_STATUS(build(s.thread, strategy), MEMEX_OK);
    expect_works(s.store);

    watch("a strategy frees what it runs under and unregisters itself");
    memex_thread *mine = nullptr;
    memex_strategy *own = nullptr;
    EXPECT_STATUS(memex_thread_open(s.store, "t", 1, &mine, nullptr), MEMEX_OK);
    EXPECT_STATUS(memex_strategy_open("{\"type\":\"hostile\"}", MEMEX_NTS, &own, nullptr), MEMEX_OK);
    choose = [&](const string &, memex_reply *reply) {
      memex_thread_free(mine);
      memex_strategy_free(own);
      EXPECT_STATUS(memex_unregister("strategy", MEMEX_NTS, "hostile", MEMEX_NTS, nullptr), MEMEX_OK);
      memex_reply_data(reply, "{\"keep\":[1]}", 12);
      return MEMEX_CALLBACK_OK;
    };
    EXPECT_STATUS(build(mine, own), MEMEX_OK);
    EXPECT_STATUS(build(mine, strategy), MEMEX_E_HANDLE);
    EXPECT_STATUS(build(s.thread, own), MEMEX_E_HANDLE);
    EXPECT_STATUS(memex_register_strategy("hostile", MEMEX_NTS, strategy_function, nullptr, nullptr, nullptr), MEMEX_OK);
    expect_works(s.store);

    watch("a strategy appends, reads and deletes inside");
    choose = [&](const string &, memex_reply *reply) {
      memex_message *message = nullptr;
      EXPECT_STATUS(s.say("from inside"), MEMEX_OK);
      EXPECT_STATUS(memex_message_at(s.thread, 2, &message, nullptr), MEMEX_OK);
      EXPECT_STATUS(memex_message_delete(message, nullptr, 0, nullptr), MEMEX_OK);
      memex_message_free(message);
      memex_reply_data(reply, "{\"keep\":[1,2]}", 14);
      return MEMEX_CALLBACK_OK;
    };
    EXPECT_STATUS(build(s.thread, strategy), MEMEX_OK);
    expect_works(s.store);

    watch("a strategy that calls itself without end");
    int depth = 0;
    memex_status deepest = MEMEX_OK;
    choose = [&](const string &, memex_reply *reply) {
      depth++;
      memex_status inner = depth > 1000 ? MEMEX_OK : build(s.thread, strategy);
      if (inner < 0 && deepest == MEMEX_OK) deepest = inner;
      memex_reply_data(reply, "{\"keep\":[1]}", 12);
      return MEMEX_CALLBACK_OK;
    };
    EXPECT_STATUS(build(s.thread, strategy), MEMEX_OK);
    EXPECT(deepest == MEMEX_E_LIMIT && depth < 1000, "%s after %d levels", memex_status_name(deepest), depth);
    expect_works(s.store);

    watch("a strategy that blocks: writers and readers go on");
    gate g;
    choose = [&](const string &, memex_reply *reply) {
      g.pass();
      memex_reply_data(reply, "{\"keep\":[1]}", 12);
      return MEMEX_CALLBACK_OK;
    };
    memex_status slow_status = MEMEX_E_INTERNAL;
    std::thread slow([&] { slow_status = build(s.thread, strategy); });
    g.await();
    expect_works(s.store);
    g.release();
    slow.join();
    EXPECT_STATUS(slow_status, MEMEX_OK);

    memex_strategy_free(strategy);
    EXPECT_STATUS(memex_unregister("strategy", MEMEX_NTS, "hostile", MEMEX_NTS, nullptr), MEMEX_OK);
    s.done();
  }
}

void logs() {
  watch("a log receiver that throws, calls in and sets another");
  static memex_store *open_store;
  const memex_log_fn hostile = [](void *, int32_t, const char *text, size_t len) {
    memex_bytes bytes = {nullptr, 0};
    EXPECT(text && memchr(text, 0, len) == nullptr, "a line with a NUL");
    EXPECT_STATUS(memex_log_handler(MEMEX_LOG_DEBUG, nullptr, nullptr, nullptr, nullptr), MEMEX_E_REENTRANT);
    if (open_store && !memex_store_command(open_store, "stats", MEMEX_NTS, nullptr, 0, &bytes, nullptr))
      memex_bytes_free(&bytes);
    throw std::runtime_error("no log today");
  };
  EXPECT_STATUS(memex_log_handler(MEMEX_LOG_DEBUG, hostile, nullptr, nullptr, nullptr), MEMEX_OK);
  char text[500];
  abi_config(text, sizeof text, "log.db", "");
  store_of s(text);
  open_store = s.store;
  expect_works(s.store);
  memex_store_flush(s.store, nullptr);
  open_store = nullptr;
  s.done();
  EXPECT_STATUS(memex_log_handler(MEMEX_LOG_ERROR, nullptr, nullptr, nullptr, nullptr), MEMEX_OK);
}

}  // namespace

int main() {
  setvbuf(stdout, nullptr, _IOLBF, 0);
  abi_make_folder();
  memex_backend b = table();
  int destroyed = 0;
  NEED(memex_register_backend("hostile", MEMEX_NTS, &b, &destroyed, count_destroy, nullptr) == MEMEX_OK);
  registrations();
  backend_failures();
  backend_conflicts();
  backend_calls_back_in();
  backend_blocks();
  backend_answers();
  backend_closes_and_frees();
  strategies();
  logs();
  EXPECT(destroyed == 1, "the backend that unregistered itself was destroyed %d times", destroyed);
  EXPECT_STATUS(memex_unregister("backend", MEMEX_NTS, "hostile", MEMEX_NTS, nullptr), MEMEX_OK);
  return abi_finish();
}
