// What becomes of a batch when the device has no room for it, fails, or computes no numbers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "embedding/engine.h"
#include "engine/fake_backend.h"
#include "engine/vectors.h"

namespace embedding {
namespace {

using testing::HasSubstr;

// Text i has i words and so i + 2 tokens.
EmbedRequest TextsOfUpTo(size_t words) {
  EmbedRequest request;
  request.normalize = false;
  for (size_t i = 1; i <= words; ++i) {
    std::string text;
    for (size_t k = 0; k < i; ++k) text += "a ";
    request.texts.push_back(text);
  }
  return request;
}

class BatchComputerTest : public testing::Test {
 protected:
  void LoadWith(FakeBackend::Compute compute) {
    embedder_ = Load(kTinyBgeM3,
                     {.backends = {std::make_shared<FakeBackend>(Limits{}, std::move(compute))}});
  }
  // A device with room for so many tokens.
  void LoadWithRoomFor(size_t tokens) {
    LoadWith([this, tokens](const Batch& batch, BatchOutputs& outputs) -> Status {
      batches_.push_back(batch.sequences());
      if (batch.tokens() > tokens) return Error{ErrorCode::kOutOfMemory, "no room", {}};
      return count_(batch, outputs);
    });
  }

  CountingTokens count_;
  size_t failing_ = 0;
  std::vector<size_t> batches_;
  std::unique_ptr<Embedder> embedder_;
};

TEST_F(BatchComputerTest, ABatchThatDoesNotFitIsComputedByHalves) {
  LoadWithRoomFor(60);
  const EmbedRequest request = TextsOfUpTo(20);
  const auto response = embedder_->Embed(request);
  ASSERT_TRUE(response.ok()) << response.error().message;
  EXPECT_EQ(batches_.front(), 20U);
  EXPECT_GT(batches_.size(), 3U);
  for (size_t i = 1; i < 20; ++i) {
    EXPECT_EQ(response->embedding(i)[0], response->embedding(0)[0] + static_cast<float>(i)) << i;
  }
  EXPECT_TRUE(embedder_->health().ok());
}

TEST_F(BatchComputerTest, ATextThatDoesNotFitAloneFailsItsOwnRequest) {
  LoadWithRoomFor(12);
  const auto refused = embedder_->Embed(TextsOfUpTo(20));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kOutOfMemory);
  EXPECT_THAT(refused.error().message, HasSubstr("not enough memory for a text of"));
  EXPECT_TRUE(embedder_->health().ok());
  EXPECT_TRUE(embedder_->Embed(TextsOfUpTo(5)).ok());
}

TEST_F(BatchComputerTest, WhatIsNotFiniteIsAnErrorOfItsRequest) {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    std::vector<float> vector(128, 1.0F);
    vector[77] = bad;
    LoadWith([&](const Batch& batch, BatchOutputs& outputs) -> Status {
      const Status counted = count_(batch, outputs);
      for (size_t s = 0; s < batch.sequences(); ++s) {
        if (batch.offsets[s + 1] - batch.offsets[s] > 10) outputs[s].dense = vector;
      }
      return counted;
    });
    const auto failed = embedder_->Embed(TextsOfUpTo(20));
    ASSERT_FALSE(failed.ok());
    EXPECT_EQ(failed.error().code, ErrorCode::kInternal);
    EXPECT_THAT(failed.error().message, HasSubstr("not finite"));
    EXPECT_TRUE(embedder_->Embed(TextsOfUpTo(3)).ok());
  }
}

TEST_F(BatchComputerTest, EveryHeadIsLookedAt) {
  const std::vector<float> nan(512, std::numeric_limits<float>::quiet_NaN());
  LoadWith([&](const Batch& batch, BatchOutputs& outputs) -> Status {
    for (size_t s = 0; s < batch.sequences(); ++s) {
      if (batch.wanted[s].lexical_weights) outputs[s].lexical_weights = {{7, nan[0]}};
      if (batch.wanted[s].colbert_vecs) outputs[s].colbert_vecs = std::span(nan).first(128);
      if (batch.wanted[s].token_embeddings) outputs[s].token_embeddings = nan;
    }
    return {};
  });
  for (const Outputs outputs : {Outputs{.dense = false, .lexical_weights = true},
                                Outputs{.dense = false, .colbert_vecs = true},
                                Outputs{.dense = false, .token_embeddings = true}}) {
    EmbedRequest request = TextsOfUpTo(2);
    request.outputs = outputs;
    const auto failed = embedder_->Embed(request);
    ASSERT_FALSE(failed.ok());
    EXPECT_THAT(failed.error().message, HasSubstr("not finite"));
  }
}

TEST_F(BatchComputerTest, AFailureInTheMiddleIsToldToAllWhoWait) {
  LoadWith([this](const Batch& batch, BatchOutputs& outputs) -> Status {
    if (batch.sequences() > 5) return Error{ErrorCode::kOutOfMemory, "no room", {}};
    if (++failing_ > 1) return Error{ErrorCode::kInternal, "the device is gone", {}};
    return count_(batch, outputs);
  });
  const auto failed = embedder_->Embed(TextsOfUpTo(10));
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().message, "the device is gone");
  EXPECT_EQ(embedder_->health().error().message, "the device is gone");
}

}  // namespace
}  // namespace embedding
