#include "model/lexical_weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace embedding {
namespace {

using testing::ElementsAre;
using testing::Pair;

std::vector<std::pair<int32_t, float>> Pairs(const std::vector<TokenWeight>& weights) {
  std::vector<std::pair<int32_t, float>> pairs;
  for (const TokenWeight& weight : weights) pairs.emplace_back(weight.id, weight.weight);
  return pairs;
}

TEST(WeightsOfTokens, KeepsEachIdOnceWithItsLargestWeightInOrderOfFirstAppearance) {
  const std::vector<int32_t> ids = {9, 4, 9, 7, 4, 5};
  const std::vector<float> weights = {0.5F, 0.25F, 2.0F, 0.0F, 0.125F, 1.0F};
  EXPECT_THAT(Pairs(WeightsOfTokens(ids, weights, {})),
              ElementsAre(Pair(9, 2.0F), Pair(4, 0.25F), Pair(5, 1.0F)));
}

TEST(WeightsOfTokens, LeavesTheUnusedIdsOut) {
  const std::vector<int32_t> ids = {0, 9, 2};
  const std::vector<float> weights = {3.0F, 0.5F, 2.0F};
  const TokenWeights head = {.unused_ids = {0, 2}};
  EXPECT_THAT(Pairs(WeightsOfTokens(ids, weights, head)), ElementsAre(Pair(9, 0.5F)));
}

TEST(WeightsOfTokens, KeepsTheLargestInSizeById) {
  const std::vector<int32_t> ids = {9, 4, 9, 7, 5};
  const std::vector<float> weights = {0.5F, -3.0F, 0.5F, 2.0F, -0.25F};
  EXPECT_THAT(Pairs(WeightsOfTokens(ids, weights, {})),
              ElementsAre(Pair(9, 0.5F), Pair(4, -3.0F), Pair(7, 2.0F), Pair(5, -0.25F)));
  EXPECT_THAT(Pairs(WeightsOfTokens(ids, weights, {.max_active_dims = 2})),
              ElementsAre(Pair(4, -3.0F), Pair(7, 2.0F)));
}

TEST(WeightsOfVocabulary, KeepsTheLargestById) {
  const std::vector<float> weights = {0, 2, -1, 0.5F, 3, 1};
  EXPECT_THAT(Pairs(WeightsOfVocabulary(weights, std::nullopt)),
              ElementsAre(Pair(1, 2), Pair(3, 0.5F), Pair(4, 3), Pair(5, 1)));
  EXPECT_THAT(Pairs(WeightsOfVocabulary(weights, 2)), ElementsAre(Pair(1, 2), Pair(4, 3)));
}

}  // namespace
}  // namespace embedding
