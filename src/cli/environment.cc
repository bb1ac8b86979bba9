#include "cli/environment.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <regex>

#include "base/quoted.h"
#include "cli/near_name.h"

extern char** environ;  // which POSIX has every program declare

namespace embedding::cli {
namespace {

constexpr std::string_view kPrefix = "EMBEDDING_SERVICE_";

struct ServiceAddress {
  std::string host;
  std::string port;
};

// The parts of "tcp://10.96.12.7:8001"; empty if `value` is something else.
ServiceAddress ParseServiceAddress(std::string_view value) {
  static const std::regex kForm(R"((?:tcp|udp|sctp)://(?:\[([^\]]+)\]|([^:\[\]]+)):(\d+))");
  const std::string text(value);
  std::smatch parts;
  if (!std::regex_match(text, parts, kForm)) return {};
  return {parts[1].matched ? parts[1] : parts[2], parts[3]};
}

// Names that Kubernetes makes for a Service named embedding-service or embedding-service-..., and
// for the named ports of one named embedding.
bool IsNamedByKubernetes(const std::string& name) {
  static const std::regex kForm(
      "EMBEDDING_SERVICE_(?:[A-Z0-9_]+_)?"
      "(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT(?:_\\d+_(?:TCP|UDP|SCTP)"
      "(?:_PROTO|_PORT|_ADDR)?)?)"
      "|EMBEDDING_SERVICE_PORT_[A-Z0-9_]+");
  return std::regex_match(name, kForm);
}

}  // namespace

std::string EnvironmentName(std::string_view option) {
  std::string name(option.substr(option.find_first_not_of('-')));
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
    return c == '-' ? '_' : static_cast<char>(std::toupper(c));
  });
  return name.insert(0, kPrefix);
}

bool IsOfKubernetes(const std::string& name, std::string_view value) {
  if (name.ends_with("_PORT") && !ParseServiceAddress(value).host.empty()) return true;
  constexpr std::string_view kHost = "_SERVICE_HOST";
  constexpr std::string_view kPort = "_SERVICE_PORT";
  if (!name.ends_with(kHost) && !name.ends_with(kPort)) return false;
  if (std::getenv("KUBERNETES_SERVICE_HOST") == nullptr) return false;  // which every pod has
  // Whoever made it for a Service has also made SERVICENAME_PORT, with the same in it.
  const std::string beside = name.substr(0, name.size() - kHost.size()) + "_PORT";
  const char* address = std::getenv(beside.c_str());
  const ServiceAddress service = ParseServiceAddress(address == nullptr ? "" : address);
  return !service.host.empty() && value == (name.ends_with(kHost) ? service.host : service.port);
}

std::vector<std::string_view> Variables() {
  std::vector<std::string_view> variables;
  for (char** variable = environ; *variable != nullptr; ++variable)
    variables.emplace_back(*variable);
  return variables;
}

void WarnOfUnknownVariables(const std::vector<std::string>& known) {
  std::vector<std::string> unknown;
  for (const std::string_view entry : Variables()) {
    std::string name(entry.substr(0, entry.find('=')));
    if (!name.starts_with(kPrefix) || IsNamedByKubernetes(name)) continue;
    if (std::find(known.begin(), known.end(), name) == known.end())
      unknown.push_back(std::move(name));
  }
  std::sort(unknown.begin(), unknown.end());
  std::vector<std::string> endings;
  endings.reserve(known.size());
  for (const std::string& name : known) endings.push_back(name.substr(kPrefix.size()));
  for (const std::string& name : unknown) {
    // Without the prefix, which all have in common.
    const std::string nearest = NearestName(std::string_view(name).substr(kPrefix.size()), endings);
    spdlog::warn("the variable {} belongs to no option and is not read{}", Printable(name, 80),
                 nearest.empty() ? "" : fmt::format("; did you mean {}{}?", kPrefix, nearest));
  }
}

}  // namespace embedding::cli
