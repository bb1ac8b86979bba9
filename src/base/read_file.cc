#include "base/read_file.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

#include "base/quoted.h"

namespace embedding {

Result<std::string> ReadFileOf(const std::string& option, const std::string& path,
                               size_t max_bytes) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             std::fclose);
  std::string content(max_bytes + 1, '\0');
  if (file != nullptr) content.resize(std::fread(content.data(), 1, content.size(), file.get()));
  if (file == nullptr || std::ferror(file.get()) != 0) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{}: cannot read {}: {}", option, Quoted(path),
                             std::generic_category().message(errno)),
                 {}};
  }
  if (content.size() > max_bytes) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{}: {} is larger than {} bytes", option, Quoted(path), max_bytes),
                 {}};
  }
  return content;
}

}  // namespace embedding
