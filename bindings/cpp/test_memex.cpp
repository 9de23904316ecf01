// Tests of memex.hpp: what it owns, what it throws, what it does with exceptions of callbacks.
#include <array>

#include "example.hpp"

using example::must;

// Runs something that must throw this code; gives the error.
template <typename Body>
static memex::error thrown(memex_status code, Body body) {
  try {
    body();
  } catch (const memex::error &e) {
    must(e.code() == code, std::string("not the code expected: ") + e.name() + ", " + e.what());
    return e;
  }
  throw std::runtime_error(std::string("did not throw ") + memex_status_name(code));
}

static bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

static void errors() {
  const memex::error e = thrown(MEMEX_E_INVALID, [] { memex::store(R"({"url":"memory:","colour":"red"})"); });
  must(std::string(e.name()) == "MEMEX_E_INVALID" && has(e.details(), "colour") && !e.retryable(), e.details());
  thrown(MEMEX_E_NOT_FOUND, [] { memex::store(R"({"url":"memory:"})").open_thread("nobody"); });
  thrown(MEMEX_E_HANDLE, [] { memex::thread().append_text("user", "x"); });
  thrown(MEMEX_E_HANDLE, [] { memex::store().create_thread(); });
  must(memex::thread().id().empty() && memex::message().seq() == 0, "empty objects");
  must(memex::abi_matches() && memex::version_number() / 100 == MEMEX_VERSION_NUMBER / 100, "the version");
  must(has(memex::describe(), "\"limits\""), "describe");
}

static void ownership() {
  memex::store store(R"({"url":"memory:"})");
  memex::thread thread = store.create_thread(R"({"id":"a"})");
  memex::message message;
  thread.append_text("user", "one");
  message = thread.at(1);
  memex::thread moved = std::move(thread);
  must(moved.count() == 1 && moved.id() == "a", "the moved thread");
  thrown(MEMEX_E_HANDLE, [&] { thread.count(); });  // NOLINT(bugprone-use-after-move)
  memex::store other = std::move(store);
  must(!store.get() && other.open_thread("a").count() == 1, "the moved store");  // NOLINT(bugprone-use-after-move)
  memex::bytes first = message.body(), second;
  second = std::move(first);
  must(second.view() == R"({"role":"user","content":"one"})" && second.data()[second.size()] == 0, second.str());
  other.close();
  other.close();
  thrown(MEMEX_E_CLOSED, [&] { moved.count(); });
  thrown(MEMEX_E_CLOSED, [&] { message.body(); });
  store = memex::store(R"({"url":"memory:"})");
  must(store.create_thread().count() == 0, "assigned anew");
}

static void conversations() {
  const example::folder folder;
  memex::store store(folder.config());
  memex::thread thread = store.create_thread(R"({"title":"\u00e9 \"quoted\" \ud83d\ude00","metadata":{"n":1}})");
  for (int i = 1; i <= 57; ++i)
    thread.append_text("user", "line " + std::to_string(i) + " \"\\\n\t}{][ \xc3\xa9" + std::string(1, '\0') + ".");
  thread.append(R"({ "role" : "assistant" , "content" : [ { "type" : "text" , "text" : "a]b}" } ] , "n" : -1.5e3 })",
                R"({"id":"mine","pinned":true,"metadata":{"a":"}"}})");
  std::int64_t seq = 0;
  for (const memex::message_view &m : thread.messages(R"({"page_size":10})")) {
    must(m.seq == ++seq && m.complete && !m.deleted && m.created_at_us > 0 && m.rev > 0, "an envelope");
    must(m.role == (seq <= 57 ? "user" : "assistant") && !m.id.empty(), "role and id");
    must(m.body == thread.at(seq).body().view(), "the body of " + std::to_string(seq));
    must(has(m.json, "\"format\":\"openai.chat\""), "the envelope as JSON");
    must(m.pinned == (seq == 58) && (seq != 58 || m.id == "mine"), "what was given");
  }
  must(seq == 58, "all messages");
  memex::message mine = thread.open_message("mine");
  mine.replace(R"({"role":"assistant","content":"new"})");
  mine.update_metadata(R"({"b":2})");
  must(has(mine.json(), R"("a":"}","b":2)") || has(mine.json(), "\"b\":2"), mine.json().str());
  mine.remove();
  thrown(MEMEX_E_NOT_FOUND, [&] { mine.body(); });
  int deleted = 0;
  for (const memex::message_view &m : thread.messages(R"({"last":3,"include_deleted":true})"))
    deleted += m.deleted && m.body.empty();
  must(deleted == 1 && thread.count() == 57, "a tombstone");

  memex::cursor cursor = thread.pages(R"({"layout":"bodies","page_size":50})");
  must(cursor.next().has_value(), "a page");
  const std::string query = R"({"layout":"bodies","page_size":50,"cursor":)" + memex::quoted(cursor.token()) + "}";
  must(has(*thread.pages(query).next(), "line 51"), "going on with a token");
  must(cursor.next().has_value() && !cursor.next().has_value() && !cursor.next().has_value(), "the end");

  must(has(thread.update(R"({"metadata":{"n":null}})"), "\"version\":2"), "an update");
  thrown(MEMEX_E_CONFLICT, [&] { thread.update(R"({"title":"x"})", R"({"if_version":1})"); });
  memex::thread fork = thread.fork(R"({"id":"fork","at_seq":5})");
  must(fork.count() == 5, "a fork");
  for (int i = 0; i < 30; ++i) store.create_thread();
  int threads = 0, titles = 0;
  for (const memex::thread_view &t : store.threads(R"({"page_size":7})")) {
    ++threads;
    titles += t.title == "\xc3\xa9 \"quoted\" \xf0\x9f\x98\x80" && t.id == thread.id();
    must(t.created_at_us > 0 && has(t.json, "\"version\""), "a thread's document");
  }
  must(threads == 32 && titles == 1, "all threads");
  store.delete_thread("fork");
  thrown(MEMEX_E_NOT_FOUND, [&] { store.open_thread("fork"); });
  int none = 0;
  for (const memex::message_view &m : store.create_thread().messages()) none += m.seq >= 0;
  must(none == 0, "nothing in an empty thread");
  const memex::receipt once = thread.append_text("user", "x", R"({"idempotency_key":"k"})");
  const memex::receipt twice = thread.append_text("user", "x", R"({"idempotency_key":"k"})");
  must(!once.duplicate && twice.duplicate && once.first_seq == twice.first_seq, "a key");
  must(has(store.command("stats"), "\"durable\":true"), "stats");
  store.flush();
}

