#include "hub/sha256.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <vector>

#include "hub/hub_error.h"

namespace embedding {

// None of the three fails.
Sha256::Sha256() { SHA256_Init(&context_); }

void Sha256::Update(std::string_view bytes) {
  SHA256_Update(&context_, bytes.data(), bytes.size());
}

std::string Sha256::Hex() {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256_Final(digest.data(), &context_);
  std::string hex;
  for (const unsigned char byte : digest) hex += fmt::format("{:02x}", byte);
  return hex;
}

Result<std::string> Sha256OfFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return HubError("{}: cannot be opened: {}", path, std::strerror(errno));
  Sha256 sha256;
  std::vector<char> buffer(size_t{1} << 20);
  while (file) {
    file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    sha256.Update({buffer.data(), static_cast<size_t>(file.gcount())});
  }
  if (file.bad()) return HubError("{}: cannot be read: {}", path, std::strerror(errno));
  return sha256.Hex();
}

}  // namespace embedding
