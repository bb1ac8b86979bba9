#include "app/service_manager.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <string>
#include <thread>

#include "temp_dir.h"

namespace embedding::app {
namespace {

using std::chrono::microseconds;

// The socket of a service manager, in the environment.
class ServiceManagerTest : public ::testing::Test {
 protected:
  ServiceManagerTest() : fd_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    const std::string path = directory_.File("notify");
    std::memcpy(address.sun_path, path.data(), path.size());
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  }
  ~ServiceManagerTest() override {
    ::unsetenv("NOTIFY_SOCKET");
    ::close(fd_);
  }

  std::string Told(int flags = 0) {
    char buffer[256];
    const ssize_t n = ::recv(fd_, buffer, sizeof(buffer), flags);
    return n < 0 ? std::string() : std::string(buffer, static_cast<size_t>(n));
  }

  TempDir directory_;
  int fd_;
};

TEST_F(ServiceManagerTest, IsToldWhatItIsToBeTold) {
  NotifyServiceManager("READY=1\nSTATUS=Serving");
  EXPECT_EQ(Told(), "READY=1\nSTATUS=Serving");
}

TEST_F(ServiceManagerTest, OneThatDoesNotReadKeepsNobodyWaiting) {
  const int sender = ::socket(AF_UNIX, SOCK_DGRAM, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  const std::string path = std::getenv("NOTIFY_SOCKET");
  std::memcpy(address.sun_path, path.data(), path.size());
  const auto* const to = reinterpret_cast<const sockaddr*>(&address);
  while (::sendto(sender, "x", 1, MSG_DONTWAIT, to, sizeof(address)) == 1) {  // until it is full
  }
  NotifyServiceManager("STOPPING=1");
  ::close(sender);
}

TEST_F(ServiceManagerTest, IsToldOfLifeAgainAndAgain) {
  const Watchdog watchdog(microseconds(200), [] { return true; });
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Told(), "WATCHDOG=1");
}

TEST_F(ServiceManagerTest, IsNotToldOfLifeWhereThereIsNone) {
  std::atomic<int> asked = 0;
  {
    const Watchdog watchdog(microseconds(200), [&] {
      ++asked;
      return false;
    });
    while (asked < 5) std::this_thread::yield();
  }
  EXPECT_EQ(Told(MSG_DONTWAIT), "");
}

TEST_F(ServiceManagerTest, NobodyIsAskedWithoutATimeout) {
  {
    const Watchdog watchdog(std::nullopt, [] { return true; });
  }
  EXPECT_EQ(Told(MSG_DONTWAIT), "");
}

TEST(WatchdogTimeoutTest, IsThisProcesssOwn) {
  ::setenv("WATCHDOG_USEC", "3000000", 1);
  EXPECT_EQ(WatchdogTimeout(), microseconds(3'000'000));
  ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  EXPECT_EQ(WatchdogTimeout(), microseconds(3'000'000));
  ::setenv("WATCHDOG_PID", "1", 1);
  EXPECT_EQ(WatchdogTimeout(), std::nullopt);
  ::unsetenv("WATCHDOG_PID");
  for (const char* nonsense : {"", "0", "-1", "soon"}) {
    ::setenv("WATCHDOG_USEC", nonsense, 1);
    EXPECT_EQ(WatchdogTimeout(), std::nullopt) << nonsense;
  }
  ::unsetenv("WATCHDOG_USEC");
  EXPECT_EQ(WatchdogTimeout(), std::nullopt);
}

}  // namespace
}  // namespace embedding::app
