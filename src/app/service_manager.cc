#include "app/service_manager.h"

#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <system_error>
#include <utility>

namespace embedding::app {
namespace {

std::optional<long long> Number(const char* text) {
  if (text == nullptr) return std::nullopt;
  long long number = 0;
  const char* end = text + std::strlen(text);
  const auto [stop, problem] = std::from_chars(text, end, number);
  if (problem != std::errc() || stop != end) return std::nullopt;
  return number;
}

}  // namespace

void NotifyServiceManager(const std::string& state) {
  const char* variable = std::getenv("NOTIFY_SOCKET");
  if (variable == nullptr) return;
  const std::string_view path = variable;
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() < 2 || path.size() >= sizeof(address.sun_path)) return;
  std::memcpy(address.sun_path, path.data(), path.size());
  if (path.front() == '@') address.sun_path[0] = '\0';  // Linux's abstract names
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM, 0);
  if (fd < 0) return;
  // One that does not read must not keep this process from stopping.
  constexpr timeval kLongest = {1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &kLongest, sizeof(kLongest));
  if (::sendto(fd, state.data(), state.size(), 0, reinterpret_cast<const sockaddr*>(&address),
               size) < 0) {
    spdlog::warn("the service manager cannot be told {}: {}", state,
                 std::generic_category().message(errno));
  }
  ::close(fd);
}

std::optional<std::chrono::microseconds> WatchdogTimeout() {
  const std::optional<long long> timeout = Number(std::getenv("WATCHDOG_USEC"));
  const std::optional<long long> process = Number(std::getenv("WATCHDOG_PID"));
  const bool is_other = process && *process != ::getpid();
  if (!timeout || *timeout <= 0 || is_other) return std::nullopt;
  return std::chrono::microseconds(*timeout);
}

Watchdog::Watchdog(std::optional<std::chrono::microseconds> timeout, std::function<bool()> is_alive)
    : is_alive_(std::move(is_alive)) {
  if (timeout) thread_ = std::thread([this, interval = *timeout / 2] { Loop(interval); });
}

Watchdog::~Watchdog() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  stopped_.NotifyAll();
  if (thread_.joinable()) thread_.join();
}

void Watchdog::Loop(std::chrono::microseconds interval) {
  auto next = std::chrono::steady_clock::now();
  for (;;) {
    if (is_alive_()) {
      NotifyServiceManager("WATCHDOG=1");
    } else {
      spdlog::error(
          "the computing thread does not come round; the service manager is not told "
          "that the server is alive");
    }
    next += interval;
    const MutexLock lock(mutex_);
    while (!stopping_ && std::chrono::steady_clock::now() < next) stopped_.WaitUntil(mutex_, next);
    if (stopping_) return;
  }
}

}  // namespace embedding::app
