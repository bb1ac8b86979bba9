#include "hub/sha256.h"

#include <openssl/evp.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <vector>

#include "weights/model_error.h"

namespace embedding {

Result<std::string> Sha256OfFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return ModelError("{}: cannot be opened: {}", path, std::strerror(errno));

  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        &EVP_MD_CTX_free);
  bool fine = context != nullptr && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1;
  std::vector<char> buffer(size_t{1} << 20);
  while (fine && file) {
    file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    fine = EVP_DigestUpdate(context.get(), buffer.data(), static_cast<size_t>(file.gcount())) == 1;
  }
  if (file.bad()) return ModelError("{}: cannot be read: {}", path, std::strerror(errno));
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size_bytes = 0;
  fine = fine && EVP_DigestFinal_ex(context.get(), digest, &size_bytes) == 1;
  if (!fine) return Error{ErrorCode::kInternal, "OpenSSL cannot compute a SHA-256", {}};

  std::string hex;
  for (unsigned int i = 0; i < size_bytes; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

}  // namespace embedding
