// A mutator for inputs that are JSON or hold some: it exchanges whole values, where changes of
// single bytes mostly leave what is no JSON any more.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/check.h"

namespace embedding {

struct JsonSpan {
  size_t begin;
  size_t end;
};

// The end of the value at `begin`: the first ',', '}' or ']' that is in no string and no bracket of
// its own.
inline size_t JsonValueEnd(std::string_view text, size_t begin) {
  size_t depth = 0;
  bool in_string = false;
  for (size_t i = begin; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (depth == 0 && (c == ',' || c == '}' || c == ']')) {
      return i;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return text.size();
}

// What stands behind a ':', '[' or ',': values, and in objects also "name": value.
inline std::vector<JsonSpan> JsonValues(std::string_view text) {
  std::vector<JsonSpan> values;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != ':' && text[i] != '[' && text[i] != ',') continue;
    const size_t end = JsonValueEnd(text, i + 1);
    if (end > i + 1) values.push_back({i + 1, end});
  }
  return values;
}

// Puts another value of the input, or a plain one, in a value's place, or beside it, or takes it
// away; half of the time leaves the work to libFuzzer.
inline size_t MutateJson(uint8_t* data, size_t size, size_t max_size, unsigned int seed) {
  std::minstd_rand random(seed);
  std::string text(AsString(data, size));
  const std::vector<JsonSpan> values = JsonValues(text);
  if (random() % 2 == 0 || values.empty()) return LLVMFuzzerMutate(data, size, max_size);
  constexpr std::string_view kPlain[] = {"null",
                                         "true",
                                         "false",
                                         "0",
                                         "1",
                                         "-1",
                                         "1.5",
                                         "\"\"",
                                         "\"a\"",
                                         "[]",
                                         "{}",
                                         "2147483647",
                                         "1e30",
                                         "[[]]",
                                         "\" \"",
                                         "\"\xD0\xB6\"",
                                         "18446744073709551615"};
  const JsonSpan at = values[random() % values.size()];
  const JsonSpan from = values[random() % values.size()];
  const std::string other = random() % 2 == 0 ? text.substr(from.begin, from.end - from.begin)
                                              : std::string(kPlain[random() % std::size(kPlain)]);
  switch (random() % 4) {
    case 0:
      text.insert(at.begin, other + ',');
      break;
    case 1:  // with the comma after it
      text.erase(at.begin, at.end - at.begin + (text.substr(at.end, 1) == "," ? 1 : 0));
      break;
    default:
      text.replace(at.begin, at.end - at.begin, other);
  }
  if (text.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::copy(text.begin(), text.end(), data);
  return text.size();
}

}  // namespace embedding

// In the one file of a target that includes this.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned int seed) {
  return embedding::MutateJson(data, size, max_size, seed);
}
