// What the service makes of who asks: keys, open routes, limits, turns, and the account of it all.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "api/routes.h"
#include "api/service_fixture.h"

namespace embedding::api {
namespace {

const std::function<void(const std::function<void()>&)> kAtOnce =
    [](const std::function<void()>& task) { task(); };

class ClientsTest : public ServiceTest {
 protected:
  static Request Of(const std::string& method, const std::string& target, const std::string& key,
                    const std::string& body = R"({"texts":["ab","c"]})") {
    Request request{method, target, body, "id-1"};
    request.api_key = key;
    request.client.address = "192.0.2.1";
    return request;
  }
  static Response Embed(const Service& asked, const std::string& key) {
    return Ask(asked, Of("POST", "/embed", key));
  }
  static ServiceOptions WithKeys() {
    return {.model_name = "org/fake",
            .api_keys = {http::MakeApiKey("alice", "a"), http::MakeApiKey("bob", "b")}};
  }
};

TEST_F(ClientsTest, WhichRoutesAreOpenIsAChoice) {
  const auto status = [&](const std::vector<std::string>& open, const std::string& method,
                          const std::string& target) {
    ServiceOptions options = WithKeys();
    options.open_routes = open;
    Service chosen(options, kAtOnce);
    chosen.Start({&embedder});
    return Ask(chosen, Of(method, target, "")).status;
  };
  EXPECT_EQ(status({}, "GET", "/metrics"), 200);
  EXPECT_EQ(status({}, "GET", "/health"), 200);
  EXPECT_EQ(status({}, "GET", "/docs"), 200);
  EXPECT_EQ(status({}, "GET", "/info"), 401);
  for (const char* path : {"/", "/health", "/livez", "/metrics", "/docs", "/openapi.json"}) {
    EXPECT_EQ(status({"none"}, "GET", path), 401) << path;
  }
  EXPECT_EQ(status({"health"}, "GET", "/"), 200);
  EXPECT_EQ(status({"health"}, "GET", "/readyz"), 200);
  EXPECT_EQ(status({"health"}, "GET", "/metrics"), 401);
  EXPECT_EQ(status({"health"}, "POST", "/"), 401);
  EXPECT_EQ(status({"docs", "/info"}, "GET", "/openapi.json"), 200);
  EXPECT_EQ(status({"docs", "/info"}, "GET", "/info"), 200);
  EXPECT_EQ(status({"docs", "/info"}, "POST", "/embed"), 401);
  EXPECT_EQ(status({"/embed"}, "POST", "/embed"), 200);
}

TEST_F(ClientsTest, EveryRouteCanBeOpenedByItsName) {
  const std::vector<std::string> names = OpenRouteNames();
  EXPECT_EQ(std::set(names.begin(), names.end()).size(), names.size());
  for (const RouteRow& row : Routes()) {
    EXPECT_TRUE(IsOpen(row, {std::string(row.path)}));
    EXPECT_FALSE(IsOpen(row, {"none"}));
    EXPECT_EQ(IsOpen(row, {"health", "metrics", "docs"}), IsOpen(row, {})) << row.path;
  }
}

TEST_F(ClientsTest, LimitsAreEachKeysAndEachAddresses) {
  Service limited({.model_name = "org/fake",
                   .api_keys = {http::MakeApiKey("alice", "a"), http::MakeApiKey("bob", "b")},
                   .open_routes = {"/embed", "health"},
                   .rate_limits = {.each = {.requests = 1}, .burst_seconds = 100}},
                  kAtOnce);
  limited.Start({&embedder});
  const auto let_through = [&](Request (*request)()) {
    int count = 0;
    while (count < 500) {
      const Response response = Ask(limited, request());
      EXPECT_EQ(HeaderOf(response, "RateLimit-Limit"), "100");
      if (response.status == 429) {
        ExpectError(response, 429, "Overloaded", "rate limit of requests");
        EXPECT_GT(std::stoi(HeaderOf(response, "Retry-After")), 0);
        EXPECT_EQ(HeaderOf(response, "RateLimit-Remaining"), "0");
        return count;
      }
      EXPECT_EQ(response.status, 200);
      ++count;
    }
    return count;
  };
  // 100, and one for each second that the test takes.
  EXPECT_NEAR(let_through([] { return Of("POST", "/embed", "a"); }), 105, 5);
  EXPECT_NEAR(let_through([] { return Of("POST", "/embed", "b"); }), 105, 5);
  EXPECT_NEAR(let_through([] { return Of("POST", "/embed", ""); }), 105, 5);
  EXPECT_NEAR(let_through([] {
                Request request = Of("POST", "/embed", "wrong");
                request.client.address = "192.0.2.2";
                return request;
              }),
              105, 5);
  // Neither do probes count, nor are they refused; nor does who is refused for the key.
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(HeaderOf(Ask(limited, Of("GET", "/health", "a")), "RateLimit-Limit"), "");
    EXPECT_EQ(Ask(limited, Of("GET", "/info", "wrong")).status, 401);
  }
  limited.Replace({http::MakeApiKey("carol", "c")}, {});
  EXPECT_EQ(Embed(limited, "c").status, 200);
  EXPECT_EQ(HeaderOf(Embed(limited, "c"), "RateLimit-Limit"), "");
}

// Each dialect has its own shape for it, and OpenAI's clients read the code.
TEST_F(ClientsTest, BeyondTheLimitIsToldInTheRoutesDialect) {
  Service limited(
      {.model_name = "org/fake", .rate_limits = {.each = {.tokens = 1}, .burst_seconds = 1}},
      kAtOnce);
  limited.Start({&embedder});
  EXPECT_EQ(HeaderOf(Embed(limited, ""), "RateLimit-Remaining"), "0");  // 7 tokens of 1
  const Response openai = Ask(limited, Of("POST", "/v1/embeddings", "", R"({"input":"a"})"));
  EXPECT_EQ(openai.status, 429);
  const auto error = nlohmann::json::parse(openai.body).at("error");
  EXPECT_EQ(error.at("type"), "rate_limit_error");
  EXPECT_EQ(error.at("code"), "rate_limit_exceeded");
  EXPECT_GE(std::stoi(HeaderOf(openai, "Retry-After")), 5);
  const Response cohere = Ask(limited, Of("POST", "/v1/rerank", "", "{}"));
  EXPECT_NE(nlohmann::json::parse(cohere.body).at("message"), "");
}

TEST_F(ClientsTest, WhomItIsForReachesTheEngineAndTheAccount) {
  Service keyed(WithKeys(), kAtOnce);
  keyed.Start({&embedder});
  const Response native = Embed(keyed, "a");
  EXPECT_EQ(native.client.key_name, "alice");
  EXPECT_EQ(native.cost.texts, 2U);
  EXPECT_EQ(native.cost.tokens, 7U);
  EXPECT_EQ(embedder.requests.back().client, "key:alice");
  const Response rerank =
      Ask(keyed, Of("POST", "/rerank", "b", R"({"query":"q","texts":["ab","c"]})"));
  EXPECT_EQ(rerank.cost.texts, 2U);
  EXPECT_EQ(embedder.requests.back().client, "key:bob");
  const Response vertex =
      Ask(keyed, Of("POST", "/vertex", "b", R"({"instances":[{"inputs":"ab"},{"inputs":"c"}]})"));
  EXPECT_EQ(vertex.cost.texts, 2U);
  EXPECT_EQ(vertex.cost.tokens, 7U);
  EXPECT_EQ(embedder.requests.back().client, "key:bob");
  EXPECT_EQ(Embed(keyed, "c").status, 401);
  const std::string text = Ask(keyed, Of("GET", "/metrics", "")).body;
  EXPECT_NE(text.find("embedding_tokens_total{key=\"alice\"} 7\n"), std::string::npos) << text;
  EXPECT_NE(text.find("embedding_texts_total{key=\"bob\"} 4\n"), std::string::npos);
}

TEST_F(ClientsTest, TheAddressIsAProxysWordIfItIsTrusted) {
  http::TrustedProxies proxies;
  ASSERT_TRUE(proxies.Add("192.0.2.0/24"));
  Service behind({.model_name = "org/fake", .trusted_proxies = proxies}, kAtOnce);
  behind.Start({&embedder});
  Request request = Of("POST", "/embed", "");
  request.forwarded_for = "198.51.100.7";
  EXPECT_EQ(Ask(behind, std::move(request)).client.address, "198.51.100.7");
  EXPECT_EQ(embedder.requests.back().client, "198.51.100.7");
}

}  // namespace
}  // namespace embedding::api
