// Scores out of known vectors, weights and logits, worked out by hand from FlagEmbedding's
// formulas.
#include "engine/rerank.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "engine/fake_backend.h"
#include "engine/vectors.h"
#include "test_data.h"

namespace embedding {
namespace {

using testing::ElementsAre;
using testing::FloatEq;
using testing::HasSubstr;

constexpr size_t kDimension = 128;  // of tiny-bge-m3's vectors

// Zeros but for the first numbers.
std::vector<float> Vector(std::vector<float> first) {
  first.resize(kDimension);
  return first;
}

struct Known {
  std::vector<float> dense;
  std::vector<TokenWeight> lexical_weights;
  std::vector<std::vector<float>> colbert_vecs;
};

// What the model makes of two texts and, after them, of the query.
const Known kKnown[] = {
    {{3, 4}, {{5, 1.0F}, {6, 2.0F}}, {{0.6F, 0.8F}}},
    {{0, -2}, {{9, 0.25F}}, {{1, 0}, {0, 1}}},
    {{10, 0}, {{6, 0.5F}, {9, 1.0F}, {7, 3.0F}}, {{1, 0}, {0, 1}}},
};

class RerankByVectors : public testing::Test {
 protected:
  std::vector<float> Scores(RerankMode mode, std::array<float, 3> weights = {1, 1, 1}) {
    RerankRequest request;
    request.query = "query";
    request.texts = {"first", "second"};
    request.mode = mode;
    request.weights = weights;
    return Rerank(std::move(request))->scores;
  }

  Result<RerankResponse> Rerank(RerankRequest request) {
    std::promise<Result<RerankResponse>> answer;
    RerankAsync(*embedder_, std::move(request),
                [&](Result<RerankResponse> result) { answer.set_value(std::move(result)); });
    return answer.get_future().get();
  }

  Status Compute(const Batch& batch, BatchOutputs& outputs) {
    storage_.clear();
    for (size_t s = 0; s < batch.sequences(); ++s) {
      storage_.push_back(Vector(kKnown[s].dense));
      std::vector<float>& vectors = storage_.emplace_back();
      for (const auto& vector : kKnown[s].colbert_vecs) {
        const std::vector<float> padded = Vector(vector);
        vectors.insert(vectors.end(), padded.begin(), padded.end());
      }
    }
    for (size_t s = 0; s < batch.sequences(); ++s) {
      if (batch.wanted[s].dense) outputs[s].dense = storage_[2 * s];
      if (batch.wanted[s].colbert_vecs) outputs[s].colbert_vecs = storage_[2 * s + 1];
      if (batch.wanted[s].lexical_weights) outputs[s].lexical_weights = kKnown[s].lexical_weights;
    }
    return {};
  }

  std::vector<std::vector<float>> storage_;
  std::unique_ptr<Embedder> embedder_ =
      Load(kTinyBgeM3, {.backends = {std::make_shared<FakeBackend>(
                            Limits(), [this](const Batch& batch, BatchOutputs& outputs) {
                              return Compute(batch, outputs);
                            })}});
};

TEST_F(RerankByVectors, DenseIsTheCosine) {
  EXPECT_THAT(Scores(RerankMode::kDense), ElementsAre(FloatEq(0.6F), 0.0F));
}

TEST_F(RerankByVectors, SparseIsTheSumOverSharedIds) {
  EXPECT_THAT(Scores(RerankMode::kSparse), ElementsAre(1.0F, 0.25F));
}

TEST_F(RerankByVectors, ColbertIsTheMeanOfTheBestOfEachOfTheQuerys) {
  EXPECT_THAT(Scores(RerankMode::kColbert), ElementsAre(FloatEq(0.7F), FloatEq(1.0F)));
}

TEST_F(RerankByVectors, HybridIsTheWeightedMean) {
  EXPECT_THAT(Scores(RerankMode::kHybrid, {1, 2, 1}),
              ElementsAre(FloatEq((0.6F + 2 * 1.0F + 0.7F) / 4), FloatEq((0 + 2 * 0.25F + 1) / 4)));
}

TEST_F(RerankByVectors, WhatIsWrongWithTheQueryIsNotATextsFault) {
  RerankRequest request;
  request.query = "\xFF";
  request.texts = {"a text"};
  const auto response = Rerank(std::move(request));
  ASSERT_FALSE(response.ok());
  EXPECT_EQ(response.error().field, "query");
  EXPECT_THAT(response.error().message, HasSubstr("query is not valid UTF-8"));
}

TEST_F(RerankByVectors, NeedsTexts) {
  EXPECT_EQ(Rerank(RerankRequest()).error().code, ErrorCode::kEmpty);
}

TEST(RerankByClassifier, TheScoreIsTheLogitsSigmoidOrTheLogit) {
  const float logits[] = {0, 2, -1};
  const auto embedder =
      Load(TestData("tiny-reranker"),
           {.backends = {std::make_shared<FakeBackend>(
                Limits(), [&](const Batch& batch, BatchOutputs& outputs) -> Status {
                  for (size_t s = 0; s < batch.sequences(); ++s) {
                    EXPECT_TRUE(batch.wanted[s].logits);
                    EXPECT_FALSE(batch.wanted[s].dense);
                    outputs[s].logits = std::span(logits).subspan(s, 1);
                  }
                  return {};
                })}});
  for (const bool raw : {false, true}) {
    RerankRequest request;
    request.query = "a query";
    request.texts = {"one", "two", "three"};
    request.raw_scores = raw;
    std::promise<Result<RerankResponse>> answer;
    RerankAsync(*embedder, std::move(request),
                [&](Result<RerankResponse> result) { answer.set_value(std::move(result)); });
    const auto response = answer.get_future().get();
    ASSERT_TRUE(response.ok()) << response.error().message;
    const auto score = [&](float x) { return FloatEq(raw ? x : 1 / (1 + std::exp(-x))); };
    EXPECT_THAT(response->scores, ElementsAre(score(0), score(2), score(-1)));
  }
}

}  // namespace
}  // namespace embedding
