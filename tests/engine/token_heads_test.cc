#include "engine/token_heads.h"

#include <gtest/gtest.h>

#include <vector>

namespace embedding {
namespace {

TEST(SparseHead, KeepsEachIdOnceWithItsLargestWeightInOrderOfFirstAppearance) {
  const SparseHead head;
  const std::vector<int32_t> ids = {9, 4, 9, 7, 4, 5};
  const std::vector<float> weights = {0.5F, 0.25F, 2.0F, 0.0F, 0.125F, 1.0F};
  const std::vector<TokenWeight> result = head.Weights(ids, weights);
  ASSERT_EQ(result.size(), 3U);
  EXPECT_EQ(result[0].id, 9);
  EXPECT_EQ(result[0].weight, 2.0F);
  EXPECT_EQ(result[1].id, 4);
  EXPECT_EQ(result[1].weight, 0.25F);
  EXPECT_EQ(result[2].id, 5);
}

}  // namespace
}  // namespace embedding
