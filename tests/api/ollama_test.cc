#include <gtest/gtest.h>

#include <string>

#include "api/service_fixture.h"

namespace embedding::api {
namespace {

using nlohmann::json;

class OllamaTest : public ServiceTest {
 protected:
  static std::string MessageOf(const Response& response, int status) {
    EXPECT_EQ(response.status, status) << response.body;
    return json::parse(response.body).at("error");
  }
};

TEST_F(OllamaTest, EmbedAnswersVectorsAndCounts) {
  const json body =
      json::parse(Post("/api/embed", R"({"model":"org/fake","input":["a","bb"]})").body);
  EXPECT_EQ(body.at("model"), "org/fake");
  EXPECT_EQ(body.at("embeddings"), json::parse("[[1,0.5,-1.25,1e-7],[2,0.5,-1.25,1e-7]]"));
  EXPECT_EQ(body.at("prompt_eval_count"), 7);
  EXPECT_TRUE(body.at("total_duration").is_number_integer());
}

// Clients load a model by asking it for nothing.
TEST_F(OllamaTest, NothingToEmbedIsAnsweredWithNothing) {
  EXPECT_EQ(
      json::parse(Post("/api/embed", R"({"model":"org/fake","input":[]})").body).at("embeddings"),
      json::array());
  EXPECT_EQ(Post("/api/embeddings", R"({"model":"org/fake","prompt":""})").body,
            R"({"embedding":[]})");
  EXPECT_TRUE(embedder.requests.empty());
}

TEST_F(OllamaTest, TheOlderFormIsNotNormalised) {
  EXPECT_EQ(Post("/api/embeddings", R"({"model":"org/fake","prompt":"a"})").body,
            R"({"embedding":[1,0.5,-1.25,1e-07]})");
  EXPECT_FALSE(embedder.requests.at(0).normalize);
  MessageOf(Post("/api/embeddings", R"({"model":"org/fake","prompt":["a","b"]})"), 422);
}

TEST_F(OllamaTest, NumCtxLimitsTheTokens) {
  Post("/api/embed", R"({"model":"org/fake","input":"a","options":{"num_ctx":5,"seed":1}})");
  EXPECT_EQ(embedder.requests.at(0).max_tokens, 5U);
}

TEST_F(OllamaTest, TellsOfModelsThatAreHereAlone) {
  EXPECT_EQ(json::parse(Send("GET", "/api/tags").body).at("models").at(0).at("name"), "org/fake");
  EXPECT_EQ(json::parse(Send("GET", "/api/ps").body).at("models").at(0).at("expires_at"),
            "9999-12-31T23:59:59Z");
  const json shown = json::parse(Post("/api/show", R"({"model":"org/fake"})").body);
  EXPECT_EQ(shown.at("capabilities"), json::parse(R"(["embedding"])"));
  EXPECT_NE(
      MessageOf(Post("/api/show", R"({"name":"other"})"), 404).find("model 'other' not found"),
      std::string::npos);
  EXPECT_EQ(Post("/api/pull", R"({"model":"org/fake","stream":false})").body,
            R"({"status":"success"})");
  EXPECT_EQ(Post("/api/pull", R"({"model":"org/fake"})").content_type, "application/x-ndjson");
  MessageOf(Post("/api/pull", R"({"model":"other"})"), 404);
}

}  // namespace
}  // namespace embedding::api
