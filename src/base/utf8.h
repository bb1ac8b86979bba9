// UTF-8 by hand: the few operations on it that tokenising needs in its inner loops.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace embedding {

// Bytes of the sequence that `lead` opens, in valid UTF-8: 1 to 4.
constexpr size_t Utf8Length(unsigned char lead) {
  return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

struct CodePoint {
  char32_t value;
  size_t size_bytes;
};

// The code point at text[position]. The text must be valid UTF-8 and position at a boundary.
constexpr CodePoint DecodeUtf8(std::string_view text, size_t position) {
  const auto byte = [&](size_t i) {
    return static_cast<char32_t>(static_cast<unsigned char>(text[position + i]));
  };
  const char32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  if (lead < 0xE0) return {((lead & 0x1F) << 6) | (byte(1) & 0x3F), 2};
  if (lead < 0xF0) return {((lead & 0x0F) << 12) | ((byte(1) & 0x3F) << 6) | (byte(2) & 0x3F), 3};
  return {
      ((lead & 0x07) << 18) | ((byte(1) & 0x3F) << 12) | ((byte(2) & 0x3F) << 6) | (byte(3) & 0x3F),
      4};
}

inline void AppendUtf8(char32_t c, std::string& out) {
  const auto put = [&](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | (c >> 6));
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | (c >> 12));
    put(0x80 | ((c >> 6) & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | (c >> 18));
    put(0x80 | ((c >> 12) & 0x3F));
    put(0x80 | ((c >> 6) & 0x3F));
    put(0x80 | (c & 0x3F));
  }
}

// Unicode scalar values in valid UTF-8: its bytes that do not continue one.
constexpr size_t CountCharacters(std::string_view text) {
  size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
  return count;
}

// Offset of the first byte that makes `text` invalid UTF-8 (overlong forms, surrogates, values past
// U+10FFFF, truncated sequences), or std::string_view::npos if there is none.
size_t FindInvalidUtf8(std::string_view text);

// `bytes` with U+FFFD for what is no UTF-8: for each longest beginning of a sequence that is not
// completed, and for each byte that begins none (as Unicode recommends, and Rust does it).
std::string ReplaceInvalidUtf8(std::string_view bytes);

}  // namespace embedding
