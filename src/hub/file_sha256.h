// The SHA-256 of a file, by which the hub knows it.
#pragma once

#include <string>

#include "base/result.h"

namespace embedding {

// The digest of a file's contents in hexadecimal digits. Errors: kDownload.
Result<std::string> Sha256OfFile(const std::string& path);

}  // namespace embedding
