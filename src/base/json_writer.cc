#include "base/json_writer.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace embedding {
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

Error NotFinite() { return {ErrorCode::kInternal, "a number is not finite", ""}; }

}  // namespace

JsonWriter& JsonWriter::Begin(char bracket) {
  Separate();
  out_ += bracket;
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::End(char bracket) {
  out_ += bracket;
  needs_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::Key(std::string_view name) {
  Separate();
  AppendQuoted(name);
  out_ += ':';
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::String(std::string_view text) {
  Separate();
  AppendQuoted(text);
  return *this;
}

void JsonWriter::AppendQuoted(std::string_view text) {
  out_ += '"';
  size_t written = 0;  // text[0, written) is in the buffer
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const char escape = kEscapes[byte];
    if (escape == 0) continue;
    out_.append(text, written, i - written);
    written = i + 1;
    out_ += '\\';
    out_ += escape;
    if (escape == 'u') {
      constexpr char kHex[] = "0123456789abcdef";
      out_ += "00";
      out_ += kHex[byte >> 4];
      out_ += kHex[byte & 0xF];
    }
  }
  out_.append(text, written);
  out_ += '"';
}

JsonWriter& JsonWriter::Base64(std::span<const std::byte> bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  Separate();
  out_.reserve(out_.size() + (bytes.size() + 2) / 3 * 4 + 2);
  out_ += '"';
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t rest = std::min<size_t>(3, bytes.size() - i);
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k) {
      group = group << 8 | (k < rest ? std::to_integer<uint32_t>(bytes[i + k]) : 0U);
    }
    for (size_t k = 0; k < 4; ++k) {
      out_ += k <= rest ? kDigits[group >> (18 - 6 * k) & 0x3F] : '=';
    }
  }
  out_ += '"';
  return *this;
}

JsonWriter& JsonWriter::Json(std::string_view value) {
  Separate();
  out_ += value;
  return *this;
}

Status JsonWriter::Float(float value) {
  if (!std::isfinite(value)) return NotFinite();
  Separate();
  std::array<char, kMaxFloatChars> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out_.append(digits.data(), end);
  return {};
}

Status JsonWriter::Floats(std::span<const float> values) {
  Separate();
  // One growth for the whole array, then plain stores.
  const size_t begin = out_.size();
  out_.resize(begin + 2 + values.size() * kMaxFloatChars);
  char* p = out_.data() + begin;
  char* const limit = out_.data() + out_.size();
  *p++ = '[';
  for (const float value : values) {
    if (!std::isfinite(value)) return NotFinite();
    p = std::to_chars(p, limit, value).ptr;
    *p++ = ',';
  }
  if (!values.empty()) --p;  // the last comma's place
  *p++ = ']';
  out_.resize(static_cast<size_t>(p - out_.data()));
  return {};
}

Status JsonWriter::Rows(std::span<const float> values, size_t width) {
  BeginArray();
  for (size_t i = 0; i < values.size(); i += width) {
    RETURN_IF_ERROR(Floats(values.subspan(i, width)));
  }
  EndArray();
  return {};
}

}  // namespace embedding
