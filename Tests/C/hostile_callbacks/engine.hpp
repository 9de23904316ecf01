// An engine in memory with a hook: what a callback does before its work, or instead of it.
#ifndef HOSTILE_CALLBACKS_ENGINE_HPP
#define HOSTILE_CALLBACKS_ENGINE_HPP

#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "../abi_support.h"

namespace {

using std::string;

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

}  // namespace

#endif
