// What the examples share: a temporary folder that goes away, and a way to insist.
#ifndef EXAMPLE_HPP
#define EXAMPLE_HPP

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memex.hpp>

namespace example {

// A temporary folder with a SQLite file in it.
class folder {
 public:
  folder() {
    std::string name = (std::filesystem::temp_directory_path() / "memex-XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  folder(const folder &) = delete;
  folder &operator=(const folder &) = delete;
  ~folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  std::string config() const { return "{\"url\":" + memex::quoted("sqlite:///" + (path_ / "chat.db").string()) + "}"; }

 private:
  std::filesystem::path path_;
};

inline void must(bool good, const std::string &what) {
  if (!good) throw std::runtime_error(what);
}

// Runs a program; a failure is a sentence and a status.
template <typename Program>
int run(Program program) {
  try {
    program();
    return 0;
  } catch (const memex::error &e) {
    std::cerr << e.name() << ": " << e.what() << ' ' << e.details() << '\n';
  } catch (const std::exception &e) {
    std::cerr << e.what() << '\n';
  }
  return 1;
}

}  // namespace example

#endif  // EXAMPLE_HPP
