// memex.hpp - the memory of LLM applications, for C++17: conversations kept for good.
//
//   memex::store store("{\"url\":\"sqlite:///chat.db\"}");
//   memex::thread thread = store.create_thread("{\"title\":\"Order 17\"}");
//   thread.append_text("user", "Where is my order?");
//   for (const memex::message_view &m : thread.messages("{\"last\":50}")) std::cout << m.role << m.body;
//
// A header over the C interface, memex.h, which documents every function and every JSON document. Link with
// -lmemex (pkg-config --cflags --libs memex). This file includes all of it; the parts in memex/ can be included alone.
//
// OWNERSHIP. Every class here owns one handle, frees it in its destructor, can be moved and not copied. A
// moved-from object is empty: calls on it throw memex::error with MEMEX_E_HANDLE. A store_view borrows (a
// transaction's view). Objects may outlive their store; calls on them then throw MEMEX_E_CLOSED. std::string_view
// arguments are copied by the library before the call returns; what is returned as std::string_view says how
// long it lives. A default std::string_view{} means "not given", "" is an empty text.
//
// ERRORS. Every failure is a memex::error with code(), details() and retryable(). Destructors never throw: what
// closing a store has to say is heard by calling close().
//
// CALLBACKS. Backends, strategies, tokenizers and log receivers are C++ objects; an exception in one becomes a
// failure of the call that needed it (MEMEX_E_CALLBACK), and never passes through C.
//
// THREADS. As in C: any object may be used from any thread; moving or destroying one while it is used may not.
//
// SPDX-License-Identifier: MIT
#ifndef MEMEX_HPP
#define MEMEX_HPP

#include "memex.h"
#include "memex/backend.hpp"
#include "memex/bytes.hpp"
#include "memex/call.hpp"
#include "memex/callback.hpp"
#include "memex/cursor.hpp"
#include "memex/error.hpp"
#include "memex/json.hpp"
#include "memex/message.hpp"
#include "memex/store.hpp"
#include "memex/strategy.hpp"
#include "memex/thread.hpp"
#include "memex/tokenizer.hpp"

#endif  // MEMEX_HPP
