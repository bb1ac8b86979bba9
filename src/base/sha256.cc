#include "base/sha256.h"

#include <fmt/format.h>

#include <algorithm>

namespace embedding {

// None of the three fails, by either library.
#ifdef __APPLE__
Sha256::Sha256() { CC_SHA256_Init(&context_); }

void Sha256::Update(std::span<const std::byte> bytes) {
  // It takes 32 bits of a size.
  constexpr size_t kMost = size_t{1} << 30;
  for (; !bytes.empty(); bytes = bytes.subspan(std::min(kMost, bytes.size()))) {
    CC_SHA256_Update(&context_, bytes.data(), static_cast<CC_LONG>(std::min(kMost, bytes.size())));
  }
}

Sha256::Digest Sha256::Finish() {
  Digest digest{};
  CC_SHA256_Final(reinterpret_cast<unsigned char*>(digest.data()), &context_);
  return digest;
}
#else
Sha256::Sha256() { SHA256_Init(&context_); }

void Sha256::Update(std::span<const std::byte> bytes) {
  SHA256_Update(&context_, bytes.data(), bytes.size());
}

Sha256::Digest Sha256::Finish() {
  Digest digest{};
  SHA256_Final(reinterpret_cast<unsigned char*>(digest.data()), &context_);
  return digest;
}
#endif

std::string Sha256::Hex() {
  std::string hex;
  for (const std::byte byte : Finish()) hex += fmt::format("{:02x}", static_cast<unsigned>(byte));
  return hex;
}

}  // namespace embedding
