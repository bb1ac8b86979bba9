#include <gtest/gtest.h>

#include <string>

#include "api/service_fixture.h"

namespace embedding::api {
namespace {

using nlohmann::json;

class TeiTokenizeTest : public ServiceTest {};

// What the `tokenizers` library gives for this text, put as text-embeddings-inference puts it.
TEST_F(TeiTokenizeTest, GivesThePieceOfTheTextOrTheSpecialToken) {
  const Response response = Post("/tokenize", R"({"inputs":"Hello <mask> World é"})");
  EXPECT_EQ(response.status, 200) << response.body;
  const json tokens = json::parse(response.body).at(0);
  const json expected = json::parse(R"([
    ["<s>", true, null, null], ["He", false, 0, 2], ["ll", false, 2, 4], ["o", false, 4, 5],
    [" <mask>", false, 5, 12], [" World", false, 12, 18], [" é", false, 18, 20],
    ["</s>", true, null, null]])");
  json actual = json::array();
  for (const json& token : tokens) {
    actual.push_back({token.at("text"), token.at("special"), token.at("start"), token.at("stop")});
  }
  EXPECT_EQ(actual, expected);
  EXPECT_EQ(tokens.front().at("id"), 0);
  EXPECT_EQ(tokens.back().at("id"), 2);
}

TEST_F(TeiTokenizeTest, SpecialTokensCanBeLeftOut) {
  const Response response =
      Post("/tokenize", R"({"inputs":["Hello","",null],"add_special_tokens":false})");
  ExpectError(response, 422, "Validation", "inputs[2]: expected a string, got null");
  const json tokens =
      json::parse(Post("/tokenize", R"({"inputs":["Hello",""],"add_special_tokens":false})").body);
  ASSERT_EQ(tokens.size(), 2U);
  EXPECT_EQ(tokens[0].size(), 3U);
  EXPECT_EQ(tokens[1], json::array());
}

TEST_F(TeiTokenizeTest, RefusesWhatEmbedRefuses) {
  ExpectError(Post("/tokenize", "{"), 400, "Validation", "JSON");
  ExpectError(Post("/tokenize", "{}"), 422, "Validation", "inputs: missing");
  ExpectError(Post("/tokenize", R"({"inputs":[]})"), 400, "Empty", "inputs");
  ExpectError(Post("/tokenize", R"({"inputs":["a","b","c","d"]})"), 422, "Validation",
              "batch size 4 > maximum allowed batch size 3");
  ExpectError(Post("/tokenize", R"({"inputs":"a","add_special_tokens":2})"), 422, "Validation",
              "add_special_tokens: expected a boolean, got 2");
}

}  // namespace
}  // namespace embedding::api
