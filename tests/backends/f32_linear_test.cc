// Products with sums and inputs of f32.
#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <initializer_list>
#include <limits>
#include <memory>
#include <vector>

#include "backends/cpu/linear.h"
#include "backends/each_target.h"
#include "backends/linear_checks.h"
#include "backends/random.h"
#include "backends/team.h"

namespace embedding {
namespace {

void ExpectMatchesReference(DType weight_type, size_t rows, size_t in, size_t out, bool with_bias,
                            Activation activation, size_t threads = 2) {
  const std::vector<float> input = Random(rows * in, 1);
  std::vector<float> weight = Random(out * in, 2);
  for (float& w : weight) w = std::nearbyint(w * 256) / 256;  // a number of f16
  const std::vector<float> bias = with_bias ? Random(out, 3) : std::vector<float>{};
  const auto linear =
      PackByOwnKernels(TeamOf(threads), {weight_type}, {weight, bias, in, out}, activation);
  std::vector<float> output(rows * out);
  linear->Run({input.data(), rows, in}, {output.data(), rows, out}, {});
  ExpectProduct(output, input, {weight, bias, in, out}, activation);
}

// The implementations with sums of f32, each against the definition.
class LinearF32 : public testing::TestWithParam<DType> {};
INSTANTIATE_TEST_SUITE_P(F32, LinearF32, testing::Values(DType::kF32));
INSTANTIATE_TEST_SUITE_P(OfF16, LinearF32, testing::Values(DType::kF16));

TEST_P(LinearF32, EqualsTheDefinitionForEveryNumberOfRows) {
  ForEachTarget([&] {
    for (const size_t rows : std::initializer_list<size_t>{1, 2, 5, 7, 16, 17, 33, 64, 100, 513}) {
      ExpectMatchesReference(GetParam(), rows, 128, 96, true, Activation::kIdentity);
    }
  });
}

TEST_P(LinearF32, TakesUnevenWidths) {
  ForEachTarget([&] {
    ExpectMatchesReference(GetParam(), 9, 8, 24, true, Activation::kIdentity);
    ExpectMatchesReference(GetParam(), 9, 7, 13, true, Activation::kGelu);
    ExpectMatchesReference(GetParam(), 3, 1, 1, true, Activation::kIdentity);
    ExpectMatchesReference(GetParam(), 13, 700, 37, true, Activation::kIdentity);
    ExpectMatchesReference(GetParam(), 13, 2100, 70, true, Activation::kGelu);
  });
}

TEST_P(LinearF32, WorksWithoutBias) {
  ExpectMatchesReference(GetParam(), 20, 64, 64, false, Activation::kIdentity);
}

TEST_P(LinearF32, FusesEveryActivation) {
  ForEachTarget([&] {
    for (const Activation activation : kActivations) {
      SCOPED_TRACE(static_cast<int>(activation));
      ExpectMatchesReference(GetParam(), 20, 16, 64, true, activation);
      ExpectMatchesReference(GetParam(), 3, 700, 37, true, activation);  // of large numbers too
    }
  });
}

TEST_P(LinearF32, NoActivationMakesANumberOfWhatIsNone) {
  const std::vector<float> weight = Random(40 * 64, 2);
  const std::vector<float> bias = Random(40, 3);
  const std::vector<float> input(64, std::numeric_limits<float>::quiet_NaN());
  ForEachTarget([&] {
    for (const Activation activation : kActivations) {
      std::vector<float> output(40);
      PackByOwnKernels(TeamOf(1), {GetParam()}, {weight, bias, 64, 40}, activation)
          ->Run({input.data(), 1, 64}, {output.data(), 1, 40}, {});
      for (const float y : output) EXPECT_TRUE(std::isnan(y)) << static_cast<int>(activation);
    }
  });
}

// LayerNorm and rounding read whole rows.
TEST_P(LinearF32, FinishesTheRowsWhenTheyAreWhole) {
  constexpr size_t kRows = 13;
  constexpr size_t kIn = 40;
  constexpr size_t kOut = 200;  // several panels
  const std::vector<float> input(kRows * kIn, 1.0F);
  const std::vector<float> weight(kOut * kIn, 0.5F);
  std::vector<float> output(kRows * kOut);
  std::vector<float> sums(kRows);
  PackByOwnKernels(TeamOf(3), {GetParam()}, {weight, {}, kIn, kOut}, Activation::kIdentity)
      ->Run({input.data(), kRows, kIn}, {output.data(), kRows, kOut},
            [&](size_t begin, size_t end) {
              for (size_t r = begin; r < end; ++r) {
                for (size_t o = 0; o < kOut; ++o) sums[r] += output[r * kOut + o];
              }
            });
  for (const float sum : sums) EXPECT_FLOAT_EQ(sum, kOut * kIn * 0.5F);
}

// Rows are split among the threads where there are more of those than panels.
TEST_P(LinearF32, TakesAnyNumberOfThreads) {
  for (const size_t threads : std::initializer_list<size_t>{1, 2, 3}) {
    for (const size_t rows : std::initializer_list<size_t>{1, 13, 100}) {
      ExpectMatchesReference(GetParam(), rows, 1030, 70, true, Activation::kIdentity, threads);
    }
  }
}

TEST_P(LinearF32, ARowDoesNotDependOnTheOthers) {
  constexpr size_t kIn = 1024;
  constexpr size_t kOut = 96;
  const std::vector<float> input = Random(40 * kIn, 1);
  const std::vector<float> weight = Random(kOut * kIn, 2);
  const auto linear =
      PackByOwnKernels(TeamOf(2), {GetParam()}, {weight, {}, kIn, kOut}, Activation::kIdentity);
  std::vector<float> together(40 * kOut);
  linear->Run({input.data(), 40, kIn}, {together.data(), 40, kOut}, {});
  for (size_t row = 0; row < 40; ++row) {
    std::vector<float> alone(kOut);
    linear->Run({input.data() + row * kIn, 1, kIn}, {alone.data(), 1, kOut}, {});
    for (size_t o = 0; o < kOut; ++o) ASSERT_EQ(alone[o], together[row * kOut + o]) << row;
  }
}

}  // namespace
}  // namespace embedding
