// The server over real sockets, with a handler that the tests control.
#include "serve/server.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "serve/client.h"

namespace embedding::serve {
namespace {

std::string Get(const std::string& target, const std::string& more_headers = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: h\r\n" + more_headers + "\r\n";
}

std::string Post(const std::string& body) {
  return "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

constexpr std::chrono::milliseconds kSoon{50};
constexpr size_t kMoreThanSocketsHold = 32 << 20;

// Answers each request with "<target:body>"; those of /held wait until the test releases them.
class ServerTest : public ::testing::Test {
 protected:
  ~ServerTest() override {
    if (thread_.joinable()) (void)Finish();
  }

  void Start(ServerOptions options = {}) {
    options.port = 0;
    const auto handle = [this](const api::Request& request, const api::Respond& respond) {
      auto answer = [respond, body = '<' + request.target + ':' + request.body + '>'] {
        respond({.body = body});
      };
      if (request.target != "/held") {
        answer();
        answered_ = true;
        return;
      }
      MutexLock lock(mutex_);
      cancelled_ = request.cancelled;
      held_.push_back(std::move(answer));
      changed_.NotifyAll();
    };
    auto server = Server::Listen(options, {.handle = handle});
    ASSERT_TRUE(server.ok()) << server.error().message;
    server_ = *std::move(server);
    port_ = PortOf(*server_);
    thread_ = std::thread([this] { status_ = server_->Run(); });
  }

  void WaitForHeld(size_t count) {
    MutexLock lock(mutex_);
    while (held_.size() < count) changed_.Wait(mutex_);
  }

  void Release() {
    std::vector<std::function<void()>> answers;
    {
      MutexLock lock(mutex_);
      answers.swap(held_);
    }
    for (const auto& answer : answers) answer();
  }

  // Lets them go without an answer.
  void Drop() {
    std::vector<std::function<void()>> answers;
    MutexLock lock(mutex_);
    answers.swap(held_);
  }

  // Of the last request that was held: whether its client has gone.
  std::shared_ptr<const std::atomic<bool>> cancelled() {
    MutexLock lock(mutex_);
    return cancelled_;
  }
  bool answered() const { return answered_; }

  // Stops the server and gives what Run gave.
  Status Finish() {
    server_->Stop();
    thread_.join();
    return status_;
  }

  std::unique_ptr<Server> server_;
  uint16_t port_ = 0;
  std::thread thread_;
  Status status_;

 private:
  Mutex mutex_;
  CondVar changed_;
  std::vector<std::function<void()>> held_ GUARDED_BY(mutex_);
  std::shared_ptr<const std::atomic<bool>> cancelled_ GUARDED_BY(mutex_);
  std::atomic<bool> answered_ = false;
};

TEST_F(ServerTest, KeepsTheConnectionBetweenRequests) {
  Start();
  Client client(port_);
  for (const std::string body : {"one", "", "three"}) {
    client.Send(Post(body));
    const std::string end = "</echo:" + body + '>';
    const std::string response = client.ReadUntil(end);
    EXPECT_TRUE(response.starts_with("HTTP/1.1 200 OK\r\nDate: ")) << response;
    EXPECT_TRUE(response.ends_with(end)) << response;
  }
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
  Start();
  Client client(port_);
  std::thread releaser([this] {
    WaitForHeld(1);
    Release();
  });
  client.Send(Get("/held") + Post("second") + Get("/third"));
  const std::string responses = client.ReadUntil("</third:>");
  releaser.join();
  const size_t first = responses.find("</held:>");
  const size_t second = responses.find("</echo:second>");
  EXPECT_LT(first, second) << responses;
  EXPECT_NE(second, std::string::npos) << responses;
  EXPECT_TRUE(responses.ends_with("</third:>")) << responses;
}

TEST_F(ServerTest, EchoesAFitRequestIdAndMakesOneOtherwise) {
  Start();
  Client client(port_);
  client.Send(Get("/a", "X-Request-ID: my id 7\r\n"));
  EXPECT_NE(client.ReadUntil("</a:>").find("x-request-id: my id 7\r\n"), std::string::npos);
  const std::string too_long(129, 'x');
  for (const std::string& unfit : {too_long, std::string("caf\xC3\xA9")}) {
    client.Send(Get("/a", "x-request-id: " + unfit + "\r\n"));
    const std::string response = client.ReadUntil("</a:>");
    EXPECT_EQ(response.find(unfit), std::string::npos);
    const size_t id = response.find("x-request-id: ");
    ASSERT_NE(id, std::string::npos);
    EXPECT_EQ(response.find("\r\n", id) - id, std::string_view("x-request-id: ").size() + 32);
  }
}

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
  auto server = Server::Listen({.port = 0}, {.handle = [](const auto&, const auto&) {}});
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

TEST_F(ServerTest, AClientThatLeavesWhileItsRequestWaitsIsForgotten) {
  Start();
  {
    Client client(port_);
    client.Send(Get("/held"));
    WaitForHeld(1);
  }
  Release();
  Client next(port_);
  next.Send(Get("/a"));
  EXPECT_TRUE(next.ReadUntil("</a:>").ends_with("</a:>"));
  next.Close();
  EXPECT_TRUE(Finish().ok());
}

TEST_F(ServerTest, ARequestIsCancelledWhenItsClientLeaves) {
  Start();
  {
    Client client(port_);
    client.Send(Get("/held"));
    WaitForHeld(1);
    EXPECT_FALSE(*cancelled());
  }
  while (!*cancelled()) std::this_thread::yield();
  Release();
}

TEST_F(ServerTest, ARequestIsNotCancelledByTheNextOne) {
  Start();
  Client client(port_);
  client.Send(Get("/held"));
  WaitForHeld(1);
  client.Send(Get("/a"));
  Client other(port_);  // the server has seen what was sent before
  other.Send(Get("/b"));
  other.ReadUntil("</b:>");
  EXPECT_FALSE(*cancelled());
  Release();
  EXPECT_TRUE(client.ReadUntil("</a:>").ends_with("</a:>"));
}

TEST_F(ServerTest, AHeaderThatNeverEndsIsTimedOut) {
  Start({.timeouts = {.header = kSoon}});
  Client client(port_);
  client.Send("GET /a HTTP/1.1\r\nX: ");
  const std::string answer = client.ReadAll();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 408 ")) << answer;
  EXPECT_NE(answer.find("too long to arrive"), std::string::npos) << answer;
}

TEST_F(ServerTest, ABodyThatNeverEndsIsTimedOut) {
  Start({.timeouts = {.body = kSoon}});
  Client client(port_);
  client.Send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nfour");
  const std::string answer = client.ReadAll();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 408 ")) << answer;
}

TEST_F(ServerTest, AnIdleConnectionIsClosed) {
  Start({.timeouts = {.idle = kSoon}});
  Client silent(port_);
  EXPECT_EQ(silent.ReadAll(), "");
  Client client(port_);
  client.Send(Get("/a"));
  const std::string answer = client.ReadAll();
  EXPECT_TRUE(answer.ends_with("</a:>")) << answer;
}

TEST_F(ServerTest, AClientThatDoesNotReadItsAnswerIsCutOff) {
  Start({.payload_limit_bytes = kMoreThanSocketsHold, .timeouts = {.write = kSoon}});
  Client client(port_);
  client.Send(Post(std::string(kMoreThanSocketsHold, 'x')));
  // Only a connection that is no longer held up by the write lets the server finish.
  while (!answered()) std::this_thread::yield();
  EXPECT_TRUE(Finish().ok());
  EXPECT_LT(client.ReadAll().size(), kMoreThanSocketsHold);
}

// The limit of a write is time without progress, not time.
TEST_F(ServerTest, ASlowReaderThatIsSteadyGetsAllOfItsAnswer) {
  constexpr std::chrono::milliseconds kWriteTimeout{300};
  Start({.payload_limit_bytes = kMoreThanSocketsHold,
         .bodies_limit_bytes = kMoreThanSocketsHold,
         .timeouts = {.write = kWriteTimeout}});
  Client client(port_);
  client.Send(Post(std::string(kMoreThanSocketsHold, 'x')));
  const auto begun = std::chrono::steady_clock::now();
  size_t received = 0;
  for (size_t n = client.ReadSome(); n > 0; n = client.ReadSome()) {
    received += n;
    // As slow as makes the whole take three timeouts, while each of its parts takes a thousandth:
    // what passes the time is other requests.
    const auto due = begun + 3 * kWriteTimeout * received / kMoreThanSocketsHold;
    while (std::chrono::steady_clock::now() < due) {
      Client other(port_);
      other.Send(Get("/a"));
      other.ReadUntil("</a:>");
    }
    if (received > kMoreThanSocketsHold) break;
  }
  EXPECT_GT(received, kMoreThanSocketsHold);
}

TEST_F(ServerTest, BodiesThatTheBudgetHasNoRoomForAreRefused) {
  Start({.bodies_limit_bytes = 10'000});
  Client client(port_);
  client.Send(Post(std::string(20'000, 'x')));
  const std::string refused = client.ReadAll();
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 503 ")) << refused;
  Client next(port_);
  next.Send(Post("fits"));
  EXPECT_TRUE(next.ReadUntil("</echo:fits>").ends_with("</echo:fits>"));
}

TEST_F(ServerTest, ARequestThatIsDroppedIsAnswered500) {
  Start();
  Client client(port_);
  client.Send(Get("/held"));
  WaitForHeld(1);
  Drop();
  const std::string answer = client.ReadUntil("}");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 500 ")) << answer;
  client.Send(Get("/a"));  // and the connection goes on
  EXPECT_TRUE(client.ReadUntil("</a:>").ends_with("</a:>"));
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
}  // namespace embedding::serve
