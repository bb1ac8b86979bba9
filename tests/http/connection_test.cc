// Requests over a real socket, one after another, and clients that leave.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <thread>

#include "http/client.h"
#include "http/server_fixture.h"

namespace embedding::http {
namespace {

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

}  // namespace
}  // namespace embedding::http
