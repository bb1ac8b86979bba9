#include "base/sha256.h"

#include <fmt/format.h>

namespace embedding {

// None of the three fails.
Sha256::Sha256() { SHA256_Init(&context_); }

void Sha256::Update(std::span<const std::byte> bytes) {
  SHA256_Update(&context_, bytes.data(), bytes.size());
}

Sha256::Digest Sha256::Finish() {
  Digest digest{};
  SHA256_Final(reinterpret_cast<unsigned char*>(digest.data()), &context_);
  return digest;
}

std::string Sha256::Hex() {
  std::string hex;
  for (const std::byte byte : Finish()) hex += fmt::format("{:02x}", static_cast<unsigned>(byte));
  return hex;
}

}  // namespace embedding
