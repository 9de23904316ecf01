// Callbacks that misbehave: they throw, return garbage, close and free what they run under, call back in, block,
// answer never, twice or too late. Each gets a defined error; after each the store works, from another thread,
// and no lock is kept; destroy runs exactly once however a registration ends. A case that hangs ends the program
// after 20 seconds.
#include <stdexcept>

#include "hostile_callbacks/answers.hpp"
#include "hostile_callbacks/blocking.hpp"
#include "hostile_callbacks/failures.hpp"
#include "hostile_callbacks/reentrancy.hpp"
#include "hostile_callbacks/registrations.hpp"
#include "hostile_callbacks/strategies.hpp"
#include "hostile_callbacks/tokenizers.hpp"

namespace {

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
  tokenizers();
  logs();
  EXPECT(destroyed == 1, "the backend that unregistered itself was destroyed %d times", destroyed);
  EXPECT_STATUS(memex_unregister("backend", MEMEX_NTS, "hostile", MEMEX_NTS, nullptr), MEMEX_OK);
  return abi_finish();
}
