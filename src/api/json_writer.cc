#include "api/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>

namespace embedding::api {
namespace {

// What follows the backslash for characters with an escape of their own, 'u' for \u00XX, and 0 for
// those written as they are.
constexpr std::array<char, 256> MakeEscapes() {
  std::array<char, 256> escapes{};
  for (size_t c = 0; c < 0x20; ++c) escapes[c] = 'u';
  escapes['\b'] = 'b';
  escapes['\f'] = 'f';
  escapes['\n'] = 'n';
  escapes['\r'] = 'r';
  escapes['\t'] = 't';
  escapes['"'] = '"';
  escapes['\\'] = '\\';
  return escapes;
}
constexpr std::array<char, 256> kEscapes = MakeEscapes();

}  // namespace

void AppendJsonString(std::string_view text, std::string& out) {
  out += '"';
  size_t written = 0;  // text[0, written) is in `out`
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const char escape = kEscapes[byte];
    if (escape == 0) continue;
    out.append(text, written, i - written);
    written = i + 1;
    out += '\\';
    out += escape;
    if (escape == 'u') {
      constexpr char kHex[] = "0123456789abcdef";
      out += "00";
      out += kHex[byte >> 4];
      out += kHex[byte & 0xF];
    }
  }
  out.append(text, written);
  out += '"';
}

void AppendJsonInteger(uint64_t value, std::string& out) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

void AppendUsage(size_t prompt_tokens, std::string& out) {
  out += R"("usage":{"prompt_tokens":)";
  AppendJsonInteger(prompt_tokens, out);
  out += R"(,"total_tokens":)";
  AppendJsonInteger(prompt_tokens, out);
  out += '}';
}

bool AppendJsonFloats(std::span<const float> values, std::string& out) {
  // One growth for the whole row, then plain stores.
  const size_t begin = out.size();
  out.resize(begin + 2 + values.size() * kMaxJsonFloatChars);
  char* p = out.data() + begin;
  char* const limit = out.data() + out.size();
  *p++ = '[';
  for (const float value : values) {
    if (!std::isfinite(value)) {
      out.resize(begin);
      return false;
    }
    p = std::to_chars(p, limit, value).ptr;
    *p++ = ',';
  }
  if (!values.empty()) --p;  // the last comma's place
  *p++ = ']';
  out.resize(static_cast<size_t>(p - out.data()));
  return true;
}

Status AppendJsonFloat(float value, std::string& out) {
  if (!std::isfinite(value)) return Error{ErrorCode::kInternal, "a number is not finite", ""};
  std::array<char, kMaxJsonFloatChars> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
  return {};
}

Status AppendRows(std::span<const float> values, size_t width, std::string& out) {
  out += '[';
  for (size_t i = 0; i < values.size(); i += width) {
    if (i > 0) out += ',';
    if (!AppendJsonFloats(values.subspan(i, width), out)) {
      return Error{ErrorCode::kInternal, "a vector is not finite", ""};
    }
  }
  out += ']';
  return {};
}

}  // namespace embedding::api
