// Tokenizers that throw, set garbage, free what they run under, recur without end and block.
#ifndef HOSTILE_CALLBACKS_TOKENIZERS_HPP
#define HOSTILE_CALLBACKS_TOKENIZERS_HPP

#include <functional>
#include <stdexcept>

#include "store.hpp"

namespace {

std::function<int32_t(const string &, int64_t *, memex_reply *)> counts;
std::function<int32_t(memex_reply *)> encodes;

int32_t count_function(void *, const char *text, size_t len, int64_t *tokens, memex_reply *reply) {
  return counts(string(text, len), tokens, reply);
}

int32_t encode_function(void *, const char *, size_t, memex_reply *reply) { return encodes(reply); }

int32_t decode_function(void *, const uint32_t *, size_t, memex_reply *reply) { return encodes(reply); }

int32_t three(const string &, int64_t *tokens, memex_reply *) {
  *tokens = 3;
  return MEMEX_CALLBACK_OK;
}

// What counting answers; the number is there exactly when it succeeds.
memex_status count(memex_tokenizer *tokenizer, int64_t wanted = 3) {
  int64_t number = 77;
  int64_t several[2] = {77, 77};
  const size_t lengths[2] = {1, 1};
  memex_error *error = nullptr;
  memex_status status = memex_tokenizer_count(tokenizer, "ab", 2, &number, &error);
  EXPECT(number == (status == MEMEX_OK ? wanted : 0), "the number is %d", (int)number);
  EXPECT(!error || !strstr(memex_error_message(error), "secret"), "the error says %s", memex_error_message(error));
  memex_error_free(error);
  EXPECT_STATUS(memex_tokenizer_count_batch(tokenizer, "ab", 2, lengths, 2, several, nullptr), status);
  if (status != MEMEX_OK) EXPECT(several[0] == 0 && several[1] == 0, "a failed batch left numbers");
  return status;
}

void tokenizer_registrations() {
  memex_tokenizer_functions f = {sizeof f, 0, count_function, nullptr, nullptr};
  const auto registers = [&](const char *name, const memex_tokenizer_functions *functions, memex_status wanted) {
    int destroyed = 0;
    watch(string("registers a tokenizer named ") + (name ? name : "NULL"));
    EXPECT_STATUS(memex_register_tokenizer(name, MEMEX_NTS, functions, &destroyed, count_destroy, nullptr), wanted);
    EXPECT(destroyed == 1, "destroyed %d times", destroyed);
  };
  registers(nullptr, &f, MEMEX_E_INVALID);
  registers("Bad Name", &f, MEMEX_E_INVALID);
  registers("estimate", &f, MEMEX_E_EXISTS);
  registers("o200k_base", &f, MEMEX_E_EXISTS);
  registers("none", nullptr, MEMEX_E_INVALID);
  memex_tokenizer_functions wrong = f;
  wrong.struct_size = 8;
  registers("small", &wrong, MEMEX_E_INVALID);
  wrong = f;
  wrong.count = nullptr;
  registers("no-count", &wrong, MEMEX_E_INVALID);
}

void tokenizers() {
  tokenizer_registrations();
  memex_tokenizer_functions f = {sizeof f, 0, count_function, encode_function, decode_function};
  int destroyed = 0;
  memex_tokenizer *tokenizer = nullptr;
  const char *options = "{\"encoding\":\"hostile\"}";
  counts = three;
  EXPECT_STATUS(memex_register_tokenizer("hostile", MEMEX_NTS, &f, &destroyed, count_destroy, nullptr), MEMEX_OK);
  EXPECT_STATUS(memex_tokenizer_open(options, MEMEX_NTS, &tokenizer, nullptr), MEMEX_OK);
  store_of s("{\"url\":\"sqlite::memory:\",\"tokenizer\":\"hostile\"}");
  const auto sets = [](int64_t number) {
    return [number](const string &, int64_t *tokens, memex_reply *) {
      *tokens = number;
      return MEMEX_CALLBACK_OK;
    };
  };
  const struct {
    string name;
    std::function<int32_t(const string &, int64_t *, memex_reply *)> does;
  } attacks[] = {
      {"throws", [](const string &, int64_t *, memex_reply *) -> int32_t { throw std::runtime_error("a secret"); }},
      {"throws an int", [](const string &, int64_t *, memex_reply *) -> int32_t { throw 1; }},
      {"returns 0", [](const string &, int64_t *, memex_reply *) { return 0; }},
      {"says CONFLICT", [](const string &, int64_t *, memex_reply *) { return MEMEX_CALLBACK_CONFLICT; }},
      {"sets nothing", [](const string &, int64_t *, memex_reply *) { return MEMEX_CALLBACK_OK; }},
      {"sets -1", sets(-1)},
      {"sets the least", sets(INT64_MIN)},
      {"sets the most", sets(INT64_MAX)},
      {"sets 2^31", sets(INT64_C(1) << 31)},
  };
  int64_t before = 0, after = 0;
  for (const auto &a : attacks) {
    watch("a tokenizer " + a.name);
    EXPECT_STATUS(memex_thread_count(s.thread, &before, nullptr), MEMEX_OK);
    counts = a.does;
    EXPECT_STATUS(count(tokenizer), MEMEX_E_CALLBACK);
    EXPECT_STATUS(s.say("refused"), MEMEX_E_CALLBACK);
    EXPECT_STATUS(memex_thread_count(s.thread, &after, nullptr), MEMEX_OK);
    EXPECT(before == after, "a refused message was stored");
    counts = three;
    EXPECT_STATUS(count(tokenizer), MEMEX_OK);
    expect_works(s.store);
  }

  watch("ids that are no whole ones, too many, none");
  memex_bytes out = {nullptr, 0};
  encodes = [](memex_reply *reply) {
    memex_reply_data(reply, "abc", 3);
    return MEMEX_CALLBACK_OK;
  };
  EXPECT_STATUS(memex_tokenizer_encode(tokenizer, "a", 1, &out, nullptr), MEMEX_E_CALLBACK);
  EXPECT(!out.data, "bytes with a failure");
  encodes = [](memex_reply *) { return 1; };
  const uint32_t id = 1;
  EXPECT_STATUS(memex_tokenizer_encode(tokenizer, "a", 1, &out, nullptr), MEMEX_E_CALLBACK);
  EXPECT_STATUS(memex_tokenizer_decode(tokenizer, &id, 1, &out, nullptr), MEMEX_E_CALLBACK);
  encodes = [](memex_reply *) { return MEMEX_CALLBACK_OK; };
  EXPECT_STATUS(memex_tokenizer_encode(tokenizer, "a", 1, &out, nullptr), MEMEX_OK);
  memex_bytes_free(&out);

  watch("a tokenizer closes the store it runs under");
  counts = [&](const string &, int64_t *tokens, memex_reply *) {
    EXPECT_STATUS(memex_store_close(s.store, nullptr), MEMEX_E_REENTRANT);
    *tokens = 3;
    return MEMEX_CALLBACK_OK;
  };
  EXPECT_STATUS(s.say("closing"), MEMEX_OK);

  watch("a tokenizer appends to the store that counts with it, without end");
  int depth = 0;
  counts = [&](const string &, int64_t *tokens, memex_reply *) {
    if (depth++ < 1000) s.say("deeper");
    *tokens = 3;
    return MEMEX_CALLBACK_OK;
  };
  EXPECT_STATUS(s.say("deep"), MEMEX_OK);
  EXPECT(depth < 1000, "%d levels", depth);
  counts = three;
  expect_works(s.store);

  watch("a tokenizer frees what it runs under and unregisters itself");
  memex_tokenizer *own = nullptr;
  EXPECT_STATUS(memex_tokenizer_open(options, MEMEX_NTS, &own, nullptr), MEMEX_OK);
  counts = [&](const string &, int64_t *tokens, memex_reply *) {
    memex_tokenizer_free(own);
    memex_unregister("tokenizer", MEMEX_NTS, "hostile", MEMEX_NTS, nullptr);
    *tokens = 4;
    return MEMEX_CALLBACK_OK;
  };
  int64_t number = 0;
  EXPECT_STATUS(memex_tokenizer_count(own, "a", 1, &number, nullptr), MEMEX_OK);
  EXPECT_STATUS(memex_tokenizer_count(own, "a", 1, &number, nullptr), MEMEX_E_HANDLE);
  EXPECT(number == 0, "a number with a failure");
  counts = three;
  EXPECT_STATUS(memex_tokenizer_open(options, MEMEX_NTS, &own, nullptr), MEMEX_E_NOT_FOUND);
  EXPECT_STATUS(count(tokenizer), MEMEX_OK);
  expect_works(s.store);

  watch("a tokenizer that blocks: writers with it wait for nothing, readers go on");
  gate g;
  counts = [&](const string &text, int64_t *tokens, memex_reply *) {
    if (text.find("slow") != string::npos) g.pass();
    *tokens = 3;
    return MEMEX_CALLBACK_OK;
  };
  memex_status slow_status = MEMEX_E_INTERNAL;
  std::thread slow([&] { slow_status = s.say("slow"); });
  g.await();
  expect_works(s.store);
  g.release();
  slow.join();
  EXPECT_STATUS(slow_status, MEMEX_OK);
  counts = three;

  watch("the last user of a tokenizer destroys it");
  memex_tokenizer_free(tokenizer);
  EXPECT(destroyed == 0, "destroyed while a store counts with it");
  s.done();
  EXPECT(destroyed == 1, "destroyed %d times", destroyed);
}

}  // namespace

#endif
