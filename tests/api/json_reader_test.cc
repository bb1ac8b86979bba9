// What a JsonReader's errors quote, and how it reads weights.
#include "api/json_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "api/service_fixture.h"
#include "base/utf8.h"

namespace embedding::api {
namespace {

std::string ArrayOf(const std::string& item) { return "[1," + item + "]"; }

// An error goes into an answer's JSON, so what it quotes must end between two characters.
TEST_F(ServiceTest, ErrorsQuoteNoHalfCharacter) {
  for (size_t padding = 0; padding < 4; ++padding) {
    std::string quoted = "\"" + std::string(padding, 'x');
    for (int i = 0; i < 30; ++i) quoted += "\xF0\x9F\x91\x8D";
    quoted += '"';
    for (const auto& [path, body] :
         {std::pair<std::string, std::string>{"/embed",
                                              R"({"texts":"a","output_dtype":)" + quoted + "}"},
          {"/embed", R"({"inputs":)" + ArrayOf(quoted) + "}"},
          {"/embed", R"({"inputs":)" + ArrayOf("{\"a\":" + quoted + "}") + "}"},
          {"/embed", R"({"inputs":"a","truncation_direction":)" + quoted + "}"},
          {"/decode", R"({"ids":)" + ArrayOf(quoted) + "}"},
          {"/v1/embeddings", R"({"input":"a","encoding_format":)" + quoted + "}"},
          {"/v1/rerank", R"({"query":"q","documents":["a"],"mode":)" + quoted + "}"}}) {
      const Response response = Post(path, body);
      EXPECT_EQ(response.status, 422) << path << ' ' << body;
      EXPECT_EQ(FindInvalidUtf8(response.body), std::string::npos) << response.body;
      EXPECT_NE(response.body.find("\xF0\x9F\x91\x8D"), std::string::npos) << response.body;
    }
  }
}

std::vector<float> Weights(const std::string& weights) {
  JsonReader json;
  std::string body = R"({"weights":)" + weights + "}";
  if (!json.Parse(body).ok()) return {};
  const auto read = json.Weights("weights", 3);
  return read.ok() && *read ? **read : std::vector<float>();
}

// Weights of a mean: however large or small they are, their ratios are what counts.
TEST(JsonReader, ScalesWeightsByAPowerOfTwo) {
  EXPECT_EQ(Weights("[1, 1, 0]"), (std::vector<float>{0.5F, 0.5F, 0}));
  EXPECT_EQ(Weights("[0.4, 0.2, 0.3]"), (std::vector<float>{0.8F, 0.4F, 0.6F}));
  for (const std::string w : {"3e38", "1e300", "1e-44", "3e-308", "5e-324"}) {
    const std::vector<float> scaled = Weights("[" + w + ", 0, " + w + "]");
    ASSERT_EQ(scaled.size(), 3U) << w;
    EXPECT_TRUE(scaled[0] >= 0.5F && scaled[0] <= 1) << w << ": " << scaled[0];
    EXPECT_EQ(scaled[1], 0) << w;
    EXPECT_EQ(scaled[2], scaled[0]) << w;
  }
}

TEST(JsonReader, RefusesWeightsThatAreNone) {
  for (const char* weights : {"[0, 0, 0]", "[-1, 1, 1]", "[1, 1]", "[1, 1, 1, 1]", "[1, 1, \"1\"]",
                              "[1, 1, null]", "[]", "1", "{}"}) {
    EXPECT_TRUE(Weights(weights).empty()) << weights;
  }
}

}  // namespace
}  // namespace embedding::api
