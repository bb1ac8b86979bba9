// How long a client may take, on either side of its request.
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>

#include "http/client.h"
#include "http/server_fixture.h"

namespace embedding::http {
namespace {

constexpr std::chrono::milliseconds kSoon{50};
constexpr size_t kMoreThanSocketsHold = 32 << 20;

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

}  // namespace
}  // namespace embedding::http
