#include "hub/hub_settings.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "weights/model_error.h"
#include "weights/model_locator.h"

namespace embedding {
namespace {

constexpr long kMaxStallTimeoutS = 24 * 3600;

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

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
  std::string token = Trimmed(Environment("HF_TOKEN"));
  std::string where = "HF_TOKEN";
  if (token.empty()) {
    where = ExpandHome(Environment("HF_TOKEN_PATH"));
    if (where.empty()) where = (std::filesystem::path(HuggingFaceHome()) / "token").string();
    std::ifstream file(where, std::ios::binary);
    std::string line;
    std::getline(file, line);
    token = Trimmed(line);
  }
  if (std::any_of(token.begin(), token.end(), [](char c) { return c <= ' ' || c > '~'; })) {
    return ModelError("{}: a token is one word of printable characters, and this is not", where);
  }
  return token;
}

}  // namespace

Result<HubSettings> ReadHubSettings() {
  HubSettings settings;
  settings.offline = IsTrue(Environment("HF_HUB_OFFLINE"));

  settings.endpoint = Trimmed(Environment("HF_ENDPOINT"));
  if (settings.endpoint.empty()) settings.endpoint = "https://huggingface.co";
  while (settings.endpoint.ends_with('/')) settings.endpoint.pop_back();
  if (!settings.endpoint.starts_with("https://") && !settings.endpoint.starts_with("http://")) {
    return ModelError("HF_ENDPOINT is {}, but it must begin with https:// or http://",
                      Quoted(settings.endpoint));
  }

  if (const std::string timeout = Environment("HF_HUB_DOWNLOAD_TIMEOUT"); !timeout.empty()) {
    const char* end = timeout.data() + timeout.size();
    const auto [stop, problem] = std::from_chars(timeout.data(), end, settings.stall_timeout_s);
    if (problem != std::errc() || stop != end || settings.stall_timeout_s < 1 ||
        settings.stall_timeout_s > kMaxStallTimeoutS) {
      return ModelError(
          "HF_HUB_DOWNLOAD_TIMEOUT is {}, but it must be a number of seconds, 1 to {}",
          Quoted(timeout), kMaxStallTimeoutS);
    }
  }

  ASSIGN_OR_RETURN(settings.token, ReadToken());
  return settings;
}

}  // namespace embedding
