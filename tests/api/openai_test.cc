#include <gtest/gtest.h>

#include <string>

#include "api/service_fixture.h"

namespace embedding::api {
namespace {

using nlohmann::json;

class OpenAiTest : public ServiceTest {
 protected:
  Response Embed(std::string body) { return Post("/v1/embeddings", std::move(body)); }

  static json ErrorOf(const Response& response, int status) {
    EXPECT_EQ(response.status, status) << response.body;
    return json::parse(response.body).at("error");
  }
};

TEST_F(OpenAiTest, AnswersAListInTheOrderOfTheInput) {
  EXPECT_EQ(json::parse(Embed(R"({"model":"org/fake","input":["a","bb"]})").body), json::parse(R"({
    "object": "list", "model": "org/fake", "usage": {"prompt_tokens": 7, "total_tokens": 7},
    "data": [{"object": "embedding", "index": 0, "embedding": [1, 0.5, -1.25, 1e-7]},
             {"object": "embedding", "index": 1, "embedding": [2, 0.5, -1.25, 1e-7]}]})"));
}

TEST_F(OpenAiTest, Base64IsOfLittleEndianFloats) {
  const json body =
      json::parse(Embed(R"({"model":"org/fake","input":"a","encoding_format":"base64"})").body);
  EXPECT_EQ(body.at("data").at(0).at("embedding"), "AACAPwAAAD8AAKC/lb/WMw==");
}

TEST_F(OpenAiTest, TakesTokenIds) {
  Embed(R"({"model":"org/fake","input":[[5,6],[7]]})");
  EXPECT_EQ(embedder.requests.at(0).input_ids, (std::vector<std::vector<int32_t>>{{5, 6}, {7}}));
  Embed(R"({"model":"org/fake","input":[5,6]})");
  EXPECT_EQ(embedder.requests.at(1).input_ids, (std::vector<std::vector<int32_t>>{{5, 6}}));
}

TEST_F(OpenAiTest, PassesOnWhatIsAskedFor) {
  Embed(R"({"model":"org/fake","input":"a","dimensions":2,"normalized":false})");
  EXPECT_EQ(embedder.requests.at(0).dimensions, 2U);
  EXPECT_FALSE(embedder.requests.at(0).normalize);
}

TEST_F(OpenAiTest, ErrorsAreOpenAis) {
  const json error = ErrorOf(Embed(R"({"model":"org/fake"})"), 422);
  EXPECT_EQ(error.at("type"), "invalid_request_error");
  EXPECT_EQ(error.at("param"), "input");
  EXPECT_EQ(error.at("code"), nullptr);
  EXPECT_EQ(
      ErrorOf(Embed(R"({"input":"a","embedding_type":"int8","encoding_format":"float"})"), 422)
          .at("param"),
      "embedding_type");
  embedder.failure = Error{ErrorCode::kOverloaded, "the queue is full", ""};
  EXPECT_EQ(ErrorOf(Embed(R"({"input":"a"})"), 429).at("type"), "rate_limit_error");
}

TEST_F(OpenAiTest, ModelsAreListedAndFound) {
  const json listed = json::parse(Send("GET", "/v1/models").body);
  EXPECT_EQ(listed.at("data").at(0).at("id"), "org/fake");
  for (const char* path :
       {"/v1/models/org/fake", "/v1/models/org%2Ffake", "/v1/models/org/fake/"}) {
    EXPECT_EQ(json::parse(Send("GET", path).body).at("id"), "org/fake") << path;
  }
  EXPECT_EQ(ErrorOf(Send("GET", "/v1/models/org/other"), 404).at("code"), "model_not_found");
}

}  // namespace
}  // namespace embedding::api
