// GPT-2's alphabet of bytes: each byte is written as a character that can be seen.
//
// Bytes of printable characters of Latin-1 stand for themselves; the others are the characters from
// U+0100 on, in order: a space is U+0120. In UTF-8 each has one byte or two.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace embedding {

// The character of each byte, in UTF-8.
const std::array<std::string, 256>& ByteCharacters();

// The byte that a character stands for, if it is one of them.
std::optional<uint8_t> ByteOfCharacter(char32_t c);

// The bytes that the characters of `text` stand for, if all of them are such.
std::optional<std::string> BytesOfCharacters(std::string_view text);

}  // namespace embedding