static void transactions_and_sessions() {
  memex::store store(R"({"url":"memory:"})");
  memex::thread thread = store.create_thread();
  {
    memex::transaction forgotten = store.begin();
    forgotten.store().open_thread(thread.id()).append_text("user", "never");
  }
  must(thread.count() == 0, "rolled back by the destructor");
  memex::transaction changes = store.begin();
  must(changes.store().open_thread(thread.id()).append_text("user", "one").first_seq == 0, "no seq yet");
  must(has(changes.commit(), "\"results\""), "results");
  must(thread.count() == 1, "committed");
  thrown(MEMEX_E_HANDLE, [&] { changes.commit(); });
  memex::store acme = store.session(R"({"tenant":"acme"})");
  thrown(MEMEX_E_NOT_FOUND, [&] { acme.open_thread(thread.id()); });
  acme.create_thread(R"({"id":"theirs"})");
  acme.close();
  thrown(MEMEX_E_NOT_FOUND, [&] { store.open_thread("theirs"); });
}

struct counted {
  explicit counted(int &to) : count(&to) { ++*count; }
  counted(const counted &other) : count(other.count) { ++*count; }
  counted &operator=(const counted &) = default;
  ~counted() { --*count; }
  int *count;
};

static void tokenizers() {
  const memex::tokenizer gpt(R"({"model":"gpt-4o"})");
  must(gpt.name() == "o200k_base", "the encoding of the model");
  must(gpt.count("hello world") == 2 && gpt.count("") == 0, "counts");
  must(gpt.count_batch({"a", "", "hello world"}) == std::vector<std::int64_t>{1, 0, 2}, "counts of a batch");
  must(gpt.count_batch({}).empty(), "counts of nothing");
  must(gpt.decode(gpt.encode("na\u00efve <|endoftext|>")).view() == "na\u00efve <|endoftext|>", "there and back");
  must(gpt.truncate("hello world again", 2) == "hello world", "cut");
  must(gpt.count_messages(R"({"messages":[{"role":"user","content":"x"}]})") > 1, "a request");
  thrown(MEMEX_E_NOT_FOUND, [] { memex::tokenizer(R"({"model":"claude"})"); });
  thrown(MEMEX_E_INVALID, [&] { (void)gpt.decode({4000000000u}); });

  int alive = 0;
  struct words : memex::custom_tokenizer {
    explicit words(int &count) : held(count) {}
    std::int64_t count(std::string_view text) override {
      if (text == "throw") throw std::runtime_error("a secret");
      return 1 + std::count(text.begin(), text.end(), ' ');
    }
    counted held;
  };
  {
    memex::registration registered = memex::register_tokenizer("cpp-words", std::make_shared<words>(alive));
    thrown(MEMEX_E_EXISTS, [&] { (void)memex::register_tokenizer("cpp-words", std::make_shared<words>(alive)); });
    const memex::tokenizer own(R"({"encoding":"cpp-words"})");
    must(own.count("one two three") == 3, "its count");
    must(own.truncate("one two three", 2) == "one two", "cut by counting");
    thrown(MEMEX_E_CALLBACK, [&] { (void)own.count("throw"); });
    thrown(MEMEX_E_CALLBACK, [&] { (void)own.encode("one"); });
    memex::store store(R"({"url":"memory:","tokenizer":"cpp-words"})");
    memex::thread thread = store.create_thread();
    thread.append_text("user", "one two");
    must(has(thread.context(), "\"tokenizer\":\"cpp-words\""), "the store counts with it");
    registered.remove();
    must(alive == 1 && own.count("one two") == 2, "what was opened goes on");
  }
  must(alive == 0, "destroyed");
}

