// A strategy of your own, as a lambda: every second message, and why. Whatever it chooses, the library makes a
// window of it that the provider accepts.
//
//   c++ -std=c++17 custom_strategy.cpp $(pkg-config --cflags --libs memex) -o custom_strategy
#include "example.hpp"

static void program() {
  int calls = 0;
  memex::registration registered = memex::register_strategy("every-second", [&](std::string_view input) {
    // A program with a JSON library would parse the input; the seqs of a fresh thread are 1, 2, 3, ...
    std::size_t messages = 0;
    for (std::size_t at = input.find("\"seq\":"); at != std::string_view::npos; at = input.find("\"seq\":", at + 1))
      ++messages;
    std::string keep, reasons;
    for (std::size_t seq = 1; seq <= messages; ++seq) {
      if (seq % 2) keep += (keep.empty() ? "" : ",") + std::to_string(seq);
      else reasons += (reasons.empty() ? "\"" : ",\"") + std::to_string(seq) + "\":\"an even number\"";
    }
    ++calls;
    return "{\"keep\":[" + keep + "],\"reasons\":{" + reasons + "}}";
  });
  const memex::strategy pipeline(R"([{"type":"every-second"},{"type":"token_budget","max_tokens":200}])");

  memex::store store(R"({"url":"memory:"})");
  memex::thread thread = store.create_thread();
  for (int i = 1; i <= 7; ++i) thread.append_text("user", "line " + std::to_string(i));
  const memex::bytes window = thread.context({}, pipeline);
  std::cout << window.view() << '\n';
  example::must(calls == 1, "one call");
  example::must(window.view().find("\"seqs\":[1,3,5,7]") != std::string_view::npos, "the odd ones");
  example::must(window.view().find("an even number") != std::string_view::npos, "the reason");
  registered.remove();
}

int main() { return example::run(program); }
