// Looking for a model's optional files.
#pragma once

#include <filesystem>
#include <system_error>

namespace embedding {

// Whether there is something of that name, be it a link whose target is missing (as in a hub cache
// that was not fetched whole): that one is to be reported, not passed over.
inline bool IsThere(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::symlink_status(path, ignored).type() !=
         std::filesystem::file_type::not_found;
}

}  // namespace embedding
