#include "hub/hub_environment.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <vector>

namespace embedding {
namespace {

namespace fs = std::filesystem;

// The home directory that the system has for a user, or for this process's; empty if it has none.
std::string HomeOf(const std::string& user) {
  std::vector<char> buffer(size_t{16} << 10);
  passwd entry{};
  passwd* found = nullptr;
  if (user.empty()) {
    getpwuid_r(getuid(), &entry, buffer.data(), buffer.size(), &found);
  } else {
    getpwnam_r(user.c_str(), &entry, buffer.data(), buffer.size(), &found);
  }
  return found == nullptr ? "" : found->pw_dir;
}

std::string HomeDirectory() {
  if (std::string home = ReadVariable("HOME"); !home.empty()) return home;
  // A service may run without $HOME.
  const std::string home = HomeOf("");
  return home.empty() ? "/" : home;
}

// The NAME that `text` begins with, behind a "$".
std::string_view NameAt(std::string_view text) {
  constexpr std::string_view kInNames =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
  return text.substr(0, text.find_first_not_of(kInNames));
}

}  // namespace

std::string ReadVariable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string ExpandHome(const std::string& path) {
  if (!path.starts_with('~')) return path;
  const size_t end = std::min(path.find('/'), path.size());
  std::string home = end == 1 ? HomeDirectory() : HomeOf(path.substr(1, end - 1));
  if (home.empty()) return path;
  while (end < path.size() && home.ends_with('/')) home.pop_back();
  return home + path.substr(end);
}

std::string ExpandPath(const std::string& path) {
  const std::string given = ExpandHome(path);
  std::string expanded;
  for (std::string_view rest = given; !rest.empty();) {
    const size_t dollar = std::min(rest.find('$'), rest.size());
    expanded += rest.substr(0, dollar);
    rest.remove_prefix(dollar);
    if (rest.empty()) break;
    const bool braces = rest.starts_with("${");
    const std::string_view name = NameAt(rest.substr(braces ? 2 : 1));
    size_t length = 1 + name.size();
    if (braces) length = rest.substr(length + 1).starts_with('}') ? length + 2 : 1;
    const bool named = !name.empty() && length > 1;
    const char* value = named ? std::getenv(std::string(name).c_str()) : nullptr;
    if (value == nullptr) {
      expanded += rest.substr(0, length);
    } else {
      expanded += value;
    }
    rest.remove_prefix(length);
  }
  return expanded;
}

std::string HuggingFaceHome() {
  if (const std::string home = ReadVariable("HF_HOME"); !home.empty()) return ExpandPath(home);
  if (const std::string cache = ReadVariable("XDG_CACHE_HOME"); !cache.empty())
    return (fs::path(ExpandPath(cache)) / "huggingface").string();
  return (fs::path(HomeDirectory()) / ".cache" / "huggingface").string();
}

std::string HubCacheDirectory() {
  for (const char* name : {"SENTENCE_TRANSFORMERS_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"}) {
    if (const std::string cache = ReadVariable(name); !cache.empty()) return ExpandPath(cache);
  }
  return (fs::path(HuggingFaceHome()) / "hub").string();
}

}  // namespace embedding
