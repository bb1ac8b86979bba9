#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <memory>
#include <string>

#include "api/service_fixture.h"

namespace embedding::api {
namespace {

using nlohmann::json;

class NativeEmbedTest : public ServiceTest {
 protected:
  Response Embed(std::string body) { return Post("/embed", std::move(body)); }
};

TEST_F(NativeEmbedTest, AnswersInTheOrderOfTheTexts) {
  const Response response = Embed(R"({"texts":["a","","ccc"]})");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(json::parse(response.body),
            json::parse(R"({"embeddings":[[1,0.5,-1.25,1e-7],[0,0.5,-1.25,1e-7],[3,0.5,-1.25,1e-7]],
                            "model":"org/fake","dimension":4,
                            "usage":{"prompt_tokens":10,"total_tokens":10}})"));
}

TEST_F(NativeEmbedTest, DefaultsAreThoseOfTheContract) {
  Embed(R"({"texts":["a"]})");
  const EmbedRequest& request = embedder.requests.at(0);
  EXPECT_TRUE(request.normalize);
  EXPECT_TRUE(request.truncate);
  EXPECT_FALSE(request.dimensions.has_value());
}

TEST_F(NativeEmbedTest, AClientThatHasGoneIsNotComputedFor) {
  const auto cancelled = std::make_shared<std::atomic<bool>>(false);
  embedder.hold = true;
  const auto request = [&] {
    return Request{"POST", "/embed", R"({"texts":["a"]})", "id-1", cancelled};
  };
  service.handler()(request(), [](const Response&) {});
  EXPECT_EQ(embedder.requests.at(0).cancelled, cancelled);  // gone while it waits
  *cancelled = true;
  service.handler()(request(), [](const Response& response) { EXPECT_EQ(response.status, 499); });
  EXPECT_EQ(embedder.requests.size(), 1U);  // gone before it was looked at
  embedder.Release();
}

TEST_F(NativeEmbedTest, NullStandsForTheDefaultAndUnknownFieldsAreIgnored) {
  const Response response = Embed(
      R"({"texts":["a"],"normalize":null,"truncate":null,"dimensions":null,"return_dense":null,
          "return_sparse":null,"return_colbert_vecs":null,"prompt_name":null,"x":[{"y":1}]})");
  EXPECT_EQ(response.status, 200) << response.body;
  EXPECT_TRUE(embedder.requests.at(0).normalize);
}

TEST_F(NativeEmbedTest, PassesOnWhatIsAskedFor) {
  const Response response =
      Embed(R"({"texts":"single","normalize":false,"truncate":false,"dimensions":2})");
  EXPECT_EQ(json::parse(response.body).at("embeddings"), json::parse("[[6,0.5]]"));
  EXPECT_EQ(json::parse(response.body).at("dimension"), 2);
  const EmbedRequest& request = embedder.requests.at(0);
  EXPECT_EQ(request.texts, std::vector<std::string>{"single"});
  EXPECT_FALSE(request.normalize);
  EXPECT_FALSE(request.truncate);
  EXPECT_EQ(request.dimensions, 2U);
}

TEST_F(NativeEmbedTest, PassesOnHeadsPromptsAndTheEnginesRefusal) {
  Embed(R"({"texts":["a"],"return_dense":false,"return_sparse":true,"prompt_name":"query"})");
  ExpectError(Embed(R"({"texts":["a"],"return_colbert_vecs":true})"), 424, "Backend",
              "no ColBERT head");
  const Outputs& first = embedder.requests.at(0).outputs;
  EXPECT_TRUE(!first.dense && first.lexical_weights && !first.colbert_vecs);
  EXPECT_EQ(embedder.requests.at(0).prompt_name, "query");
  const Outputs& second = embedder.requests.at(1).outputs;
  EXPECT_TRUE(second.dense && !second.lexical_weights && second.colbert_vecs);
}

TEST_F(NativeEmbedTest, ResolvesEscapes) {
  Embed(R"({"texts":["\u0041\n\"\\\/\ud83d\ude00","\u0000"]})");
  EXPECT_EQ(embedder.requests.at(0).texts,
            (std::vector<std::string>{"A\n\"\\/\xF0\x9F\x98\x80", std::string(1, '\0')}));
}

TEST_F(NativeEmbedTest, SaysHowManyTextsWereCut) {
  EXPECT_EQ(HeaderOf(Embed(R"({"texts":["a","0123456789","0123456789"]})"), "x-truncated"), "2");
  EXPECT_EQ(HeaderOf(Embed(R"({"texts":["a"]})"), "x-truncated"), "");
}

TEST_F(NativeEmbedTest, SaysHowManyTextsWereInTheCache) {
  EXPECT_EQ(HeaderOf(Embed(R"({"texts":["a","b"]})"), "x-cache"), "");
  embedder.cached_texts = 1;
  EXPECT_EQ(HeaderOf(Embed(R"({"texts":["a","b"]})"), "x-cache"), "1/2");
  EXPECT_EQ(HeaderOf(Post("/v1/embeddings", R"({"input":"a"})"), "x-cache"), "1/1");
  EXPECT_EQ(HeaderOf(Post("/api/embed", R"({"input":["a","b","c"]})"), "x-cache"), "1/3");
  // A rerank by vectors reads the query too.
  EXPECT_EQ(HeaderOf(Post("/v1/rerank", R"({"query":"q","documents":["a"]})"), "x-cache"), "1/2");
  const std::string vertex = R"({"instances":[{"inputs":"a"},{"inputs":["b","c"]}]})";
  EXPECT_EQ(HeaderOf(Post("/vertex", vertex), "x-cache"), "2/3");
}

