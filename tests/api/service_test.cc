#include "api/service.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "api/routes.h"
#include "api/service_fixture.h"

namespace embedding::api {
namespace {

TEST_F(ServiceTest, UnknownPathIs404AndShownSafely) {
  ExpectError(Post("/nowhere", "{}"), 404, "Validation", "/nowhere");
  ExpectError(Post("/\xFF\"<\n", "{}"), 404, "Validation", "/?\"<?");
  ExpectError(Post("/embed//", "{}"), 404, "Validation", "/embed/");
  EXPECT_LT(Post("/" + std::string(100'000, 'a'), "").body.size(), 1000U);
}

TEST_F(ServiceTest, WrongMethodIs405WithAllow) {
  for (const char* method : {"GET", "HEAD", "DELETE"}) {
    const Response response = Send(method, "/embed");
    ExpectError(response, 405, "Validation", method);
    EXPECT_EQ(HeaderOf(response, "Allow"), "POST, OPTIONS");
  }
  const Response response = Post("/health", "");
  ExpectError(response, 405, "Validation", "POST");
  EXPECT_EQ(HeaderOf(response, "Allow"), "GET, HEAD, OPTIONS");
}

TEST_F(ServiceTest, HeadIsAnsweredAsGetOnEveryRoute) {
  for (const RouteRow& row : Routes()) {
    if (row.method != "GET" || row.path == "/metrics") continue;  // which counts these requests
    const std::string target =
        std::string(row.path) + (row.path == "/v1/models/" ? "org/fake" : "");
    const Response get = Send("GET", target);
    const Response head = Send("HEAD", target);
    EXPECT_EQ(head.status, 200) << target;
    EXPECT_EQ(head.body, get.body) << target;
    EXPECT_EQ(head.content_type, get.content_type) << target;
  }
}

// A body that tells whether anybody has asked for it.
class FakeBody final : public http::BodySource {
 public:
  void Read(Request request, Responder responder, const http::Handler& next) override {
    is_read = true;
    next(std::move(request), std::move(responder));
  }
  bool is_read = false;
};

TEST_F(ServiceTest, WhatIsRefusedForItsHeaderIsRefusedWithoutItsBody) {
  Service keyed({.model_name = "org/fake", .api_keys = {http::MakeApiKey("of-test", "k")}},
                [](const std::function<void()>& task) { task(); });
  const auto status = [&](const std::string& method, const std::string& target,
                          const std::string& key) {
    Request request{method, target, R"({"texts":["a"]})", "id-1"};
    request.api_key = key;
    const auto body = std::make_shared<FakeBody>();
    request.unread_body = body;
    const Response response = Ask(keyed, std::move(request));
    EXPECT_EQ(body->is_read, response.status == 200) << target;
    return response.status;
  };
  EXPECT_EQ(status("POST", "/embed", ""), 401);
  EXPECT_EQ(status("POST", "/embed", "k"), 503);  // still loading
  keyed.Start({&embedder});
  EXPECT_EQ(status("POST", "/embed", "wrong"), 401);
  EXPECT_EQ(status("POST", "/embed", "k"), 200);
  EXPECT_EQ(status("POST", "/nowhere", "k"), 404);
  EXPECT_EQ(status("PUT", "/embed", "k"), 405);
  EXPECT_EQ(status("GET", "/health", ""), 200);
}

// All routes but those of the model are open, at once and always.
TEST_F(ServiceTest, WhatTheRoutesDemand) {
  const std::set<std::string> open = {"/health",  "/readyz", "/ping",         "/livez",
                                      "/metrics", "/docs",   "/openapi.json", "/api/version"};
  for (const RouteRow& row : Routes()) {
    const bool is_open =
        open.contains(std::string(row.path)) || (row.path == "/" && row.method == "GET");
    EXPECT_EQ(row.policy.access == http::Access::kPublic, is_open) << row.path;
    EXPECT_EQ(row.policy.executor == http::Executor::kIoThread, is_open) << row.path;
    EXPECT_EQ(row.policy.readiness == http::Readiness::kAlways, is_open) << row.path;
    EXPECT_EQ(row.policy.metering == http::Metering::kFree, is_open) << row.path;
  }
}

// A browser asks before it knows a key, and a page may read why it was refused.
TEST_F(ServiceTest, APreflightNeedsNeitherKeyNorModel) {
  const Service keyed({.model_name = "org/fake",
                       .api_keys = {http::MakeApiKey("of-test", "k")},
                       .cors_origins = {"https://a"}},
                      [](const std::function<void()>& task) { task(); });
  Request request{"OPTIONS", "/embed", "", "id-1"};
  request.origin = "https://a";
  request.requested_method = "POST";
  const Response answer = Ask(keyed, std::move(request));
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(HeaderOf(answer, "Access-Control-Allow-Origin"), "https://a");
  EXPECT_EQ(HeaderOf(answer, "Access-Control-Allow-Methods"), "POST");
  EXPECT_EQ(HeaderOf(answer, "Vary"), "Origin");

  Request about{"POST", "/embed", "", "id-1"};
  about.origin = "https://a";
  const http::Refusal refusal{http::StatusCode::kPayloadTooLarge, "too large"};
  EXPECT_EQ(HeaderOf(keyed.Word(refusal, about), "Access-Control-Allow-Origin"), "https://a");
  EXPECT_EQ(HeaderOf(Ask(keyed, std::move(about)), "Access-Control-Allow-Origin"), "https://a");
}

TEST_F(ServiceTest, AnswersTakeTheirMemoryFromTheBudgetUntilTheyAreGone) {
  Service small({.model_name = "org/fake", .answer_limit_bytes = 4000},
                [](const std::function<void()>& task) { task(); });
  small.Start({&embedder});
  const auto tokenize = [&] {
    return Ask(small, {"POST", "/tokenize", R"({"inputs":"some tokens"})", "id-1"});
  };
  std::vector<Response> held;
  while (held.empty() || held.back().status == 200) held.push_back(tokenize());
  EXPECT_GT(held.size(), 1U);
  ExpectError(held.back(), 429, "Overloaded", "answers");
  EXPECT_NE(HeaderOf(held.back(), "Retry-After"), "");
  held.clear();
  EXPECT_EQ(tokenize().status, 200);
  const Response large =
      Ask(small, {"POST", "/tokenize", R"({"inputs":")" + std::string(500, '.') + R"("})", "id-1"});
  ExpectError(large, 422, "Validation", "4000");
}

// Many small values take many times their bytes.
TEST_F(ServiceTest, BodiesTakeWhatReadingThemTakesFromABudget) {
  Service small({.model_name = "org/fake", .reading_limit_bytes = 2500},
                [](const std::function<void()>& task) { task(); });
  small.Start({&embedder});
  const auto embed = [&](
                         int values, const std::function<void()>& while_read = [] {}) {
    std::string body = R"({"texts":["a"],"n":[0)";
    for (int i = 0; i < values; ++i) body += ",0";
    std::optional<Response> answer;
    small.handler()({"POST", "/embed", body + "]}", "id-1"}, [&](Response response) {
      while_read();
      answer.emplace(std::move(response));
    });
    return *std::move(answer);
  };
  EXPECT_EQ(embed(99).status, 200);
  Response refused;
  EXPECT_EQ(embed(60, [&] { refused = embed(60); }).status, 200);
  ExpectError(refused, 503, "Unhealthy", "2500 bytes");
  EXPECT_NE(HeaderOf(refused, "Retry-After"), "");
  // Another try would not help.
  ExpectError(embed(200), 413, "Validation", "--payload-limit");
  EXPECT_EQ(embed(99).status, 200);
  // Brackets take as much, and commas in a text nothing to speak of.
  const auto send = [&](const std::string& body) {
    return Ask(small, {"POST", "/embed", body, "id-2"}).status;
  };
  const std::string deep(150, '[');
  EXPECT_EQ(send(R"({"texts":["a"],"n":)" + deep + std::string(150, ']') + "}"), 413);
}

TEST_F(ServiceTest, QueryStringIsNoPartOfThePath) {
  EXPECT_EQ(Send("GET", "/health?verbose=1").status, 200);
}

TEST_F(ServiceTest, WhileTheModelLoadsOnlyLivezIsFine) {
  Service loading({.model_name = "org/fake", .max_client_batch_size = 3},
                  [](const std::function<void()>& task) { task(); });
  const auto get = [&loading](const std::string& method, const std::string& target) {
    return Ask(loading, {method, target, R"({"texts":["a"]})", "id-1"});
  };
  for (const char* path : {"/embed", "/tokenize"}) {
    ExpectError(get("POST", path), 503, "Unhealthy", "org/fake");
    EXPECT_NE(HeaderOf(get("POST", path), "Retry-After"), "");
  }
  for (const char* path : {"/health", "/readyz"}) {
    const Response response = get("GET", path);
    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(nlohmann::json::parse(response.body),
              (nlohmann::json{{"status", "loading"}, {"model", "org/fake"}}));
    EXPECT_NE(HeaderOf(response, "Retry-After"), "");
  }
  EXPECT_EQ(get("GET", "/livez").status, 200);
  EXPECT_EQ(get("GET", "/nowhere").status, 404);

  loading.Start({&embedder});
  EXPECT_EQ(get("POST", "/embed").status, 200);
}

TEST_F(ServiceTest, HealthTellsTheModel) {
  const nlohmann::json expected = {
      {"status", "healthy"}, {"model", "org/fake"}, {"device", "cpu"}, {"dimension", 4}};
  for (const char* path : {"/health", "/readyz"}) {
    const Response response = Send("GET", path);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(nlohmann::json::parse(response.body), expected);
  }
  EXPECT_EQ(Send("GET", "/livez").status, 200);
}

TEST_F(ServiceTest, HealthTellsThatTheEngineFails) {
  embedder.status = Error{ErrorCode::kInternal, "the device is \"gone\"", ""};
  const Response response = Send("GET", "/health");
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(nlohmann::json::parse(response.body).at("status"), "unhealthy");
  EXPECT_EQ(nlohmann::json::parse(response.body).at("error"), "the device is \"gone\"");
  EXPECT_NE(HeaderOf(response, "Retry-After"), "");
  EXPECT_EQ(Send("GET", "/livez").status, 200);
}

struct ErrorCase {
  ErrorCode code;
  int status;
  const char* type;
  bool retry_after;
};

// Every row of the table of errors, by an engine that fails so.
TEST_F(ServiceTest, ErrorsOfTheEngineHaveTheirStatus) {
  const ErrorCase cases[] = {
      {ErrorCode::kMalformed, 400, "Validation", false},
      {ErrorCode::kInvalidArgument, 422, "Validation", false},
      {ErrorCode::kEmpty, 400, "Empty", false},
      {ErrorCode::kTimeout, 408, "Validation", false},
      {ErrorCode::kUnsupported, 424, "Backend", false},
      {ErrorCode::kOverloaded, 429, "Overloaded", true},
      {ErrorCode::kUnavailable, 503, "Unhealthy", true},
  };
  for (const ErrorCase& c : cases) {
    embedder.failure = Error{c.code, "because", ""};
    const Response response = Post("/embed", R"({"texts":["a"]})");
    ExpectError(response, c.status, c.type, "because");
    EXPECT_EQ(HeaderOf(response, "Retry-After") != "", c.retry_after) << c.status;
  }
}

// And every row of those of refusals.
TEST_F(ServiceTest, RefusalsHaveTheirStatusAndTheirAdvice) {
  using http::StatusCode;
  const std::tuple<StatusCode, const char*, const char*, const char*> cases[] = {
      {StatusCode::kBadRequest, "Validation", "", ""},
      {StatusCode::kUnauthorized, "Validation", "WWW-Authenticate", "Bearer"},
      {StatusCode::kRequestTimeout, "Validation", "", ""},
      {StatusCode::kPayloadTooLarge, "Validation", "", ""},
      {StatusCode::kUnsupportedMediaType, "Validation", "Accept-Encoding", "identity"},
      {StatusCode::kHeaderTooLarge, "Validation", "", ""},
      {StatusCode::kNotImplemented, "Validation", "", ""},
      {StatusCode::kServiceUnavailable, "Unhealthy", "Retry-After", "5"},
  };
  for (const auto& [status, type, header, value] : cases) {
    const Response response = service.Word({status, "because"}, {"POST", "/embed", "", "id-1"});
    ExpectError(response, static_cast<int>(status), type, "because");
    ASSERT_EQ(response.headers.size(), *header == 0 ? 0U : 1U);
    EXPECT_EQ(HeaderOf(response, header), value);
  }
  const Response hidden =
      service.Word({StatusCode::kInternalServerError, "/secret"}, {"POST", "/embed", "", "id-1"});
  ExpectError(hidden, 500, "Backend", "id-1");
  EXPECT_EQ(hidden.body.find("/secret"), std::string::npos);
  const Response no_key =
      service.Word({StatusCode::kUnauthorized, "no"}, {"POST", "/v1/embeddings", "", "id-1"});
  EXPECT_EQ(nlohmann::json::parse(no_key.body).at("error").at("code"), "invalid_api_key");
}

// A full queue, in each dialect's shape.
TEST_F(ServiceTest, OverloadIsTold) {
  embedder.failure = Error{ErrorCode::kOverloaded, "the queue is full", ""};
  for (const auto& [path, body, pointer] :
       {std::tuple{"/embed", R"({"texts":["a"]})", "/error"},
        {"/embed", R"({"inputs":["a"]})", "/error"},
        {"/rerank", R"({"query":"a","texts":["a"]})", "/error"},
        {"/vertex", R"({"instances":[{"inputs":"a"}]})", "/error"},
        {"/v1/embeddings", R"({"input":["a"]})", "/error/message"},
        {"/embeddings", R"({"input":["a"]})", "/error/message"},
        {"/v1/rerank", R"({"query":"a","documents":["a"]})", "/message"},
        {"/rerank", R"({"query":"a","documents":["a"]})", "/message"},
        {"/api/embed", R"({"input":["a"]})", "/error"}}) {
    const Response response = Post(path, body);
    EXPECT_EQ(response.status, 429) << path;
    EXPECT_NE(HeaderOf(response, "Retry-After"), "") << path;
    const auto json = nlohmann::json::parse(response.body);
    EXPECT_EQ(json.at(nlohmann::json::json_pointer(pointer)), "the queue is full") << path;
  }
}

TEST_F(ServiceTest, InternalErrorsNameTheRequestAndKeepTheirSecrets) {
  for (const ErrorCode code : {ErrorCode::kInternal, ErrorCode::kModelLoad, ErrorCode::kDownload}) {
    embedder.failure = Error{code, "/home/someone/model is broken", ""};
    const Response response = Post("/embed", R"({"texts":["a"]})");
    ExpectError(response, 500, "Backend", "id-1");
    EXPECT_EQ(response.body.find("/home"), std::string::npos);
  }
  embedder.failure.reset();
  EXPECT_EQ(Post("/embed", R"({"texts":["a"]})").status, 200);
}

}  // namespace
}  // namespace embedding::api
