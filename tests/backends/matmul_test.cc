#include "backends/cpu/matmul.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace embedding {
namespace {

constexpr double kEpsilon = std::numeric_limits<float>::epsilon();

std::vector<float> Random(size_t n, uint32_t seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(n);
  for (float& x : values) x = normal(generator);
  return values;
}

double Gelu(double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))); }

void ExpectMatchesReference(size_t rows, size_t in, size_t out, bool with_bias,
                            Activation activation) {
  const std::vector<float> input = Random(rows * in, 1);
  const std::vector<float> weight = Random(out * in, 2);
  const std::vector<float> bias = with_bias ? Random(out, 3) : std::vector<float>{};
  PackedMatMul matmul(weight, bias, in, out, activation);
  std::vector<float> output(rows * out);
  matmul.Run({input.data(), rows, in}, {output.data(), rows, out});
  for (size_t r = 0; r < rows; ++r) {
    for (size_t o = 0; o < out; ++o) {
      double sum = with_bias ? static_cast<double>(bias[o]) : 0;
      double norm = std::abs(sum);
      for (size_t i = 0; i < in; ++i) {
        const double term = static_cast<double>(input[r * in + i]) * weight[o * in + i];
        sum += term;
        norm += std::abs(term);
      }
      const double expected = activation == Activation::kGelu ? Gelu(sum) : sum;
      // Rounding of a sum grows with the sum of the terms' sizes; erf's approximation adds its own.
      ASSERT_NEAR(output[r * out + o], expected, 4 * kEpsilon * (norm + 1))
          << rows << " x " << in << " x " << out << ", row " << r << ", output " << o;
    }
  }
}

TEST(PackedMatMul, EqualsTheDefinitionForEveryNumberOfRows) {
  for (const size_t rows : {1, 2, 5, 7, 16, 17, 33, 64, 100, 513}) {
    ExpectMatchesReference(rows, 128, 96, true, Activation::kIdentity);
  }
}

TEST(PackedMatMul, TakesUnevenWidths) {
  ExpectMatchesReference(9, 8, 24, true, Activation::kIdentity);
  ExpectMatchesReference(9, 7, 13, true, Activation::kIdentity);
  ExpectMatchesReference(3, 1, 1, true, Activation::kIdentity);
}

TEST(PackedMatMul, WorksWithoutBias) {
  ExpectMatchesReference(20, 64, 64, false, Activation::kIdentity);
}

TEST(PackedMatMul, FusesTheErrorFunctionGelu) {
  ExpectMatchesReference(20, 16, 64, true, Activation::kGelu);
}

}  // namespace
}  // namespace embedding
