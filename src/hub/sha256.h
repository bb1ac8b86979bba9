// SHA-256, by OpenSSL.
#pragma once

// What is in its place takes memory, and crashes where there is none (OpenSSL 3.0).
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include <string>
#include <string_view>

#include "base/result.h"

namespace embedding {

// Of bytes that come piece by piece.
class Sha256 {
 public:
  Sha256();
  void Update(std::string_view bytes);
  // The digest as 64 lower-case hexadecimal digits; nothing can be added after it.
  std::string Hex();

 private:
  SHA256_CTX context_;
};

// The digest of a file's contents. Errors: kDownload.
Result<std::string> Sha256OfFile(const std::string& path);

}  // namespace embedding
