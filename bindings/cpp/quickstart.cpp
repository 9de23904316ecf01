// A conversation that is kept: stored, read back, listed, shortened for a model.
//
//   c++ -std=c++17 quickstart.cpp $(pkg-config --cflags --libs memex) -o quickstart && ./quickstart
#include "example.hpp"

static void program() {
  const example::folder folder;
  memex::store store(folder.config());
  memex::thread thread = store.create_thread(R"({"title":"Order 17","metadata":{"user":"alice"}})");

  // Plain text needs no JSON at all.
  thread.append_text("user", "Where is my order?");

  // A turn of several messages is stored whole or not at all, byte for byte.
  const memex::receipt receipt = thread.append(
      R"([{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function",)"
      R"("function":{"name":"track","arguments":"{\"order\":17}"}}]},)"
      R"({"role":"tool","tool_call_id":"call_1","content":"out for delivery"},)"
      R"({"role":"assistant","content":"It arrives today."}])",
      R"({"idempotency_key":"turn-2"})");
  std::cout << "stored messages " << receipt.first_seq << " to " << receipt.last_seq << '\n';

  for (const memex::message_view &message : thread.messages(R"({"last":50})"))
    std::cout << message.seq << ' ' << message.role << ": " << message.body << '\n';

  for (const memex::thread_view &found : store.threads(R"({"filter":{"metadata":{"user":{"eq":"alice"}}}})"))
    std::cout << "alice's thread \"" << found.title << "\" has " << found.message_count << " messages\n";

  // Changes of several threads, all or none.
  memex::transaction transaction = store.begin();
  transaction.store().open_thread(thread.id()).append_text("user", "Thanks!");
  transaction.store().create_thread(R"({"title":"Order 18"})").append_text("user", "And this one?");
  transaction.commit();

  // What a model with little room gets to see, and why.
  std::cout << "a window of 60 tokens: " << thread.context(R"({"max_tokens":60})").view() << '\n';

  try {
    thread.append(R"({"role":)");
    throw std::runtime_error("half a message was taken");
  } catch (const memex::error &e) {
    std::cout << "half a message is refused: " << e.name() << ", " << e.what() << ' ' << e.details() << '\n';
  }
  store.close();  // the destructor would do it, too, but could not complain
}

int main() { return example::run(program); }
