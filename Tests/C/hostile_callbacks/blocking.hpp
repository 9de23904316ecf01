// Backends that block: time-outs, interrupts and a close that has to wait.
#ifndef HOSTILE_CALLBACKS_BLOCKING_HPP
#define HOSTILE_CALLBACKS_BLOCKING_HPP

#include "store.hpp"

namespace {

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

}  // namespace

#endif
