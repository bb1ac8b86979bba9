#include "weights/model_locator.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

#include "weights/model_error.h"

namespace embedding {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxIdPartBytes = 96;
constexpr size_t kMaxRevisionBytes = 200;

bool IsAlphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// The variable's value, empty if it is not set.
std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string HomeDirectory() {
  if (std::string home = Environment("HOME"); !home.empty()) return home;
  // A service may run without $HOME.
  std::vector<char> buffer(size_t{16} << 10);
  passwd entry{};
  passwd* found = nullptr;
  getpwuid_r(getuid(), &entry, buffer.data(), buffer.size(), &found);
  return found == nullptr ? "/" : found->pw_dir;
}

// Whether `given` can only be meant as a path: an id neither starts like that nor has two slashes.
bool LooksLikePath(std::string_view given) {
  return given.starts_with('/') || given.starts_with('.') || given.starts_with('~') ||
         std::count(given.begin(), given.end(), '/') > 1 || given.ends_with('/');
}

bool IsIdPart(std::string_view part) {
  const auto allowed = [](char c) { return IsAlphanumeric(c) || c == '-' || c == '_' || c == '.'; };
  const auto at_an_end = [](char c) { return IsAlphanumeric(c) || c == '_'; };
  return !part.empty() && part.size() <= kMaxIdPartBytes &&
         std::all_of(part.begin(), part.end(), allowed) && at_an_end(part.front()) &&
         at_an_end(part.back()) && part.find("--") == std::string_view::npos &&
         part.find("..") == std::string_view::npos;
}

// The commit that a file of refs/ holds, or an empty string.
std::string ReadRef(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string commit;
  file >> std::setw(64) >> commit;
  return IsCommitHash(commit) ? commit : "";
}

bool Exists(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

bool IsDirectory(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

// Whether the snapshot is more than the few files that a tokenizer or a look at the configuration
// leaves there. exists() follows links, so a link whose blob is gone counts as missing.
bool HasModel(const fs::path& snapshot) {
  constexpr const char* kWeights[] = {"model.safetensors", "model.safetensors.index.json",
                                      "pytorch_model.bin", "pytorch_model.bin.index.json"};
  return Exists(snapshot / "config.json") && Exists(snapshot / "tokenizer.json") &&
         std::any_of(std::begin(kWeights), std::end(kWeights),
                     [&](const char* name) { return Exists(snapshot / name); });
}

}  // namespace

std::string ExpandHome(const std::string& path) {
  if (path != "~" && !path.starts_with("~/")) return path;
  return HomeDirectory() + path.substr(1);
}

std::string HuggingFaceHome() {
  if (const std::string home = Environment("HF_HOME"); !home.empty()) return ExpandHome(home);
  if (const std::string cache = Environment("XDG_CACHE_HOME"); !cache.empty())
    return (fs::path(ExpandHome(cache)) / "huggingface").string();
  return (fs::path(HomeDirectory()) / ".cache" / "huggingface").string();
}

std::string HubModelDirectory(std::string_view id) {
  const std::string cache = Environment("HF_HUB_CACHE");
  const fs::path hub =
      cache.empty() ? fs::path(HuggingFaceHome()) / "hub" : fs::path(ExpandHome(cache));
  std::string folder = "models--";
  for (const char c : id) {
    if (c == '/') {
      folder += "--";
    } else {
      folder += c;
    }
  }
  return (hub / folder).string();
}

bool IsCommitHash(std::string_view revision) {
  return revision.size() == 40 &&
         revision.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Status CheckModelId(std::string_view id) {
  const size_t slash = id.find('/');
  const bool valid = slash == std::string_view::npos
                         ? IsIdPart(id)
                         : IsIdPart(id.substr(0, slash)) && IsIdPart(id.substr(slash + 1));
  if (valid) return {};
  return ModelError(
      "{} is neither an existing directory nor a model id, which is \"name\" or \"org/name\" of "
      "letters, digits, '-', '_' and '.'",
      Quoted(id));
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

Result<std::string> LocateModel(const std::string& id_or_directory, const std::string& revision) {
  const std::string directory = ExpandHome(id_or_directory);
  if (IsDirectory(directory)) return directory;
  if (LooksLikePath(id_or_directory)) {
    return ModelError(
        "{}: {}; give the directory of a model's files, or a model id such as "
        "BAAI/bge-m3",
        directory, Exists(directory) ? "not a directory" : "no such directory");
  }
  RETURN_IF_ERROR(CheckModelId(id_or_directory));
  RETURN_IF_ERROR(CheckRevision(revision));

  const fs::path model = HubModelDirectory(id_or_directory);
  const std::string commit = IsCommitHash(revision) ? revision : ReadRef(model / "refs" / revision);
  const fs::path snapshot = model / "snapshots" / commit;
  if (!commit.empty() && HasModel(snapshot)) return snapshot.string();

  const bool in_part = !commit.empty() && IsDirectory(snapshot);
  return ModelError(
      "the model {} (revision {}) is {} in the hub cache (looked in {}); fetch it with "
      "\"embedding-service download {}{}\", or give the directory of its files",
      id_or_directory, revision, in_part ? "only in part" : "not", model.string(), id_or_directory,
      revision == "main" ? "" : " --revision " + revision);
}

}  // namespace embedding
