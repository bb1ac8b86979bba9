#include "backends/cpu/matmul.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <random>
#include <vector>

#include "backends/cpu/onednn_matmul.h"
#include "backends/cpu/panel_matmul.h"
#include "backends/each_target.h"

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

using MakeF32 = std::unique_ptr<MatMul<float, float>> (*)(const LinearParameters&, Activation);

void ExpectMatchesReference(MakeF32 make, size_t rows, size_t in, size_t out, bool with_bias,
                            Activation activation) {
  const std::vector<float> input = Random(rows * in, 1);
  const std::vector<float> weight = Random(out * in, 2);
  const std::vector<float> bias = with_bias ? Random(out, 3) : std::vector<float>{};
  const auto matmul = make({weight, bias, in, out}, activation);
  std::vector<float> output(rows * out);
  matmul->Run({input.data(), rows, in}, {output.data(), rows, out});
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

// The two implementations of f32, each against the definition.
class MatMulF32 : public testing::TestWithParam<MakeF32> {};
INSTANTIATE_TEST_SUITE_P(OneDnn, MatMulF32, testing::Values(&PackOneDnnMatMul<float, float>));
INSTANTIATE_TEST_SUITE_P(Panel, MatMulF32, testing::Values(&PackPanelMatMul));

TEST_P(MatMulF32, EqualsTheDefinitionForEveryNumberOfRows) {
  ForEachTarget([&] {
    for (const size_t rows : std::initializer_list<size_t>{1, 2, 5, 7, 16, 17, 33, 64, 100, 513}) {
      ExpectMatchesReference(GetParam(), rows, 128, 96, true, Activation::kIdentity);
    }
  });
}

TEST_P(MatMulF32, TakesUnevenWidths) {
  ForEachTarget([&] {
    ExpectMatchesReference(GetParam(), 9, 8, 24, true, Activation::kIdentity);
    ExpectMatchesReference(GetParam(), 9, 7, 13, true, Activation::kGelu);
    ExpectMatchesReference(GetParam(), 3, 1, 1, true, Activation::kIdentity);
    ExpectMatchesReference(GetParam(), 13, 700, 37, true, Activation::kIdentity);
  });
}

TEST_P(MatMulF32, WorksWithoutBias) {
  ExpectMatchesReference(GetParam(), 20, 64, 64, false, Activation::kIdentity);
}

TEST_P(MatMulF32, FusesTheErrorFunctionGelu) {
  ForEachTarget([&] { ExpectMatchesReference(GetParam(), 20, 16, 64, true, Activation::kGelu); });
}

TEST_P(MatMulF32, ARowDoesNotDependOnTheOthers) {
  constexpr size_t kIn = 1024;
  constexpr size_t kOut = 96;
  const std::vector<float> input = Random(40 * kIn, 1);
  const std::vector<float> weight = Random(kOut * kIn, 2);
  const auto matmul = GetParam()({weight, {}, kIn, kOut}, Activation::kIdentity);
  std::vector<float> together(40 * kOut);
  matmul->Run({input.data(), 40, kIn}, {together.data(), 40, kOut});
  for (size_t row = 0; row < 40; ++row) {
    std::vector<float> alone(kOut);
    matmul->Run({input.data() + row * kIn, 1, kIn}, {alone.data(), 1, kOut});
    for (size_t o = 0; o < kOut; ++o) ASSERT_EQ(alone[o], together[row * kOut + o]) << row;
  }
}

TEST(MatMulBf16, IsTheF32ProductOfRoundedNumbersWhereTheProcessorHasIt) {
  constexpr size_t kRows = 20;
  constexpr size_t kIn = 256;
  constexpr size_t kOut = 64;
  std::vector<float> weight = Random(kOut * kIn, 2);
  for (float& w : weight) w = static_cast<float>(BFloat16(w));
  const LinearParameters parameters{weight, {}, kIn, kOut};
  if (!OneDnnPacksBf16()) {
    GTEST_SKIP() << "this processor does not multiply bf16";
  }
  std::vector<float> input = Random(kRows * kIn, 1);
  std::vector<BFloat16> rounded;
  for (float& x : input) {
    rounded.emplace_back(x);
    x = static_cast<float>(rounded.back());
  }
  std::vector<float> expected(kRows * kOut);
  PackPanelMatMul(parameters, Activation::kIdentity)
      ->Run({input.data(), kRows, kIn}, {expected.data(), kRows, kOut});
  std::vector<float> f32(kRows * kOut);
  PackOneDnnMatMul<BFloat16, float>(parameters, Activation::kIdentity)
      ->Run({rounded.data(), kRows, kIn}, {f32.data(), kRows, kOut});
  std::vector<BFloat16> bf16(kRows * kOut);
  PackOneDnnMatMul<BFloat16, BFloat16>(parameters, Activation::kIdentity)
      ->Run({rounded.data(), kRows, kIn}, {bf16.data(), kRows, kOut});
  const double sum_of_sizes = kIn;  // of products of two numbers of size 1
  for (size_t i = 0; i < expected.size(); ++i) {
    ASSERT_NEAR(f32[i], expected[i], 4 * kEpsilon * sum_of_sizes);
    ASSERT_EQ(static_cast<float>(bf16[i]), static_cast<float>(BFloat16(f32[i])));
  }
}

}  // namespace
}  // namespace embedding
