// SHA-256 of files.
#pragma once

#include <string>

#include "base/result.h"

namespace embedding {

// The digest of a file's contents as 64 lower-case hexadecimal digits. Errors: kModelLoad.
Result<std::string> Sha256OfFile(const std::string& path);

}  // namespace embedding
