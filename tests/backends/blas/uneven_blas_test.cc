// With a BLAS that adds the terms of some rows in another order, as those may that have other
// kernels for what is left of a chunk.
#include <gtest/gtest.h>

#include <cstddef>
#include <vector>

#include "backends/cpu/blas_linear.h"
#include "backends/random.h"
#include "backends/team.h"

namespace {
int uneven_row = -1;
}

extern "C" void cblas_sgemm(int /*order*/, int /*transpose_a*/, int /*transpose_b*/, int m, int n,
                            int k, float /*alpha*/, const float* a, int lda, const float* b,
                            int ldb, float /*beta*/, float* c, int ldc) {
  for (int row = 0; row < m; ++row) {
    for (int column = 0; column < n; ++column) {
      float sum = 0;
      for (int i = 0; i < k; ++i) {
        const int at = row == uneven_row ? k - 1 - i : i;
        sum += a[row * lda + at] * b[column * ldb + at];
      }
      c[row * ldc + column] = sum;
    }
  }
}

namespace embedding {
namespace {

bool IsTaken(size_t in, size_t out) {
  const std::vector<float> weight = Random(out * in, 2);
  return PackBlasLinear(TeamOf(1), DType::kF32, {weight, {}, in, out}, Activation::kIdentity) !=
         nullptr;
}

TEST(UnevenBlas, IsNotTaken) {
  for (const int row : {0, 1, 17, 31}) {
    uneven_row = row;
    EXPECT_FALSE(IsTaken(384, 384)) << row;
    EXPECT_FALSE(IsTaken(33, 130)) << row;
  }
  uneven_row = -1;
  EXPECT_TRUE(IsTaken(384, 384));
}

// With one that adds them all alike: several chunks and blocks, the last of both not filled.
TEST(UnevenBlas, IsTakenWhereItIsEven) {
  constexpr size_t kRows = 70;
  constexpr size_t kIn = 9;
  constexpr size_t kOut = 301;
  uneven_row = -1;
  const std::vector<float> input = Random(kRows * kIn, 1);
  const std::vector<float> weight = Random(kOut * kIn, 2);
  const auto linear =
      PackBlasLinear(TeamOf(3), DType::kF32, {weight, {}, kIn, kOut}, Activation::kIdentity);
  ASSERT_NE(linear, nullptr);
  std::vector<float> output(kRows * kOut);
  linear->Run({input.data(), kRows, kIn}, {output.data(), kRows, kOut}, {});
  for (size_t row = 0; row < kRows; ++row) {
    for (size_t o = 0; o < kOut; ++o) {
      float sum = 0;
      for (size_t i = 0; i < kIn; ++i) sum += input[row * kIn + i] * weight[o * kIn + i];
      ASSERT_NEAR(output[row * kOut + o], sum, 1e-5) << row << ", " << o;
    }
  }
}

}  // namespace
}  // namespace embedding
