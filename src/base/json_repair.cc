#include "base/json_repair.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

namespace embedding {
namespace {

// "\uXXXX"
constexpr size_t kEscapeSize = 6;

// The code unit of the escape at `at`, if there is one.
std::optional<uint16_t> EscapeAt(std::string_view json, size_t at) {
  const std::string_view escape = json.substr(std::min(at, json.size()), kEscapeSize);
  if (escape.size() < kEscapeSize || !escape.starts_with("\\u")) return std::nullopt;
  uint16_t unit = 0;
  const char* end = escape.data() + escape.size();
  const auto [stopped, error] = std::from_chars(escape.data() + 2, end, unit, 16);
  if (error != std::errc() || stopped != end) return std::nullopt;
  return unit;
}

bool IsHigh(uint16_t unit) { return unit >= 0xD800 && unit <= 0xDBFF; }
bool IsLow(uint16_t unit) { return unit >= 0xDC00 && unit <= 0xDFFF; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// The place after the string that begins at `at`, a quotation mark.
size_t EndOfString(std::string_view json, size_t at) {
  for (++at; at < json.size() && json[at] != '"'; ++at) {
    if (json[at] == '\\') ++at;
  }
  return at + 1;
}

}  // namespace

bool ReplaceUnpairedSurrogates(std::string& json) {
  bool found = false;
  // Outside of strings there are no backslashes in JSON.
  for (size_t at = json.find('\\'); at < json.size(); at = json.find('\\', at)) {
    const std::optional<uint16_t> unit = EscapeAt(json, at);
    if (!unit) {
      at += 2;
    } else if (const auto next = EscapeAt(json, at + kEscapeSize);
               IsHigh(*unit) && next && IsLow(*next)) {
      at += 2 * kEscapeSize;
    } else {
      if (IsHigh(*unit) || IsLow(*unit)) {
        json.replace(at, kEscapeSize, "\\uFFFE");
        found = true;
      }
      at += kEscapeSize;
    }
  }
  return found;
}

bool ReplaceLongIntegers(std::string& json) {
  constexpr size_t kMostDigits = 19;  // of less than 2^64; of a negative one the next to last
  bool found = false;
  for (size_t at = 0; at < json.size();) {
    if (json[at] == '"') {
      at = EndOfString(json, at);
    } else if (!IsDigit(json[at])) {
      ++at;
    } else {
      const size_t begin = at;
      while (at < json.size() && IsDigit(json[at])) ++at;
      // Digits after a point or in an exponent, or before one of these, are no integer.
      const auto is_at = [&](size_t back, std::string_view these) {
        return begin >= back && these.find(json[begin - back]) != std::string_view::npos;
      };
      const bool negative = is_at(1, "-");
      const bool whole = !is_at(1, ".eE+") && !(negative && is_at(2, "eE"));
      const bool ends =
          at == json.size() || std::string_view(".eE").find(json[at]) == std::string_view::npos;
      if (!whole || !ends || at - begin <= kMostDigits - (negative ? 1 : 0)) continue;
      json.replace(at - 2, 2, "e2");
      found = true;
    }
  }
  return found;
}

}  // namespace embedding
