// Requests over a real socket, one after another, and clients that leave.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <thread>
#include <vector>

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

// Whatever became of a request, once, with what is known of it.
TEST_F(ServerTest, TellsTheApplicationOfEveryAnswer) {
  std::vector<Answered> told;  // the I/O thread's until the server has finished
  answered_hook_ = [&told](const Answered& answered) { told.push_back(answered); };
  Start({.payload_limit_bytes = 10});
  const std::string trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  Client client(port_);
  client.Send(
      Get("/a?b", "x-request-id: first\r\ntraceparent: 00-" + trace + "-00f067aa0ba902b7-01\r\n") +
      Post("123456789"));
  (void)client.ReadUntil("</echo:123456789>");
  client.Send(Post("12345678901"));
  (void)client.ReadAll();
  Client no_http(port_);
  no_http.Send("\x16\x03");
  (void)no_http.ReadAll();
  ASSERT_TRUE(Finish().ok());
  ASSERT_EQ(told.size(), 4U);
  EXPECT_EQ(told[0].method, "GET");
  EXPECT_EQ(told[0].target, "/a?b");
  EXPECT_EQ(told[0].request_id, "first");
  EXPECT_EQ(told[0].trace_id, trace);
  EXPECT_EQ(told[0].status, 200);
  EXPECT_EQ(told[0].bytes_in, 0U);
  EXPECT_EQ(told[0].bytes_out, std::string_view("</a?b:>").size());
  EXPECT_EQ(told[1].method, "POST");
  EXPECT_EQ(told[1].bytes_in, 9U);
  EXPECT_EQ(told[1].trace_id, "");
  EXPECT_EQ(told[2].status, 413);
  EXPECT_EQ(told[2].target, "/echo");
  EXPECT_EQ(told[3].status, 400);
  EXPECT_EQ(told[3].method, "");
  for (const Answered& answered : told) {
    EXPECT_EQ(answered.client.address, "127.0.0.1");
    EXPECT_EQ(answered.request_id.empty(), false);
    EXPECT_GT(answered.total.count(), 0);
  }
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
