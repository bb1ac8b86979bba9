// Messages in protobuf's wire format, for the tests that read them.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

namespace embedding::protobuf {

inline std::string Varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}
inline std::string Tag(uint32_t number, uint32_t wire) { return Varint(number << 3 | wire); }
inline std::string Number(uint32_t number, uint64_t value) {
  return Tag(number, 0) + Varint(value);
}
inline std::string Bytes(uint32_t number, std::string_view bytes) {
  return Tag(number, 2) + Varint(bytes.size()) + std::string(bytes);
}
inline std::string Float(uint32_t number, float value) {
  std::string field = Tag(number, 5);
  for (int shift = 0; shift < 32; shift += 8) {
    field += static_cast<char>(std::bit_cast<uint32_t>(value) >> shift);
  }
  return field;
}

// One piece of a SentencePiece model.
inline std::string Piece(std::string_view text, float score = 0, uint32_t kind = 1) {
  return Bytes(1, Bytes(1, text) + Float(2, score) + Number(3, kind));
}

}  // namespace embedding::protobuf
