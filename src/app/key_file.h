// The file of --api-keys-file: the API keys with their names.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "http/api_keys.h"
#include "http/rate_limiter.h"

namespace embedding::app {

struct KeyFile {
  std::vector<http::ApiKey> keys;
  std::map<std::string, http::Rates> rates;  // of those that have their own, by name
};

// Reads one key a line:
//
//   # who      key, or sha256: and the hexadecimal SHA-256 of it; limits of its own, where it has
//   any alice      s3cret backend
//   sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b bulk       an0ther
//   requests=5 tokens=0
//
// A name is 1 to 64 letters, digits, '.', '_', '-' or '@'; it may have several keys. `requests` and
// `tokens` take the place of `rates` for the name, 0 is no limit. Empty lines and what begins with
// '#' are ignored. Errors: kInvalidArgument, naming the file and the line, never showing a key:
// what cannot be read, is no such line, or has a key that is there already; a file without any key.
// A file that others may read is warned of.
Result<KeyFile> ReadKeyFile(const std::string& path, const http::Rates& rates);

}  // namespace embedding::app
