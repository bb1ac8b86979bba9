// Paths of a model's files: looking for optional ones, and names that come from files.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <system_error>

namespace embedding {

// Whether there is something of that name, be it a link whose target is missing (as in a hub cache
// that was not fetched whole): that one is to be reported, not passed over.
inline bool IsThere(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::symlink_status(path, ignored).type() !=
         std::filesystem::file_type::not_found;
}

// Whether there is something that can be read: a link whose target is missing does not count.
inline bool Exists(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

// Whether a name out of a file holds what is refused in a path: a NUL would end it for the system,
// and an error that shows it would send the others to a terminal.
inline bool HasControlCharacter(std::string_view name) {
  return std::any_of(name.begin(), name.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

}  // namespace embedding
