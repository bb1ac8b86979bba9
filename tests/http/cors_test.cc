// Which origins there are, and what their pages are told.
#include "http/cors.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace embedding::http {
namespace {

TEST(Cors, KnowsWhatBrowsersSendAsAnOrigin) {
  for (const char* origin :
       {"*", "null", "https://example.com", "http://localhost:3000", "https://a.b-c.example:8443",
        "http://127.0.0.1:5173", "http://[::1]:3000", "http://[::1]", "tauri://localhost",
        "chrome-extension://abcdefghijklmnop", "https://my_app.example"}) {
    EXPECT_TRUE(IsOrigin(origin)) << origin;
  }
  for (const char* origin : {"",
                             "example.com",
                             "https://",
                             "://example.com",
                             "https://example.com/",
                             "https://example.com/app",
                             "https://Example.com",
                             "HTTPS://example.com",
                             "https://*.example.com",
                             "https://example.com:443",
                             "http://example.com:80",
                             "https://example.com:",
                             "https://example.com:0",
                             "https://example.com:65536",
                             "https://example.com:8o",
                             "https://user@example.com",
                             "https://[::1",
                             "https://a b",
                             "**",
                             "https://a.example,https://b.example",
                             "https://example.com?x",
                             "1a://b"}) {
    EXPECT_FALSE(IsOrigin(origin)) << origin;
  }
}

Response Ask(const Handler& handler, Request request) {
  Response answer;
  handler(std::move(request), [&](Response response) { answer = std::move(response); });
  return answer;
}

std::string HeaderOf(const Response& response, const std::string& name) {
  for (const Header& header : response.headers) {
    if (header.name == name) return header.value;
  }
  return "";
}

Request From(const std::string& origin, const std::string& method = "POST") {
  Request request{method, "/a", "", "id"};
  request.origin = origin;
  return request;
}

TEST(Cors, PagesOfItsOriginsAloneMayReadAnswers) {
  const Handler handler = Cors({"https://a", "https://b"})(
      [](Request, Responder responder) { responder.Answer({.status = 500}); });
  EXPECT_EQ(HeaderOf(Ask(handler, From("https://b")), "Access-Control-Allow-Origin"), "https://b");
  for (const char* other : {"https://c", "https://a.example", "null", ""}) {
    const Response answer = Ask(handler, From(other));
    EXPECT_EQ(HeaderOf(answer, "Access-Control-Allow-Origin"), "") << other;
    EXPECT_EQ(HeaderOf(answer, "Vary"), "Origin") << other;
  }
  const Handler for_all = Cors({"*"})(handler);
  EXPECT_EQ(HeaderOf(Ask(for_all, From("https://c")), "Access-Control-Allow-Origin"), "*");
}

TEST(Cors, WithoutOriginsNothingIsAdded) {
  const Handler handler = Cors({})([](Request, Responder responder) { responder.Answer({}); });
  EXPECT_TRUE(Ask(handler, From("https://a")).headers.empty());
}

TEST(Cors, APreflightIsToldWhatThePathTakes) {
  const Handler handler = Cors({"*"})([](Request, Responder responder) {
    responder.Answer({.status = 204, .headers = {{"Allow", "GET, HEAD, OPTIONS"}}});
  });
  Request preflight = From("https://a", "OPTIONS");
  preflight.requested_method = "GET";
  preflight.requested_headers = "x-own";
  const Response answer = Ask(handler, std::move(preflight));
  EXPECT_EQ(HeaderOf(answer, "Access-Control-Allow-Methods"), "GET, HEAD");
  EXPECT_NE(HeaderOf(answer, "Access-Control-Allow-Headers").find("x-own"), std::string::npos);
  EXPECT_EQ(HeaderOf(Ask(handler, From("https://a", "OPTIONS")), "Access-Control-Allow-Methods"),
            "");
  // A header's name that is none is not echoed.
  Request odd = From("https://a", "OPTIONS");
  odd.requested_method = "GET";
  odd.requested_headers = "x\r\ny";
  EXPECT_EQ(HeaderOf(Ask(handler, std::move(odd)), "Access-Control-Allow-Headers").find('\r'),
            std::string::npos);
}

}  // namespace
}  // namespace embedding::http
