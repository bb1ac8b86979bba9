#include "app/reload.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <iterator>
#include <string_view>
#include <utility>

#include "app/access.h"
#include "app/logging.h"
#include "app/service_manager.h"

namespace embedding::app {
namespace {

constexpr std::string_view kTakenOver[] = {
    "--api-key",           "--api-keys-file",    "--rate-limit-requests",
    "--rate-limit-tokens", "--rate-limit-burst", "--log-level"};

std::string MonotonicMicroseconds() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(now).count());
}

}  // namespace

Reloader::Reloader(ReadAgain read_again, api::Service& service, http::Server& server)
    : read_again_(std::move(read_again)),
      service_(service),
      server_(server),
      thread_([this] { Loop(); }) {}

Reloader::~Reloader() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  told_.NotifyAll();
  thread_.join();
}

void Reloader::Reload() {
  {
    const MutexLock lock(mutex_);
    wanted_ = true;
  }
  told_.NotifyAll();
}

bool Reloader::busy() {
  const MutexLock lock(mutex_);
  return busy_;
}

void Reloader::Loop() {
  for (;;) {
    {
      const MutexLock lock(mutex_);
      busy_ = false;
      while (!wanted_ && !stopping_) told_.Wait(mutex_);
      if (stopping_) return;
      wanted_ = false;
      busy_ = true;
    }
    NotifyServiceManager("RELOADING=1\nMONOTONIC_USEC=" + MonotonicMicroseconds());
    try {
      ReadOnce();
    } catch (const std::exception& error) {
      spdlog::error("the configuration stays as it was: {}", error.what());
    }
    if (service_.started()) NotifyServiceManager("READY=1");
  }
}

void Reloader::ReadOnce() {
  const Result<Reread> fresh = read_again_();
  const Status taken = fresh.ok() ? TakeOver(fresh->configuration) : Status(fresh.error());
  if (!taken.ok()) {
    spdlog::error("the configuration stays as it was: {}", taken.error().message);
    return;
  }
  spdlog::info("the configuration was read again");
  const std::vector<std::string> left = NeedARestart(*fresh);
  if (!left.empty()) spdlog::warn("{} changed, which takes a restart", fmt::join(left, ", "));
}

Status Reloader::TakeOver(const Configuration& fresh) {
  ASSIGN_OR_RETURN(Access access, ReadAccess(fresh));
  // By a mistake in a file, say. Whoever means it starts the server so.
  if (access.keys.empty() && service_.has_keys()) {
    return Error{ErrorCode::kInvalidArgument,
                 "there is no API key any more, and without one everybody might ask; that takes a "
                 "restart",
                 ""};
  }
  if (server_.uses_tls() && !fresh.server.tls.empty()) {
    RETURN_IF_ERROR(server_.UseTls(fresh.server.tls));
  }
  if (!access.keys.empty()) {
    spdlog::info("requests must send one of {} API keys", access.keys.size());
  }
  service_.Replace(access.keys, std::move(access.limits));
  SetLogLevel(fresh.logging.level);
  return {};
}

std::vector<std::string> Reloader::NeedARestart(const Reread& fresh) const {
  const bool takes_tls = server_.uses_tls() && !fresh.configuration.server.tls.empty();
  std::vector<std::string> left;
  for (const std::string& name : fresh.changed) {
    const bool is_taken =
        std::find(std::begin(kTakenOver), std::end(kTakenOver), name) != std::end(kTakenOver) ||
        (takes_tls && (name == "--tls-certificate" || name == "--tls-key"));
    if (!is_taken) left.push_back(name);
  }
  return left;
}

}  // namespace embedding::app
