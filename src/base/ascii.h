// Kinds of ASCII characters, whatever the locale.
#pragma once

namespace embedding {

constexpr bool IsAlphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

}  // namespace embedding
