#include "hub/hub_settings.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "hub/hub_environment.h"
#include "hub/hub_error.h"

namespace embedding {
namespace {

constexpr long kMaxTimeoutS = 24 * 3600;

std::string Trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(kSpace) - begin + 1));
}

bool IsTrue(std::string value) {
  std::transform(value.begin(), value.end(), value.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return value == "1" || value == "on" || value == "yes" || value == "true";
}

// The token, which goes into a header and so must be one printable word.
Result<std::string> ReadToken() {
  if (IsTrue(ReadVariable("HF_HUB_DISABLE_IMPLICIT_TOKEN"))) return std::string();
  std::string where;
  std::string token;
  for (const char* name : {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"}) {
    if (!token.empty()) break;
    where = name;
    token = Trimmed(ReadVariable(name));
  }
  if (token.empty()) {
    where = ExpandPath(ReadVariable("HF_TOKEN_PATH"));
    if (where.empty()) where = (std::filesystem::path(HuggingFaceHome()) / "token").string();
    std::ifstream file(where, std::ios::binary);
    std::string line;
    std::getline(file, line);
    token = Trimmed(line);
  }
  if (std::any_of(token.begin(), token.end(), [](char c) { return c <= ' ' || c > '~'; })) {
    return HubError("{}: a token is one word of printable characters, and this is not", where);
  }
  return token;
}

// Reads a variable's number of seconds, if it is set.
Status ReadTimeout(const char* name, long& timeout_s) {
  const std::string given = ReadVariable(name);
  if (given.empty()) return {};
  const char* end = given.data() + given.size();
  const auto [stop, problem] = std::from_chars(given.data(), end, timeout_s);
  if (problem == std::errc() && stop == end && timeout_s >= 1 && timeout_s <= kMaxTimeoutS)
    return {};
  return HubError("{} is {}, but it must be a number of seconds, 1 to {}", name, Quoted(given),
                  kMaxTimeoutS);
}

}  // namespace

Result<HubSettings> ReadHubSettings() {
  HubSettings settings;
  const char* offline =
      ReadVariable("HF_HUB_OFFLINE").empty() ? "TRANSFORMERS_OFFLINE" : "HF_HUB_OFFLINE";
  if (IsTrue(ReadVariable(offline))) settings.offline_by = offline;

  settings.endpoint = Trimmed(ReadVariable("HF_ENDPOINT"));
  if (settings.endpoint.empty()) settings.endpoint = "https://huggingface.co";
  while (settings.endpoint.ends_with('/')) settings.endpoint.pop_back();
  if (!settings.endpoint.starts_with("https://") && !settings.endpoint.starts_with("http://")) {
    return HubError("HF_ENDPOINT is {}, but it must begin with https:// or http://",
                    Quoted(settings.endpoint));
  }

  RETURN_IF_ERROR(ReadTimeout("HF_HUB_DOWNLOAD_TIMEOUT", settings.stall_timeout_s));
  RETURN_IF_ERROR(ReadTimeout("HF_HUB_ETAG_TIMEOUT", settings.etag_timeout_s));
  ASSIGN_OR_RETURN(settings.token, ReadToken());
  return settings;
}

}  // namespace embedding
