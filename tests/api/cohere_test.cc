#include <gtest/gtest.h>

#include <string>

#include "api/service_fixture.h"

namespace embedding::api {
namespace {

using nlohmann::json;

class CohereTest : public ServiceTest {
 protected:
  // The score of a document is then 0.25 and the product of its length and the query's, up to 1.
  CohereTest() { embedder.vector = {0, 0, 0, 0.5F}; }

  Response Rerank(const std::string& fields) {
    return Post("/v2/rerank", R"({"model":"org/fake","query":"a",)" + fields + "}");
  }
};

TEST_F(CohereTest, TheBestComesFirst) {
  EXPECT_EQ(json::parse(Rerank(R"("documents":["","b"])").body), json::parse(R"({
    "id": "id-1", "model": "org/fake", "usage": {"prompt_tokens": 8, "total_tokens": 8},
    "results": [{"index": 1, "relevance_score": 1}, {"index": 0, "relevance_score": 0.25}]})"));
}

TEST_F(CohereTest, TopNAndReturnDocuments) {
  const json body = json::parse(
      Rerank(R"("documents":[{"text":""},{"text":"b"}],"top_n":1,"return_documents":true)").body);
  EXPECT_EQ(body.at("results"),
            json::parse(R"([{"index": 1, "relevance_score": 1, "document": {"text": "b"}}])"));
}

TEST_F(CohereTest, EveryPathIsTheSame) {
  for (const char* path : {"/v1/rerank", "/v2/rerank", "/rerank", "/reranking", "/v1/reranking"}) {
    const Response response = Post(path, R"({"query":"a","documents":["b"]})");
    EXPECT_EQ(response.status, 200) << path;
    EXPECT_EQ(json::parse(response.body).at("results").size(), 1U) << path;
  }
}

TEST_F(CohereTest, RefusesWhatItWouldDrop) {
  const auto message = [&](const std::string& fields) {
    const Response response = Rerank(fields);
    EXPECT_EQ(response.status, 422) << response.body;
    return json::parse(response.body).at("message").get<std::string>();
  };
  EXPECT_NE(message(R"("documents":["b"],"weights":[1,1,1])").find("\"mode\": \"hybrid\""),
            std::string::npos);
  EXPECT_NE(message(R"("documents":["b"],"max_tokens_per_doc":3)").find("max_tokens_per_doc"),
            std::string::npos);
  EXPECT_NE(message(R"("documents":["b"],"return_text":true)").find("return_documents"),
            std::string::npos);
}

TEST_F(CohereTest, WhatIsWrongWithADocumentIsNamedSo) {
  embedder.failure = Error{ErrorCode::kInvalidArgument, "texts[0] is too long", "texts[0]"};
  const Response response = Rerank(R"("documents":["b"])");
  EXPECT_EQ(response.status, 422);
  EXPECT_NE(response.body.find("documents[0] is too long"), std::string::npos) << response.body;
}

}  // namespace
}  // namespace embedding::api
