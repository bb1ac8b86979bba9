// Where the server listens, how many it takes, and how it stops.
#include "http/server.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <thread>

#include "http/client.h"
#include "http/server_fixture.h"

namespace embedding::http {
namespace {

TEST_F(ServerTest, StopAnswersWhatIsInHandAndClosesTheRest) {
  Start();
  Client idle(port_);
  Client busy(port_);
  Client late(port_);
  idle.Send(Get("/a"));
  idle.ReadUntil("</a:>");
  busy.Send(Get("/held"));
  WaitForHeld(1);
  late.Send("GET /late HT");  // a request that has begun, but is not in hand
  server_->Stop();
  EXPECT_EQ(idle.ReadAll(), "");  // closed

  late.Send("TP/1.1\r\nHost: h\r\n\r\n");
  const std::string refused = late.ReadAll();
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 503 ")) << refused;
  EXPECT_NE(refused.find("Connection: close\r\n"), std::string::npos) << refused;
  EXPECT_NE(refused.find("Retry-After: "), std::string::npos) << refused;

  Release();
  const std::string answered = busy.ReadAll();
  EXPECT_TRUE(answered.starts_with("HTTP/1.1 200 OK\r\n")) << answered;
  EXPECT_NE(answered.find("Connection: close\r\n"), std::string::npos) << answered;
  EXPECT_TRUE(answered.ends_with("</held:>")) << answered;
  busy.Close();
  late.Close();
  thread_.join();
  EXPECT_TRUE(status_.ok()) << status_.error().message;
}

TEST(ServerStop, TellsThoseWhoAreConnectedAndNotYetAccepted) {
  auto server = Server::Listen({.port = 0}, {.handler = [](const auto&, const auto&) {}});
  ASSERT_TRUE(server.ok()) << server.error().message;
  Client asking(PortOf(**server));
  Client silent(PortOf(**server));
  asking.Send(Get("/a"));
  (*server)->Stop();
  Status status;
  std::thread thread([&] { status = (*server)->Run(); });
  const std::string refused = asking.ReadAll();
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 503 ")) << refused;
  EXPECT_EQ(silent.ReadAll(), "");
  asking.Close();
  thread.join();
  EXPECT_TRUE(status.ok()) << status.error().message;
}

TEST_F(ServerTest, StopWaitsNoLongerThanItsTimeout) {
  Start({.shutdown_timeout = std::chrono::seconds(0)});
  Client busy(port_);
  busy.Send(Get("/held"));
  WaitForHeld(1);
  const Status status = Finish();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kTimeout);
  Release();  // an answer that comes too late is dropped
}

TEST_F(ServerTest, ASignalStopsIt) {
  Start();
  ::kill(::getpid(), SIGTERM);
  thread_.join();
  EXPECT_TRUE(status_.ok());
}

TEST_F(ServerTest, RefusesConnectionsOverTheLimitAndTakesThemAgainLater) {
  Start({.max_connections = 2});
  auto first = std::make_unique<Client>(port_);
  first->Send(Get("/a"));
  first->ReadUntil("</a:>");
  Client second(port_);
  second.Send(Get("/a"));
  second.ReadUntil("</a:>");

  Client third(port_);
  third.Send(Get("/a"));
  const std::string refused = third.ReadAll();
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 503 ")) << refused;
  EXPECT_NE(refused.find("Retry-After: "), std::string::npos);
  EXPECT_NE(refused.find("x-request-id: "), std::string::npos);

  first.reset();
  std::string response;
  while (!response.ends_with("</a:>")) {  // until the server has noticed that there is room
    Client fourth(port_);
    fourth.Send(Get("/a"));
    response = fourth.ReadUntil("</a:>");
  }
}

TEST_F(ServerTest, AnAddressInUseIsAnErrorThatNamesIt) {
  Start();
  const auto second = Server::Listen({.port = port_}, {});
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::kAddressInUse);
  EXPECT_NE(second.error().message.find(std::to_string(port_)), std::string::npos);
}

// Node.js connects to ::1 first where a name is localhost, and others to 127.0.0.1.
TEST_F(ServerTest, LocalhostIsBothLoopbacks) {
  Start();
  EXPECT_TRUE(server_->is_local());
  for (const int family : {AF_INET, AF_INET6}) {
    if (family == AF_INET6 && !HasIpv6()) continue;
    Client client(port_, family);
    client.Send(Get("/a"));
    EXPECT_NE(client.ReadUntil("</a:>").find("200 OK"), std::string::npos) << family;
  }
  EXPECT_TRUE(Finish().ok());
}

TEST_F(ServerTest, APortThatIsTakenOnOneLoopbackIsAnError) {
  for (const std::string taken : {"127.0.0.1", "::1"}) {
    if (taken == "::1" && !HasIpv6()) continue;
    const auto first = Server::Listen({.host = taken, .port = 0}, {});
    ASSERT_TRUE(first.ok()) << first.error().message;
    const std::string url = (*first)->url();
    const auto port = static_cast<uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
    const auto second = Server::Listen({.port = port}, {});
    ASSERT_FALSE(second.ok()) << taken;
    EXPECT_EQ(second.error().code, ErrorCode::kAddressInUse);
    EXPECT_NE(second.error().message.find(url.substr(std::string("http://").size())),
              std::string::npos)
        << second.error().message;
    // That address alone is free all the same.
    if (!HasIpv6()) continue;
    const std::string other = taken == "::1" ? "127.0.0.1" : "::1";
    EXPECT_TRUE(Server::Listen({.host = other, .port = port}, {}).ok());
  }
}

TEST(ServerListenTest, KnowsWhetherOthersCanReachIt) {
  for (const std::string host : {"localhost", "127.0.0.1", "127.0.0.2"}) {
    EXPECT_TRUE((*Server::Listen({.host = host, .port = 0}, {}))->is_local()) << host;
  }
  EXPECT_FALSE((*Server::Listen({.host = "0.0.0.0", .port = 0}, {}))->is_local());
}

TEST(ServerListenTest, AHostThatIsNotOursIsAnErrorThatNamesIt) {
  for (const std::string host : {"192.0.2.1", "no such host"}) {
    const auto server = Server::Listen({.host = host, .port = 0}, {});
    ASSERT_FALSE(server.ok()) << host;
    EXPECT_EQ(server.error().code, ErrorCode::kAddressInUse);
    EXPECT_NE(server.error().message.find(host), std::string::npos);
  }
}

}  // namespace
}  // namespace embedding::http
