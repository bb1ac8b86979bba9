// SHA-256, by OpenSSL, and on a Mac by the system's CommonCrypto.
#pragma once

#ifdef __APPLE__
#include <CommonCrypto/CommonDigest.h>
#else
// What is in its place takes memory, and crashes where there is none (OpenSSL 3.0).
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
#endif

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace embedding {

// Of bytes that come piece by piece. Takes no memory, and never fails.
class Sha256 {
 public:
  using Digest = std::array<std::byte, 32>;

  Sha256();
  void Update(std::string_view bytes) { Update(std::as_bytes(std::span(bytes))); }
  void Update(std::span<const std::byte> bytes);
  // Nothing can be added after it.
  Digest Finish();
  // The same as 64 lower-case hexadecimal digits.
  std::string Hex();

 private:
#ifdef __APPLE__
  CC_SHA256_CTX context_;
#else
  SHA256_CTX context_;
#endif
};

}  // namespace embedding
