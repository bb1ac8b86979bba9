// GET /: who gets the console, in which form, and what it may do.
#include "api/console.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "api/accept.h"
#include "api/service_fixture.h"
#include "api/static_files.h"

namespace embedding::api {
namespace {

constexpr char kBrowser[] = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

class ConsoleTest : public ServiceTest {
 protected:
  Response Get(const std::string& accept, const std::string& encoding = "",
               const std::string& if_none_match = "") {
    return GetFrom(service, accept, encoding, if_none_match);
  }
  static Response GetFrom(const Service& asked, const std::string& accept,
                          const std::string& encoding = "", const std::string& if_none_match = "") {
    Request request{"GET", "/", "", "id-1"};
    request.accept = accept;
    request.accept_encoding = encoding;
    request.if_none_match = if_none_match;
    return Ask(asked, std::move(request));
  }
  static bool IsPage(const Response& response) { return response.body == kConsoleHtml; }
};

TEST_F(ConsoleTest, ABrowserGetsThePageAndEverybodyElseTheHealth) {
  EXPECT_TRUE(IsPage(Get(kBrowser)));
  EXPECT_EQ(Get(kBrowser).content_type, "text/html; charset=utf-8");
  for (const char* accept : {"", "*/*", "application/json", "application/json, text/html",
                             "text/html;q=0.5, */*", "text/html;q=0", "text/plain, */*"}) {
    const Response health = Get(accept);
    EXPECT_EQ(health.status, 200) << accept;
    EXPECT_EQ(health.body, Send("GET", "/health").body) << accept;
    EXPECT_EQ(HeaderOf(health, "Vary"), "Accept") << accept;
  }
}

TEST_F(ConsoleTest, ThePageIsThereBeforeTheModels) {
  const Service loading({.model_name = "org/fake"},
                        [](const std::function<void()>& task) { task(); });
  EXPECT_TRUE(IsPage(GetFrom(loading, kBrowser)));
  EXPECT_EQ(GetFrom(loading, "*/*").status, 503);
}

TEST_F(ConsoleTest, ThePageIsOpenAsItsRouteIs) {
  const auto status = [](std::vector<std::string> open) {
    const Service closed({.model_name = "org/fake",
                          .api_keys = {http::MakeApiKey("alice", "a")},
                          .open_routes = std::move(open)},
                         [](const std::function<void()>& task) { task(); });
    return GetFrom(closed, kBrowser).status;
  };
  EXPECT_EQ(status({}), 200);
  EXPECT_EQ(status({"health"}), 200);
  EXPECT_EQ(status({"docs"}), 401);
}

TEST_F(ConsoleTest, ItCanBeTurnedOff) {
  Service without({.model_name = "org/fake", .no_console = true},
                  [](const std::function<void()>& task) { task(); });
  without.Start({&embedder});
  EXPECT_EQ(GetFrom(without, kBrowser).body, Send("GET", "/health").body);
}

TEST_F(ConsoleTest, ThePolicyAllowsItsOwnScriptAndStyleAlone) {
  const std::string policy = HeaderOf(Get(kBrowser), "Content-Security-Policy");
  EXPECT_TRUE(policy.starts_with("default-src 'none'; connect-src 'self'; img-src data:; "))
      << policy;
  EXPECT_NE(policy.find("script-src 'sha256-"), std::string::npos) << policy;
  EXPECT_NE(policy.find("style-src 'sha256-"), std::string::npos) << policy;
  for (const char* closed : {"base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"}) {
    EXPECT_NE(policy.find(closed), std::string::npos) << policy;
  }
  EXPECT_EQ(policy.find("unsafe"), std::string::npos) << policy;
  EXPECT_EQ(HeaderOf(Get(kBrowser), "X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(HeaderOf(Get(kBrowser), "Referrer-Policy"), "no-referrer");
}

TEST_F(ConsoleTest, ItIsCompressedForThoseWhoTakeIt) {
  for (const char* encoding : {"gzip, deflate, br", "gzip", "br;q=1, *;q=0.1", "GZIP;q=0.5"}) {
    const Response response = Get(kBrowser, encoding);
    EXPECT_EQ(HeaderOf(response, "Content-Encoding"), "gzip") << encoding;
    EXPECT_EQ(response.body, kConsoleHtmlGzip);
    EXPECT_EQ(response.body.substr(0, 3), "\x1f\x8b\x08");
    EXPECT_EQ(HeaderOf(response, "Vary"), "Accept, Accept-Encoding");
  }
  for (const char* encoding : {"", "br", "identity", "gzip;q=0, *", "*;q=0"}) {
    EXPECT_TRUE(IsPage(Get(kBrowser, encoding))) << encoding;
  }
  EXPECT_LT(kConsoleHtmlGzip.size(), 60'000);
}

TEST_F(ConsoleTest, WhoHasThePageIsNotSentItAgain) {
  const std::string tag = HeaderOf(Get(kBrowser), "ETag");
  const std::string other = HeaderOf(Get(kBrowser, "gzip"), "ETag");
  EXPECT_NE(tag, other);
  EXPECT_EQ(HeaderOf(Get(kBrowser), "Cache-Control"), "no-cache");
  for (const std::string& known : {tag, "W/" + tag, "\"a\", " + tag, std::string("*")}) {
    const Response response = Get(kBrowser, "", known);
    EXPECT_EQ(response.status, 304) << known;
    EXPECT_EQ(response.body, "");
    EXPECT_EQ(HeaderOf(response, "ETag"), tag);
  }
  EXPECT_TRUE(IsPage(Get(kBrowser, "", other)));
}

}  // namespace
}  // namespace embedding::api
