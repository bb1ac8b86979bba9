#include <gtest/gtest.h>
#include <mlx/mlx.h>

#include <cmath>
#include <limits>
#include <vector>

#include "backends/mlx/mlx_pooling.h"

namespace embedding {
namespace {

// Shorter sequences are filled up with the first one's rows, and empty ones take a row too.
TEST(MlxPooling, OneSequencesNanIsNoneOfAnothers) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> numbers = {nan, nan, 1, 2, 3, 4, 5, 6, 7, 8};
  const mlx::core::array hidden(numbers.begin(), {5, 2});
  const std::vector<PooledRows> sequences = {{0, 0, 1}, {1, 1, 3}, {3, 3, 3}, {3, 3, 5}};
  for (const Pooling pooling :
       {Pooling::kCls, Pooling::kMean, Pooling::kMax, Pooling::kMeanSqrtLenTokens,
        Pooling::kWeightedMean, Pooling::kLastToken}) {
    mlx::core::array pooled = mlx::core::contiguous(PoolRows(pooling, hidden, sequences));
    pooled.eval();
    for (int i = 0; i < 8; ++i) {
      EXPECT_EQ(std::isnan(pooled.data<float>()[i]), i < 2) << i;
    }
    EXPECT_EQ(pooled.data<float>()[4], 0) << "of an empty sequence";
  }
}

}  // namespace
}  // namespace embedding
