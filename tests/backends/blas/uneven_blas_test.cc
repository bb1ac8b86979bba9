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

}  // namespace
}  // namespace embedding
