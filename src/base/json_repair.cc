#include "base/json_repair.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
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

// A number as JSON has it; the size is 0 where there is none.
struct Number {
  size_t size = 0;
  size_t integer_digits = 0;  // before a point or an exponent
  bool is_negative = false;
  bool is_integer = false;  // without either
};

Number NumberAt(std::string_view json, size_t begin) {
  size_t at = begin;
  const auto digits = [&] {
    const size_t first = at;
    while (at < json.size() && IsDigit(json[at])) ++at;
    return at - first;
  };
  const auto take = [&](std::string_view any) {
    const bool taken = at < json.size() && any.find(json[at]) != std::string_view::npos;
    if (taken) ++at;
    return taken;
  };
  Number number{.is_negative = take("-")};
  const size_t first = at;
  number.integer_digits = digits();
  bool is_number = number.integer_digits == 1 || (number.integer_digits > 1 && json[first] != '0');
  number.is_integer = true;
  if (is_number && take(".")) {
    number.is_integer = false;
    is_number = digits() > 0;
  }
  if (is_number && take("eE")) {
    number.is_integer = false;
    take("+-");
    is_number = digits() > 0;
  }
  // Whatever is like a number and none, "1e400e5" say, is passed over whole.
  const size_t end = std::min(json.find_first_not_of("0123456789+-.eE", at), json.size());
  if (end > at || !is_number) return {.size = end - begin};
  number.size = end - begin;
  return number;
}

bool IsBeyondDouble(std::string_view text, const Number& number) {
  constexpr size_t kFewestDigits = 309;  // without an exponent
  if (number.integer_digits == 0 || text.size() < kHugeNumber.size()) return false;
  if (number.is_integer && number.integer_digits < kFewestDigits) return false;
  return std::isinf(std::strtod(std::string(text).c_str(), nullptr));
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

bool ReplaceLargeNumbers(std::string& json) {
  constexpr size_t kMostDigits = 19;  // of less than 2^64; of a negative one the next to last
  bool found = false;
  for (size_t at = 0; at < json.size();) {
    if (json[at] == '"') {
      at = EndOfString(json, at);
      continue;
    }
    const Number number = NumberAt(json, at);
    const size_t begin = at;
    at += std::max<size_t>(number.size, 1);
    if (IsBeyondDouble(std::string_view(json).substr(begin, number.size), number)) {
      std::string replacement(number.is_negative ? "-" : "");
      replacement += kHugeNumber;
      replacement.resize(number.size, ' ');
      json.replace(begin, number.size, replacement);
      found = true;
    } else if (number.is_integer &&
               number.integer_digits > kMostDigits - (number.is_negative ? 1 : 0)) {
      json.replace(at - 2, 2, "e2");
      found = true;
    }
  }
  return found;
}

}  // namespace embedding
