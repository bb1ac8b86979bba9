#include "backends/cpu/heads/pooling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace embedding {
namespace {

using testing::ElementsAre;
using testing::FloatEq;

// Three tokens of two components.
const std::vector<float> kHidden{1, -2, 3, 4, 8, -5};

std::vector<float> Pooled(Pooling pooling, const std::vector<float>& hidden = kHidden,
                          size_t first = 0) {
  std::vector<float> out(2, -99);
  Pool(pooling, hidden, 2, first, out);
  return out;
}

// Expected values worked out by hand from sentence-transformers' Pooling module's formulas.
TEST(Pool, EachMode) {
  EXPECT_THAT(Pooled(Pooling::kCls), ElementsAre(1, -2));
  EXPECT_THAT(Pooled(Pooling::kLastToken), ElementsAre(8, -5));
  EXPECT_THAT(Pooled(Pooling::kMax), ElementsAre(8, 4));
  EXPECT_THAT(Pooled(Pooling::kMean), ElementsAre(FloatEq(4), FloatEq(-1)));
  EXPECT_THAT(Pooled(Pooling::kMeanSqrtLenTokens),
              ElementsAre(FloatEq(12 / std::sqrt(3.0F)), FloatEq(-3 / std::sqrt(3.0F))));
  EXPECT_THAT(Pooled(Pooling::kWeightedMean), ElementsAre(FloatEq(31.0F / 6), FloatEq(-1.5F)));
}

TEST(Pool, TokensThatAreLeftOutCountInTheNumbersOfTheOthers) {
  EXPECT_THAT(Pooled(Pooling::kCls, kHidden, 1), ElementsAre(3, 4));
  EXPECT_THAT(Pooled(Pooling::kLastToken, kHidden, 1), ElementsAre(8, -5));
  EXPECT_THAT(Pooled(Pooling::kMax, kHidden, 2), ElementsAre(8, -5));
  EXPECT_THAT(Pooled(Pooling::kMean, kHidden, 1), ElementsAre(FloatEq(5.5F), FloatEq(-0.5F)));
  EXPECT_THAT(Pooled(Pooling::kMeanSqrtLenTokens, kHidden, 1),
              ElementsAre(FloatEq(11 / std::sqrt(2.0F)), FloatEq(-1 / std::sqrt(2.0F))));
  EXPECT_THAT(Pooled(Pooling::kWeightedMean, kHidden, 1),
              ElementsAre(FloatEq(30.0F / 5), FloatEq(-7.0F / 5)));
}

TEST(Pool, WhereAllAreLeftOutThereIsTheFirstTokenOrZeros) {
  EXPECT_THAT(Pooled(Pooling::kCls, kHidden, 3), ElementsAre(1, -2));
  for (const Pooling pooling : {Pooling::kMean, Pooling::kMax, Pooling::kLastToken,
                                Pooling::kMeanSqrtLenTokens, Pooling::kWeightedMean}) {
    EXPECT_THAT(Pooled(pooling, kHidden, 3), ElementsAre(0, 0));
  }
}

TEST(Pool, ASequenceWithoutTokensGivesZeros) {
  for (const Pooling pooling :
       {Pooling::kCls, Pooling::kMean, Pooling::kMax, Pooling::kLastToken}) {
    EXPECT_THAT(Pooled(pooling, {}), ElementsAre(0, 0));
  }
}

}  // namespace
}  // namespace embedding
