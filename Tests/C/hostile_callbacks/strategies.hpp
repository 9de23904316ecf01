// Strategies that throw, answer garbage, free what they run under, recur without end and block.
#ifndef HOSTILE_CALLBACKS_STRATEGIES_HPP
#define HOSTILE_CALLBACKS_STRATEGIES_HPP

#include <stdexcept>

#include "store.hpp"

namespace {

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

}  // namespace

#endif
