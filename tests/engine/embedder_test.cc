#include "embedding/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "embedding/byte_budget.h"
#include "engine/vectors.h"

namespace embedding {
namespace {

using testing::HasSubstr;

class EmbedderRequests : public testing::Test {
 protected:
  Error Refused(const EmbedRequest& request) {
    const auto response = embedder_->Embed(request);
    EXPECT_FALSE(response.ok());
    return response.ok() ? Error{} : response.error();
  }
  EmbedRequest LongText() const {
    EmbedRequest request;
    request.texts = {"short", ""};
    for (int i = 0; i < 300; ++i) request.texts[1] += "word ";
    return request;
  }

  std::unique_ptr<Embedder> embedder_ = Load(kMiniLm);
};

TEST_F(EmbedderRequests, InfoSaysWhatIsLoaded) {
  EXPECT_EQ(embedder_->info().name, "all-MiniLM-L6-v2");
  EXPECT_EQ(embedder_->info().device, TEST_DEVICE);
  EXPECT_EQ(embedder_->info().dimension, 384U);
  EXPECT_EQ(embedder_->info().max_input_tokens, 256U);
  EXPECT_TRUE(embedder_->health().ok());
}

TEST_F(EmbedderRequests, DimensionsKeepsTheFirstComponentsAndNormalisesThem) {
  EmbedRequest request;
  request.texts = {"Matryoshka"};
  request.normalize = false;
  const auto whole = embedder_->Embed(request);
  request.dimensions = 100;
  const auto cut = embedder_->Embed(request);
  ASSERT_EQ(cut->dimension, 100U);
  EXPECT_EQ(LargestDifference(cut->embedding(0), whole->embedding(0).first(100)), 0);
  request.normalize = true;
  const auto unit = embedder_->Embed(request);
  EXPECT_NEAR(Cosine(unit->embedding(0), cut->embedding(0)), 1, 1e-6);
  double squares = 0;
  for (const float x : unit->embedding(0)) squares += static_cast<double>(x) * x;
  EXPECT_NEAR(squares, 1, 1e-5);
}

TEST_F(EmbedderRequests, DimensionsOutOfRangeAreRefused) {
  for (const size_t dimensions : std::initializer_list<size_t>{0, 385}) {
    EmbedRequest request;
    request.texts = {"x"};
    request.dimensions = dimensions;
    const Error error = Refused(request);
    EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(error.field, "dimensions");
    EXPECT_THAT(error.message, HasSubstr("384"));
  }
}

TEST_F(EmbedderRequests, NoTextsAreRefused) {
  EXPECT_EQ(Refused(EmbedRequest{}).code, ErrorCode::kEmpty);
}

TEST_F(EmbedderRequests, ATextThatIsTooLongIsCutOrRefusedAsAsked) {
  EmbedRequest request = LongText();
  const auto cut = embedder_->Embed(request);
  ASSERT_TRUE(cut.ok());
  EXPECT_EQ(cut->truncated_texts, 1U);
  EXPECT_EQ(cut->prompt_tokens, 3U + 256U);
  request.truncate = false;
  const Error error = Refused(request);
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(error.field, "texts[1]");
  EXPECT_THAT(error.message, HasSubstr("302"));
  EXPECT_THAT(error.message, HasSubstr("256"));
}

TEST_F(EmbedderRequests, InvalidUtf8IsRefusedByPlace) {
  EmbedRequest request;
  request.texts = {"fine", "bad \xFF"};
  const Error error = Refused(request);
  EXPECT_EQ(error.code, ErrorCode::kMalformed);
  EXPECT_EQ(error.message, "texts[1] is not valid UTF-8 at byte 4");
}

TEST_F(EmbedderRequests, TextsPairsQueryAndIdsMustGoTogether) {
  EmbedRequest short_pairs;
  short_pairs.texts = {"a", "b", "c"};
  short_pairs.text_pairs = {"x"};
  EXPECT_EQ(Refused(short_pairs).field, "text_pairs");
  EmbedRequest long_pairs;
  long_pairs.texts = {"a"};
  long_pairs.text_pairs = {"x", "y"};
  EXPECT_EQ(Refused(long_pairs).field, "text_pairs");
  EmbedRequest ids_and_texts;
  ids_and_texts.texts = {"a"};
  ids_and_texts.input_ids = {{101, 102}};
  EXPECT_EQ(Refused(ids_and_texts).field, "input_ids");
  EmbedRequest ids_and_pairs;
  ids_and_pairs.input_ids = {{101, 102}};
  ids_and_pairs.text_pairs = {"a"};
  EXPECT_EQ(Refused(ids_and_pairs).code, ErrorCode::kInvalidArgument);
  EmbedRequest query_and_pairs;
  query_and_pairs.texts = {"a"};
  query_and_pairs.text_pairs = {"b"};
  query_and_pairs.query = "c";
  EXPECT_EQ(Refused(query_and_pairs).field, "query");
}

TEST_F(EmbedderRequests, AnswersTakeTheirMemoryFromTheBudget) {
  ByteBudget budget(384 * sizeof(float) * 3);
  EmbedRequest request;
  request.texts = {"a", "b"};
  request.answer_budget = &budget;
  {
    const auto first = embedder_->Embed(request);
    ASSERT_TRUE(first.ok());
    EXPECT_EQ(budget.taken(), 384 * sizeof(float) * 2);
    EXPECT_EQ(Refused(request).code, ErrorCode::kOverloaded);
    request.texts = {"c"};
    EXPECT_TRUE(embedder_->Embed(request).ok());
  }
  EXPECT_EQ(budget.taken(), 0U);
  request.outputs = {.dense = false, .token_embeddings = true};
  request.texts = {"more tokens than the budget has room for"};
  const Error too_large = Refused(request);
  EXPECT_EQ(too_large.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(too_large.message, HasSubstr("fewer or shorter texts"));
  EXPECT_EQ(budget.taken(), 0U);
}

TEST_F(EmbedderRequests, EqualTextsGetEqualVectors) {
  EmbedRequest request;
  request.texts = {"twin", "other", "twin", ""};
  const auto response = embedder_->Embed(request);
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(LargestDifference(response->embedding(0), response->embedding(2)), 0);
  EXPECT_GT(LargestDifference(response->embedding(0), response->embedding(1)), 0.01);
}

TEST_F(EmbedderRequests, ManyThreadsGetTheirOwnAnswers) {
  const Expected expected = ReadExpected("dense.all-MiniLM-L6-v2.json", "embedding");
  std::vector<std::thread> threads;
  std::vector<double> worst(8);
  for (size_t t = 0; t < worst.size(); ++t) {
    threads.emplace_back([&, t] {
      for (size_t i = t; i < expected.texts.size(); i += worst.size()) {
        EmbedRequest request;
        request.texts = {expected.texts[i]};
        const auto response = embedder_->Embed(request);
        const double difference =
            response.ok() ? LargestDifference(response->embedding(0), expected.vectors[i]) : 1;
        worst[t] = std::max(worst[t], difference);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const double difference : worst) EXPECT_LT(difference, 2e-5);
}

}  // namespace
}  // namespace embedding
