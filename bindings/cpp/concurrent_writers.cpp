// Eight threads append to one conversation in one SQLite file. Nothing is lost, the order is dense.
//
//   c++ -std=c++17 concurrent_writers.cpp $(pkg-config --cflags --libs memex) -pthread -o concurrent_writers
#include <set>
#include <thread>

#include "example.hpp"

constexpr int kWriters = 8, kMessages = 200;

static void program() {
  const example::folder folder;
  memex::store store(folder.config());
  memex::thread conversation = store.create_thread();
  std::vector<std::vector<std::int64_t>> seqs(kWriters);
  std::vector<std::exception_ptr> thrown(kWriters);
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w)
    writers.emplace_back([&, w] {
      try {
        for (int i = 0; i < kMessages; ++i)
          seqs[w].push_back(
              conversation.append_text("user", "message " + std::to_string(i) + " of writer " + std::to_string(w))
                  .first_seq);
      } catch (...) {
        thrown[w] = std::current_exception();
      }
    });
  for (std::thread &writer : writers) writer.join();
  for (const std::exception_ptr &e : thrown)
    if (e) std::rethrow_exception(e);

  std::set<std::int64_t> all;
  for (const std::vector<std::int64_t> &mine : seqs) {
    for (std::size_t i = 1; i < mine.size(); ++i) example::must(mine[i - 1] < mine[i], "a writer's own order");
    all.insert(mine.begin(), mine.end());
  }
  example::must(all.size() == kWriters * kMessages && *all.begin() == 1 && *all.rbegin() == kWriters * kMessages,
                "every seq once");
  std::int64_t expected = 1;
  for (const memex::message_view &message : conversation.messages())
    example::must(message.seq == expected++, "seqs without a gap");
  example::must(expected == kWriters * kMessages + 1 && conversation.count() == kWriters * kMessages, "all of them");
  std::cout << kWriters << " writers appended " << conversation.count()
            << " messages; no seq is missing, none was given twice\n";
}

int main() { return example::run(program); }
