// What the fuzz targets have in common: FUZZ_CHECK and what is asked of every error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/utf8.h"

// Ends the run, which leaves the input in a file, unless the condition holds. NDEBUG or not.
#define FUZZ_CHECK(condition)                                                             \
  do {                                                                                    \
    if (!(condition)) {                                                                   \
      std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
      __builtin_trap();                                                                   \
    }                                                                                     \
  } while (false)

// LLVMFuzzerMutate is libFuzzer's, for mutators of our own.
extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace embedding {

inline std::string_view AsString(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

inline bool IsUtf8(std::string_view text) { return FindInvalidUtf8(text) == std::string::npos; }

// The errors of a model's files and of the hub end in a terminal and a log: they say something,
// briefly, and nothing in them moves a cursor.
inline void CheckModelError(const Error& error, ErrorCode code = ErrorCode::kModelLoad) {
  FUZZ_CHECK(error.code == code);
  FUZZ_CHECK(!error.message.empty());
  FUZZ_CHECK(error.message.size() < 2000);
  for (const char c : error.message) FUZZ_CHECK((c < 0 || c >= 0x20) && c != 0x7F);
}

// Cuts the next part, which ends with `separator` or the text, off the front of `text`.
inline std::string_view TakePart(std::string_view& text, char separator) {
  const size_t end = text.find(separator);
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return part;
}

}  // namespace embedding
