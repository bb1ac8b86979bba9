// A small file that somebody named on the command line.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"

namespace embedding {

// All of the file at `path`, which may be a pipe, as `option` names it. Errors: kInvalidArgument,
// beginning with the option: it cannot be read, or is larger than `max_bytes`.
Result<std::string> ReadFileOf(const std::string& option, const std::string& path,
                               size_t max_bytes);

}  // namespace embedding
