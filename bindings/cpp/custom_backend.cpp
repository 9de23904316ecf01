// A backend of your own: an ordered map in memory. The conformance cases of the library then judge it.
//
//   c++ -std=c++17 custom_backend.cpp $(pkg-config --cflags --libs memex) -o custom_backend
#include <map>
#include <mutex>
#include <shared_mutex>

#include "example.hpp"

// The data behind one URL. It outlives its close, so that it can be opened again.
struct table {
  std::map<std::string, std::string, std::less<>> pairs;
  std::shared_mutex lock;
};

class map_store : public memex::backend_store {
 public:
  explicit map_store(std::shared_ptr<table> of) : table_(std::move(of)) {}

  void get(std::string_view key, const memex::value_reply &found) override {
    const std::shared_lock<std::shared_mutex> held(table_->lock);
    const auto at = table_->pairs.find(key);
    if (at != table_->pairs.end()) found(at->second);
  }

  void scan(std::string_view from, std::optional<std::string_view> to, bool descending, std::int64_t limit,
            const memex::entry_reply &found) override {
    const std::shared_lock<std::shared_mutex> held(table_->lock);
    auto first = table_->pairs.lower_bound(from);
    auto end = to ? table_->pairs.lower_bound(*to) : table_->pairs.end();
    for (; first != end && limit > 0; --limit) {
      const auto &pair = descending ? *--end : *first++;
      found(pair.first, pair.second);
    }
  }

  bool commit(const std::vector<memex::write> &writes) override {
    const std::unique_lock<std::shared_mutex> held(table_->lock);
    auto &pairs = table_->pairs;
    for (const memex::write &w : writes) {
      const auto at = pairs.find(w.key);
      const bool present = at != pairs.end();
      if (w.kind == MEMEX_WRITE_REQUIRE_ABSENT && present) return false;
      if (w.kind == MEMEX_WRITE_REQUIRE_PRESENT && !present) return false;
      if (w.kind == MEMEX_WRITE_REQUIRE_EQUAL && (!present || at->second != w.value)) return false;
      if (w.kind < MEMEX_WRITE_PUT || w.kind > MEMEX_WRITE_REQUIRE_EQUAL) throw memex::failure("an unknown write");
    }
    // All or none, also when memory runs out: what is replaced is kept until everything is in place.
    std::map<std::string, std::string, std::less<>> changed;
    for (const memex::write &w : writes)
      if (w.kind == MEMEX_WRITE_PUT) changed.insert_or_assign(std::string(w.key), std::string(w.value));
      else if (w.kind == MEMEX_WRITE_DELETE) changed.erase(std::string(w.key));
    for (const memex::write &w : writes) {
      const auto at = pairs.find(w.key);
      if ((w.kind == MEMEX_WRITE_PUT || w.kind == MEMEX_WRITE_DELETE) && at != pairs.end()) pairs.erase(at);
    }
    pairs.merge(changed);  // moves nodes: nothing to allocate
    return true;
  }

 private:
  std::shared_ptr<table> table_;
};

class map_backend : public memex::backend {
 public:
  std::unique_ptr<memex::backend_store> open(std::string_view url) override {
    const std::lock_guard<std::mutex> held(lock_);
    std::shared_ptr<table> &found = tables_[std::string(url)];
    if (!found) found = std::make_shared<table>();
    return std::make_unique<map_store>(found);
  }

 private:
  std::mutex lock_;
  std::map<std::string, std::shared_ptr<table>> tables_;
};

static void program() {
  const memex::registration registered = memex::register_backend("map", std::make_shared<map_backend>());
  {
    memex::store store(R"({"url":"map:chat"})");
    store.create_thread(R"({"id":"greeting"})").append_text("user", "Hello, map!");
  }
  memex::store again(R"({"url":"map:chat"})");
  example::must(again.open_thread("greeting").count() == 1, "one message after opening it again");
  std::cout << "a conversation in a std::map, closed and opened again\n";
  again.close();

  const memex::bytes report = memex::check_backend(R"({"url":"map:check"})");
  example::must(report.view().find("\"failed\":0") != std::string_view::npos, report.str());
  std::cout << "conformance: " << report.view().substr(0, report.view().find('[')) << '\n';
}

int main() { return example::run(program); }
