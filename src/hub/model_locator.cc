#include "hub/model_locator.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <string>
#include <system_error>
#include <vector>

#include "base/ascii.h"
#include "hub/hub_environment.h"
#include "hub/model_names.h"
#include "model/file_formats.h"
#include "model/model_directory.h"
#include "weights/model_error.h"
#include "weights/path.h"

namespace embedding {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxRevisionBytes = 200;

// The commit that a file of refs/ holds, or an empty string.
std::string ReadRef(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string commit;
  file >> std::setw(64) >> commit;
  return IsCommitHash(commit) ? commit : "";
}

bool IsDirectory(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

Error NotADirectory(const std::string& path) {
  const bool exists = Exists(path);
  if (const std::string_view format = ForeignFormat(path); !format.empty()) {
    return ModelError("{}: {}. {}", path, exists ? "a file, not a directory" : "no such file",
                      AdviceOn(format));
  }
  return ModelError("{}: {}; give the directory of a model's files, or a model id such as {}", path,
                    exists ? "a file, not a directory" : "no such directory", "BAAI/bge-m3");
}

}  // namespace

bool IsPath(std::string_view given) {
  return given.starts_with('/') || given.starts_with('.') || given.starts_with('~') ||
         std::count(given.begin(), given.end(), '/') > 1 || given.ends_with('/') ||
         IsWeightsName(given) || Exists(ExpandHome(std::string(given)));
}

std::string HubModelDirectory(std::string_view id) {
  std::string folder = "models--";
  for (const char c : id) {
    if (c == '/') {
      folder += "--";
    } else {
      folder += c;
    }
  }
  return (fs::path(HubCacheDirectory()) / folder).string();
}

bool IsCommitHash(std::string_view revision) {
  return revision.size() == 40 &&
         revision.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Status CheckRevision(std::string_view revision) {
  // As git has it, but for characters beyond ASCII and some that mean something in a URL.
  const auto allowed = [](char c) {
    return IsAlphanumeric(c) || std::string_view("-_./+@=").find(c) != std::string_view::npos;
  };
  bool valid = !revision.empty() && revision.size() <= kMaxRevisionBytes &&
               std::all_of(revision.begin(), revision.end(), allowed);
  for (size_t begin = 0; valid && begin <= revision.size();) {
    const size_t end = std::min(revision.find('/', begin), revision.size());
    // Git has no part that is empty or begins with a dot, and so none that is "." or "..".
    valid = end > begin && revision[begin] != '.';
    begin = end + 1;
  }
  if (valid) return {};
  return ModelError("{} cannot be a revision: give a branch, a tag or a commit hash",
                    Quoted(revision));
}

Result<std::string> LocateModel(const std::string& name_or_directory, const std::string& revision) {
  const std::string directory = ExpandHome(name_or_directory);
  if (IsDirectory(directory)) {
    RETURN_IF_ERROR(CheckModelDirectory(directory));
    return directory;
  }
  if (IsPath(name_or_directory)) return NotADirectory(directory);
  RETURN_IF_ERROR(CheckModelId(name_or_directory));
  RETURN_IF_ERROR(CheckRevision(revision));

  std::vector<std::string> ids = HubIdsOf(name_or_directory);
  // What another tool has put there under the name itself.
  if (ids.front() != name_or_directory) ids.push_back(name_or_directory);
  bool in_part = false;
  for (const std::string& id : ids) {
    const fs::path model = HubModelDirectory(id);
    const std::string commit =
        IsCommitHash(revision) ? revision : ReadRef(model / "refs" / revision);
    const fs::path snapshot = model / "snapshots" / commit;
    if (!commit.empty() && HasModel(snapshot)) return snapshot.string();
    in_part = in_part || (!commit.empty() && IsDirectory(snapshot));
  }
  return ModelError(
      "the model {} (revision {}) is {} in the hub cache (looked in {}); give the directory of its "
      "files, or let it be downloaded",
      name_or_directory, revision, in_part ? "only in part" : "not",
      HubModelDirectory(ids.front()));
}

}  // namespace embedding
