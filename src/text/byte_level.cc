#include "text/byte_level.h"

#include <cstddef>

#include "base/utf8.h"

namespace embedding {
namespace {

constexpr bool StandsForItself(uint32_t byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

// Behind U+00FF come the characters of those bytes that do not stand for themselves.
struct OtherBytes {
  std::array<uint8_t, 256> bytes = {};
  size_t size = 0;
};

constexpr OtherBytes kOthers = [] {
  OtherBytes others;
  for (uint32_t byte = 0; byte < 256; ++byte) {
    if (!StandsForItself(byte)) others.bytes[others.size++] = static_cast<uint8_t>(byte);
  }
  return others;
}();

}  // namespace

const std::array<std::string, 256>& ByteCharacters() {
  static const std::array<std::string, 256> characters = [] {
    std::array<std::string, 256> made;
    for (uint32_t byte = 0; byte < 256; ++byte) {
      if (StandsForItself(byte)) AppendUtf8(byte, made[byte]);
    }
    for (size_t i = 0; i < kOthers.size; ++i) {
      AppendUtf8(static_cast<char32_t>(0x100 + i), made[kOthers.bytes[i]]);
    }
    return made;
  }();
  return characters;
}

std::optional<uint8_t> ByteOfCharacter(char32_t c) {
  if (c < 0x100) {
    return StandsForItself(c) ? std::optional(static_cast<uint8_t>(c)) : std::nullopt;
  }
  return c - 0x100 < kOthers.size ? std::optional(kOthers.bytes[c - 0x100]) : std::nullopt;
}

std::optional<std::string> BytesOfCharacters(std::string_view text) {
  std::string bytes;
  for (size_t i = 0; i < text.size();) {
    const CodePoint c = DecodeUtf8(text, i);
    const std::optional<uint8_t> byte = ByteOfCharacter(c.value);
    if (!byte) return std::nullopt;
    bytes.push_back(static_cast<char>(*byte));
    i += c.size_bytes;
  }
  return bytes;
}

}  // namespace embedding
