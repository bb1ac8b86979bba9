#include "backends/cpu/layer_norm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "backends/each_target.h"

namespace embedding {
namespace {

constexpr double kEpsilon = std::numeric_limits<float>::epsilon();

void ExpectMatchesReference(size_t rows, size_t size, float mean, bool with_residual) {
  std::mt19937 generator(5);
  std::normal_distribution<float> normal(mean, 1);
  const auto random = [&](size_t n) {
    std::vector<float> values(n);
    for (float& x : values) x = normal(generator);
    return values;
  };
  const std::vector<float> input = random(rows * size);
  const std::vector<float> residual = random(rows * size);
  const std::vector<float> gamma = random(size);
  const std::vector<float> beta = random(size);
  constexpr float kEps = 1e-5F;

  std::vector<float> x = input;
  for (size_t r = 0; r < rows; ++r) {
    AddLayerNorm(x.data() + r * size, with_residual ? residual.data() + r * size : nullptr,
                 {gamma, beta, kEps});
    std::vector<double> row(size);
    double sum = 0;
    for (size_t i = 0; i < size; ++i) {
      // The sum of both is rounded to f32 first, here as there.
      const float added =
          with_residual ? input[r * size + i] + residual[r * size + i] : input[r * size + i];
      sum += row[i] = static_cast<double>(added);
    }
    const double average = sum / static_cast<double>(size);
    double squares = 0;
    for (const double v : row) squares += (v - average) * (v - average);
    const double deviation =
        std::sqrt(squares / static_cast<double>(size) + static_cast<double>(kEps));
    for (size_t i = 0; i < size; ++i) {
      const double normalised = (row[i] - average) / deviation;
      const double expected = normalised * gamma[i] + beta[i];
      const double tolerance =
          8 * kEpsilon *
          (std::abs(gamma[i]) * (std::abs(average) / deviation + std::abs(normalised) + 1) +
           std::abs(beta[i]));
      ASSERT_NEAR(x[r * size + i], expected, tolerance) << "row " << r << " component " << i;
    }
  }
}

TEST(AddLayerNorm, EqualsTheDefinition) {
  ForEachTarget([] {
    for (const size_t size : std::initializer_list<size_t>{1, 8, 15, 64, 100, 384, 1024}) {
      ExpectMatchesReference(17, size, 0, true);
      ExpectMatchesReference(17, size, 0, false);
    }
  });
}

TEST(AddLayerNorm, AMeanFarFromZeroDoesNotCancel) {
  ForEachTarget([] { ExpectMatchesReference(3, 384, 1000, true); });
}

}  // namespace
}  // namespace embedding
