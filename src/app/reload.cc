#include "app/reload.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

#include "app/access.h"
#include "app/logging.h"
#include "app/service_manager.h"

namespace embedding::app {
namespace {

constexpr std::string_view kTakenOver[] = {
    "--api-key",          "--api-keys-file",   "--rate-limit-requests", "--rate-limit-tokens",
    "--rate-limit-burst", "--tls-certificate", "--log-level",           "--tls-key",
};

// All or nothing: what may fail comes first.
Status TakeOver(const Configuration& fresh, api::Service& service, http::Server& server) {
  ASSIGN_OR_RETURN(Access access, ReadAccess(fresh));
  if (!fresh.server.tls.empty()) RETURN_IF_ERROR(server.UseTls(fresh.server.tls));
  service.Replace(access.keys, std::move(access.limits));
  SetLogLevel(fresh.logging.level);
  return {};
}

std::vector<std::string> NeedARestart(const std::vector<std::string>& changed) {
  std::vector<std::string> left;
  std::copy_if(changed.begin(), changed.end(), std::back_inserter(left), [](const auto& name) {
    return std::find(std::begin(kTakenOver), std::end(kTakenOver), name) == std::end(kTakenOver);
  });
  return left;
}

std::string MonotonicMicroseconds() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(now).count());
}

}  // namespace

void Reload(const ReadAgain& read_again, api::Service& service, http::Server& server) {
  NotifyServiceManager("RELOADING=1\nMONOTONIC_USEC=" + MonotonicMicroseconds());
  const Result<Reread> fresh = read_again();
  const Status taken =
      fresh.ok() ? TakeOver(fresh->configuration, service, server) : Status(fresh.error());
  if (taken.ok()) {
    spdlog::info("the configuration was read again");
    const std::vector<std::string> left = NeedARestart(fresh->changed);
    if (!left.empty()) {
      spdlog::warn("{} changed, which takes a restart", fmt::join(left, ", "));
    }
  } else {
    spdlog::error("the configuration stays as it was: {}", taken.error().message);
  }
  if (service.started()) NotifyServiceManager("READY=1");
}

}  // namespace embedding::app
