// Reading numbers out of a mapped file.
#pragma once

#include <bit>
#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

namespace embedding {

// Files hold little-endian numbers, and tensors are used where they are mapped.
static_assert(std::endian::native == std::endian::little, "only little-endian machines");

// The T at bytes[offset], aligned or not. The caller has checked that it is inside.
template <typename T>
T LoadLittleEndian(std::span<const std::byte> bytes, size_t offset) {
  static_assert(std::is_trivially_copyable_v<T>);
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

inline std::string_view AsText(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace embedding
