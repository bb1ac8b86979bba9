#include "hub/file_sha256.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <vector>

#include "base/sha256.h"
#include "hub/hub_error.h"

namespace embedding {

Result<std::string> Sha256OfFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return HubError("{}: cannot be opened: {}", path, std::strerror(errno));
  Sha256 sha256;
  std::vector<char> buffer(size_t{1} << 20);
  while (file) {
    file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    sha256.Update(std::string_view(buffer.data(), static_cast<size_t>(file.gcount())));
  }
  if (file.bad()) return HubError("{}: cannot be read: {}", path, std::strerror(errno));
  return sha256.Hex();
}

}  // namespace embedding