struct BadBody {
  const char* body;
  int status;
  const char* type;
  const char* message;
};

class BadBodyTest : public NativeEmbedTest, public ::testing::WithParamInterface<BadBody> {};

TEST_P(BadBodyTest, IsRefusedByName) {
  ExpectError(Embed(GetParam().body), GetParam().status, GetParam().type, GetParam().message);
  EXPECT_TRUE(embedder.requests.empty());
}

INSTANTIATE_TEST_SUITE_P(
    NotJson, BadBodyTest,
    ::testing::Values(
        BadBody{"", 400, "Validation", "body is empty"}, BadBody{"   ", 400, "Validation", "JSON"},
        BadBody{"hello", 400, "Validation", "JSON"},
        BadBody{R"({"texts":["a"])", 400, "Validation", "JSON"},
        BadBody{R"({"texts":["a"]} {)", 400, "Validation", "JSON"},
        BadBody{R"({"texts":["a",]})", 400, "Validation", "JSON"},
        BadBody{R"({'texts':['a']})", 400, "Validation", "JSON"},
        BadBody{"{\"texts\":[\"a\nb\"]}", 400, "Validation", "JSON"},
        BadBody{"{\"texts\":[\"ab\xFF\"]}", 400, "Validation", "not valid UTF-8 at byte 13"},
        BadBody{"{\"texts\":[\"\xED\xA0\x80\"]}", 400, "Validation", "not valid UTF-8"},
        BadBody{R"({"texts":["\ud800"]})", 400, "Validation", "surrogate"},
        BadBody{R"({"texts":["\udc00"]})", 400, "Validation", "surrogate"},
        BadBody{R"({"texts":["\ud800\u0041"]})", 400, "Validation", "surrogate"},
        BadBody{R"({"texts":["\ude00\ud83d"]})", 400, "Validation", "surrogate"}));

INSTANTIATE_TEST_SUITE_P(
    WrongFields, BadBodyTest,
    ::testing::Values(
        BadBody{"[1]", 422, "Validation", "body: expected an object, got array"},
        BadBody{"\"a\"", 422, "Validation", "body: expected an object, got string"},
        BadBody{"{}", 422, "Validation", "texts: missing"},
        BadBody{R"({"texts":null})", 422, "Validation", "texts: missing"},
        BadBody{R"({"texts":3})", 422, "Validation", "texts: expected a string or an array"},
        BadBody{R"({"texts":{}})", 422, "Validation", "got object"},
        BadBody{R"({"texts":[]})", 400, "Empty", "texts"},
        BadBody{R"({"texts":["a","b",3]})", 422, "Validation",
                "texts[2]: expected a string, got number"},
        BadBody{R"({"texts":[null]})", 422, "Validation", "texts[0]: expected a string, got null"},
        BadBody{R"({"texts":[["a"]]})", 422, "Validation",
                "texts[0]: expected a string, got array"},
        BadBody{R"({"texts":["a","b","c","d"]})", 422, "Validation",
                "batch size 4 > maximum allowed batch size 3"},
        BadBody{R"({"texts":["a"],"normalize":"perhaps"})", 422, "Validation",
                "normalize: expected a boolean, got \"perhaps\""},
        BadBody{R"({"texts":["a"],"truncate":2})", 422, "Validation",
                "truncate: expected a boolean, got 2"},
        BadBody{R"({"texts":["a"],"dimensions":"8x"})", 422, "Validation",
                "dimensions: expected a positive integer, got \"8x\""},
        BadBody{R"({"texts":["a"],"dimensions":[8]})", 422, "Validation",
                "dimensions: expected a positive integer, got array"},
        BadBody{R"({"texts":["a"],"dimensions":0})", 422, "Validation", "dimensions"},
        BadBody{R"({"texts":["a"],"dimensions":-3})", 422, "Validation", "got -3"},
        BadBody{R"({"texts":["a"],"dimensions":2.5})", 422, "Validation", "got 2.5"},
        BadBody{R"({"texts":["a"],"prompt_name":1})", 422, "Validation", "prompt_name"},
        BadBody{R"({"texts":["a"],"return_dense":false})", 422, "Validation", "return_dense"},
        BadBody{R"({"texts":["a"],"return_sparse":-1})", 422, "Validation",
                "return_sparse: expected a boolean, got -1"}));

TEST_F(NativeEmbedTest, NestingIsBounded) {
  const std::string deep(200'000, '[');
  ExpectError(Embed(deep), 400, "Validation", "JSON");
  ExpectError(Embed(R"({"texts":)" + deep), 400, "Validation", "JSON");
}

TEST_F(NativeEmbedTest, TooLongWithoutTruncationIsRefused) {
  ExpectError(Embed(R"({"texts":["0123456789"],"truncate":false})"), 422, "Validation", "too long");
}

TEST_F(NativeEmbedTest, AVectorThatIsNotFiniteIsNeverSent) {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    embedder.vector[2] = bad;
    ExpectError(Embed(R"({"texts":["a"]})"), 500, "Backend", "id-1");
  }
}

}  // namespace
}  // namespace embedding::api
