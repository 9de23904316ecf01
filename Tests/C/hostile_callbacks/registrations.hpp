// Registrations that are refused, removed, in use; destroy runs exactly once.
#ifndef HOSTILE_CALLBACKS_REGISTRATIONS_HPP
#define HOSTILE_CALLBACKS_REGISTRATIONS_HPP

#include "store.hpp"

namespace {

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

}  // namespace

#endif
