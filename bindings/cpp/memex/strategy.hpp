// Pipelines that choose what a model sees. Part of memex.hpp.
#ifndef MEMEX_STRATEGY_HPP
#define MEMEX_STRATEGY_HPP

#include <string_view>

#include "memex.h"
#include "bytes.hpp"
#include "call.hpp"

namespace memex {

// A pipeline that chooses what a model sees.
class strategy {
 public:
  strategy() noexcept = default;  // none: the default pipeline
  explicit strategy(std::string_view pipeline) {
    memex_strategy *opened = nullptr;
    detail::call(memex_strategy_open, pipeline.data(), pipeline.size(), &opened);
    handle_.reset(opened);
  }

  // The same on messages that are not stored: an array of bodies.
  bytes build(std::string_view messages, std::string_view request = {}) const {
    bytes out;
    detail::call(memex_context_build_messages, handle_.get(), messages.data(), messages.size(), request.data(),
                 request.size(), out.out());
    return out;
  }

  memex_strategy *get() const noexcept { return handle_.get(); }

 private:
  detail::handle<memex_strategy, memex_strategy_free> handle_;
};

}  // namespace memex

#endif  // MEMEX_STRATEGY_HPP
