#include "base/utf8.h"

#include <algorithm>

namespace embedding {
namespace {

// Bytes of the longest beginning of a sequence at the start of `bytes`, where none is complete.
size_t IncompleteLength(std::string_view bytes) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0xC2 || lead > 0xF4) return 1;
  // What comes second rules out overlong forms, surrogates and values past U+10FFFF.
  const unsigned char least = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned char most = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  const size_t size = std::min(bytes.size(), Utf8Length(lead));
  if (size < 2 || byte(1) < least || byte(1) > most) return 1;
  size_t length = 2;
  while (length < size && (byte(length) & 0xC0) == 0x80) ++length;
  return length;
}

}  // namespace

size_t FindInvalidUtf8(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  size_t i = 0;
  while (i < text.size()) {
    const unsigned char lead = byte(i);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    if (lead < 0xC2 || lead > 0xF4) return i;  // a continuation byte, an overlong form, > U+10FFFF
    const size_t length = Utf8Length(lead);
    if (i + length > text.size()) return i;
    for (size_t k = 1; k < length; ++k) {
      if ((byte(i + k) & 0xC0) != 0x80) return i;
    }
    const char32_t value = DecodeUtf8(text, i).value;
    const bool overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
    const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
    if (overlong || surrogate || value > 0x10FFFF) return i;
    i += length;
  }
  return std::string_view::npos;
}

std::string ReplaceInvalidUtf8(std::string_view bytes) {
  std::string text;
  for (;;) {
    const size_t invalid = FindInvalidUtf8(bytes);
    text += bytes.substr(0, invalid);
    if (invalid == std::string_view::npos) return text;
    bytes.remove_prefix(invalid);
    bytes.remove_prefix(IncompleteLength(bytes));
    text += "\uFFFD";
  }
}

}  // namespace embedding
