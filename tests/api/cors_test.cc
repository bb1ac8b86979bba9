// Which origins there are, and what a preflight is told by a server with keys that still loads.
#include "api/cors.h"

#include <gtest/gtest.h>

#include "api/service_fixture.h"

namespace embedding::api {
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

TEST(Cors, APreflightNeedsNeitherKeyNorModel) {
  const Service service(
      {.model_name = "org/fake", .api_keys = {"k"}, .cors_origins = {"https://a"}},
      [](const std::function<void()>& task) { task(); });
  Request request{"OPTIONS", "/embed", "", "id-1"};
  request.origin = "https://a";
  request.requested_method = "POST";
  std::optional<Response> answer = service.Refuse(request);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 204);
  service.Finish(request.origin, *answer);
  const auto header = [&](const std::string& name) {
    for (const Header& each : answer->headers) {
      if (each.name == name) return each.value;
    }
    return std::string();
  };
  EXPECT_EQ(header("Access-Control-Allow-Origin"), "https://a");
  EXPECT_EQ(header("Access-Control-Allow-Methods"), "POST");
  EXPECT_EQ(header("Vary"), "Origin");
}

}  // namespace
}  // namespace embedding::api
