#include "backends/cpu/norms.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <span>
#include <vector>

#include "backends/each_target.h"

namespace embedding {
namespace {

constexpr double kEpsilon = std::numeric_limits<float>::epsilon();

TensorView View(const std::vector<float>& numbers) {
  return {
      DType::kF32, {static_cast<int64_t>(numbers.size())}, std::as_bytes(std::span(numbers)), {}};
}

// The definition, in double.
std::vector<double> Reference(const Norm& norm, const std::vector<float>& x,
                              const std::vector<float>& weight, const std::vector<float>& bias,
                              double& shift, double& deviation) {
  const auto n = static_cast<double>(x.size());
  double sum = 0;
  for (const float v : x) sum += static_cast<double>(v);
  shift = norm.kind == NormKind::kLayer ? sum / n : 0;
  double squares = 0;
  for (const float v : x) squares += (v - shift) * (v - shift);
  deviation = std::sqrt(squares / n + static_cast<double>(norm.eps));
  std::vector<double> out;
  for (size_t i = 0; i < x.size(); ++i) {
    const double factor = weight[i] + (norm.plus_one ? 1.0 : 0.0);
    out.push_back((x[i] - shift) / deviation * factor + (norm.has_bias() ? bias[i] : 0.0));
  }
  return out;
}

void ExpectMatchesReference(const Norm& norm, size_t rows, size_t size, float mean,
                            bool with_residual) {
  std::mt19937 generator(5);
  std::normal_distribution<float> normal(mean, 1);
  const auto random = [&](size_t n) {
    std::vector<float> values(n);
    for (float& x : values) x = normal(generator);
    return values;
  };
  const std::vector<float> weight = random(size);
  const std::vector<float> bias = random(size);
  NormTensors tensors = {View(weight), {}};
  if (norm.has_bias()) tensors.bias = View(bias);
  const NormParameters parameters(tensors, norm);
  for (size_t r = 0; r < rows; ++r) {
    std::vector<float> x = random(size);
    const std::vector<float> residual = random(size);
    std::vector<float> added = x;  // the sum of both is rounded to f32 first, here as there
    for (size_t i = 0; with_residual && i < size; ++i) added[i] += residual[i];
    if (with_residual) {
      AddNormalize(parameters, x.data(), residual.data());
    } else {
      Normalize(parameters, x.data(), x.data());
    }
    double shift = 0;
    double deviation = 0;
    const std::vector<double> expected = Reference(norm, added, weight, bias, shift, deviation);
    for (size_t i = 0; i < size; ++i) {
      const double normalised = (added[i] - shift) / deviation;
      const double tolerance =
          8 * kEpsilon *
          ((std::abs(weight[i]) + 1.0) * (std::abs(shift) / deviation + std::abs(normalised) + 1) +
           std::abs(bias[i]));
      ASSERT_NEAR(x[i], expected[i], tolerance) << "row " << r << " component " << i;
    }
  }
}

constexpr Norm kNorms[] = {
    {.eps = 1e-5F},
    {.eps = 1e-5F, .bias = false},
    {.eps = 1e-6F, .kind = NormKind::kRms},
    {.eps = 1e-6F, .kind = NormKind::kRms, .plus_one = true},
};

TEST(Norms, EqualTheDefinition) {
  ForEachTarget([] {
    for (const Norm& norm : kNorms) {
      for (const size_t size : std::initializer_list<size_t>{1, 8, 15, 64, 100, 384, 1024}) {
        ExpectMatchesReference(norm, 17, size, 0, true);
        ExpectMatchesReference(norm, 17, size, 0, false);
      }
    }
  });
}

TEST(Norms, AMeanFarFromZeroDoesNotCancel) {
  ForEachTarget([] { ExpectMatchesReference(kNorms[0], 3, 384, 1000, true); });
}

}  // namespace
}  // namespace embedding
