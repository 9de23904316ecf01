// Reads the members of well-formed JSON, and writes a text as JSON. Part of memex.hpp.
#ifndef MEMEX_JSON_HPP
#define MEMEX_JSON_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace memex {

namespace detail {

// The end of the JSON value that begins at `at`, in text that is well formed.
inline const char *json_end(const char *at, const char *end) noexcept {
  int depth = 0;
  while (at < end) {
    const char c = *at++;
    if (c == '"') {
      while (at < end && *at != '"') at += *at == '\\' ? 2 : 1;
      if (++at >= end) return end;
    } else if (c == '{' || c == '[') {
      ++depth;
      continue;
    } else if (c == '}' || c == ']') {
      --depth;
    } else if (c == ',' || c == ':' || c == ' ' || c == '\n' || c == '\r' || c == '\t') {
      continue;
    } else if (at < end && !std::strchr(",}] \n\r\t", *at)) {
      continue;  // in the middle of a number or a word
    }
    if (depth <= 0) return at;
  }
  return end;
}

inline const char *json_skip(const char *at, const char *end) noexcept {
  while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t' || *at == ',' || *at == ':')) ++at;
  return at;
}

// The raw value of a member of a well-formed object; empty when there is none.
inline std::string_view json_member(std::string_view object, std::string_view name) noexcept {
  const char *end = object.data() + object.size();
  const char *at = json_skip(object.data(), end);
  if (at == end || *at != '{') return {};
  for (at = json_skip(at + 1, end); at < end && *at == '"'; at = json_skip(at, end)) {
    const char *key_end = json_end(at, end);
    const std::string_view key(at + 1, static_cast<std::size_t>(key_end - at) - 2);
    at = json_skip(key_end, end);
    const char *value_end = json_end(at, end);
    if (key == name) return {at, static_cast<std::size_t>(value_end - at)};
    at = value_end;
  }
  return {};
}

inline void append_utf8(std::string &to, std::uint32_t c) {
  if (c < 0x80) {
    to += static_cast<char>(c);
    return;
  }
  if (c < 0x800) {
    to += static_cast<char>(0xC0 | c >> 6);
  } else {
    if (c < 0x10000) {
      to += static_cast<char>(0xE0 | c >> 12);
    } else {
      to += static_cast<char>(0xF0 | c >> 18);
      to += static_cast<char>(0x80 | (c >> 12 & 0x3F));
    }
    to += static_cast<char>(0x80 | (c >> 6 & 0x3F));
  }
  to += static_cast<char>(0x80 | (c & 0x3F));
}

// The text of a well-formed JSON string; empty for anything else.
inline std::string json_text(std::string_view value) {
  std::string text;
  if (value.size() < 2 || value.front() != '"') return text;
  value = value.substr(1, value.size() - 2);
  const auto hex = [&](std::size_t at) {
    return static_cast<std::uint32_t>(std::stoul(std::string(value.substr(at, 4)), nullptr, 16));
  };
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] != '\\') {
      text += value[i];
      continue;
    }
    switch (value[++i]) {
      case 'b': text += '\b'; break;
      case 'f': text += '\f'; break;
      case 'n': text += '\n'; break;
      case 'r': text += '\r'; break;
      case 't': text += '\t'; break;
      case 'u': {
        std::uint32_t c = hex(i + 1);
        i += 4;
        if (c >= 0xD800 && c < 0xDC00 && i + 6 < value.size()) {
          c = 0x10000 + ((c - 0xD800) << 10) + (hex(i + 3) - 0xDC00);
          i += 6;
        }
        append_utf8(text, c);
        break;
      }
      default: text += value[i];
    }
  }
  return text;
}

inline std::int64_t json_number(std::string_view value) {
  return value.empty() ? 0 : static_cast<std::int64_t>(std::stoll(std::string(value)));
}

// Calls back with every element of the array that is the only member of a page.
template <typename Visit>
void json_elements(std::string_view page, std::string_view name, Visit visit) {
  const std::string_view array = json_member(page, name);
  const char *end = array.data() + array.size();
  if (array.empty()) return;
  for (const char *at = json_skip(array.data() + 1, end); at < end && *at != ']'; at = json_skip(at, end)) {
    const char *next = json_end(at, end);
    visit(std::string_view(at, static_cast<std::size_t>(next - at)));
    at = next;
  }
}

}  // namespace detail

// A text as JSON, in quotes: for putting ids and contents into documents. The text must be UTF-8.
inline std::string quoted(std::string_view text) {
  static const char digits[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += "\\u00";
      out += digits[static_cast<unsigned char>(c) >> 4];
      out += digits[c & 15];
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace memex

#endif  // MEMEX_JSON_HPP