static void strategies() {
  int alive = 0;
  memex::store store(R"({"url":"memory:"})");
  memex::thread thread = store.create_thread();
  thread.append_text("user", "one");
  enum { KEEP, FAIL, THROW, THROW_INT, NO_MEMORY, CLOSE } how = KEEP;
  {
    memex::registration registered =
        memex::register_strategy("cpp-test", [&, held = counted(alive)](std::string_view input) -> std::string {
          must(has(input, "\"messages\""), "the input");
          switch (how) {
            case KEEP: break;
            case FAIL: throw memex::failure("it is Tuesday");
            case THROW: throw std::runtime_error("a secret");
            case THROW_INT: throw 17;
            case NO_MEMORY: throw std::bad_alloc();
            case CLOSE: thrown(MEMEX_E_REENTRANT, [&] { store.close(); });
          }
          return R"({"keep":[1]})";
        });
    must(alive == 1, "held by the library");
    thrown(MEMEX_E_EXISTS, [&] {
      (void)memex::register_strategy("cpp-test", [held = counted(alive)](std::string_view) { return std::string(); });
    });
    must(alive == 1, "the refused one is gone");
    const memex::strategy pipeline(R"({"type":"cpp-test"})");
    must(has(thread.context({}, pipeline), "\"seqs\":[1]"), "it keeps");
    must(has(pipeline.build(R"([{"role":"user","content":"x"}])"), "\"seqs\":[1]"), "it keeps what is not stored");
    for (const auto kind : {FAIL, THROW, THROW_INT, NO_MEMORY}) {
      how = kind;
      const memex::error e = thrown(MEMEX_E_CALLBACK, [&] { thread.context({}, pipeline); });
      must(!has(e.what(), "secret") && (kind != FAIL || has(e.what(), "Tuesday")), e.what());
    }
    how = CLOSE;
    must(has(thread.context({}, pipeline), "\"seqs\":[1]"), "a close from inside is refused");
    how = KEEP;
    registered.remove();
    thrown(MEMEX_E_NOT_FOUND, [] { memex::strategy(R"({"type":"cpp-test"})"); });
    must(alive == 1 && has(thread.context({}, pipeline), "\"seqs\":[1]"), "what is open goes on");
  }
  must(alive == 0, "destroyed with the last strategy");
}

class broken_store : public memex::backend_store {
 public:
  void get(std::string_view, const memex::value_reply &) override { throw memex::failure("no get today"); }
  void scan(std::string_view, std::optional<std::string_view>, bool, std::int64_t,
            const memex::entry_reply &) override {
    throw std::logic_error("a secret");
  }
  bool commit(const std::vector<memex::write> &) override { throw 1; }
};

class broken_backend : public memex::backend {
 public:
  std::unique_ptr<memex::backend_store> open(std::string_view url) override {
    if (has(url, "nothing")) return nullptr;
    return std::make_unique<broken_store>();
  }
};

static void backends() {
  auto backend = std::make_shared<broken_backend>();
  const std::weak_ptr<broken_backend> watched = backend;
  {
    const memex::registration registered = memex::register_backend("cpp-broken", std::move(backend));
    must(has(thrown(MEMEX_E_CALLBACK, [] { memex::store(R"({"url":"cpp-broken:nothing"})"); }).what(), "nothing"),
         "an open that opens nothing");
    const memex::error e = thrown(MEMEX_E_CALLBACK, [] {
      memex::store(R"({"url":"cpp-broken:x"})").create_thread().append_text("user", "x");
    });
    must(!has(e.what(), "secret"), e.what());
    must(!watched.expired(), "held while it is registered");
  }
  must(watched.expired(), "gone with the registration");
  thrown(MEMEX_E_INVALID, [] { memex::store(R"({"url":"cpp-broken:x"})"); });
}

static void logs() {
  int alive = 0, lines = 0;
  memex::log_handler(MEMEX_LOG_DEBUG, [&lines, held = counted(alive)](std::int32_t level, std::string_view line) {
    lines += level > 0 && !line.empty();
    throw std::runtime_error("a receiver that throws");
  });
  memex::store(R"({"url":"memory:"})").create_thread().append_text("user", "x");
  memex::log_handler(MEMEX_LOG_ERROR, nullptr);
  must(alive == 0, "the receiver is destroyed");
}

int main() {
  return example::run([] {
    const std::array<std::pair<const char *, void (*)()>, 8> tests{{{"errors", errors},
                                                                    {"ownership", ownership},
                                                                    {"conversations", conversations},
                                                                    {"transactions", transactions_and_sessions},
                                                                    {"strategies", strategies},
                                                                    {"tokenizers", tokenizers},
                                                                    {"backends", backends},
                                                                    {"logs", logs}}};
    for (const auto &test : tests) {
      try {
        test.second();
      } catch (const std::exception &e) {
        throw std::runtime_error(std::string(test.first) + ": " + e.what());
      }
      std::cout << test.first << ": passed\n";
    }
  });
}
