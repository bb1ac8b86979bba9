// What systemd is told of the server: that it is ready, that it reads its configuration again, and
// that it is alive (sd_notify(3), whose protocol is a datagram of lines). Nothing
// happens where nothing listens: without NOTIFY_SOCKET.
//
// Thread-safety: all of it.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <thread>

#include "base/mutex.h"

namespace embedding::app {

// "READY=1", "STATUS=loading", several in lines of their own.
void NotifyServiceManager(const std::string& state);

// Within what time the service manager wants to hear again that the process is alive; empty where
// it does not.
std::optional<std::chrono::microseconds> WatchdogTimeout();

// Says that the process is alive, twice within the timeout, as long as it is.
class Watchdog {
 public:
  // `is_alive` is called on a thread of its own. Without a timeout nothing is.
  Watchdog(std::optional<std::chrono::microseconds> timeout, std::function<bool()> is_alive);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

 private:
  void Loop(std::chrono::microseconds interval);

  const std::function<bool()> is_alive_;
  Mutex mutex_;
  CondVar stopped_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace embedding::app
