// Products with sums and inputs of f32.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <initializer_list>
#include <limits>
#include <memory>
#include <vector>

#include "backends/cpu/input_matrix.h"
#include "backends/cpu/linear.h"
#include "backends/each_target.h"
#include "backends/linear_checks.h"
#include "backends/random.h"
#include "backends/team.h"

namespace embedding {
namespace {

std::vector<float> RandomOfF16(size_t size) {
  std::vector<float> numbers = Random(size, 2);
  for (float& x : numbers) x = std::nearbyint(x * 256) / 256;
  return numbers;
}

void ExpectMatchesReference(DType weight_type, size_t rows, size_t in, size_t out, bool with_bias,
                            Activation activation, size_t threads = 2) {
  const std::vector<float> input = Random(rows * in, 1);
  const std::vector<float> weight = RandomOfF16(out * in);
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
    // More rows than a cache holds.
    ExpectMatchesReference(GetParam(), 200, 4096, 40, true, Activation::kIdentity);
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

// A row, or an output feature's weight, with one number that is none; the others are what they are.
TEST_P(LinearF32, WhatIsNotFiniteIsNoNumberWhereItCounts) {
  constexpr size_t kIn = 100;
  constexpr size_t kOut = 40;
  constexpr float kInfinite = std::numeric_limits<float>::infinity();
  ForEachTarget([&] {
    for (const float none : {kInfinite, std::numeric_limits<float>::quiet_NaN()}) {
      std::vector<float> input = Random(3 * kIn, 1);
      std::vector<float> weight = Random(kOut * kIn, 2);
      input[kIn + 70] = none;
      const bool in_weight = GetParam() == DType::kF32;  // f16's are checked where they are read
      if (in_weight) weight[7 * kIn + 3] = none;
      std::vector<float> output(3 * kOut);
      PackByOwnKernels(TeamOf(2), {GetParam()}, {weight, {}, kIn, kOut}, Activation::kIdentity)
          ->Run({input.data(), 3, kIn}, {output.data(), 3, kOut}, {});
      for (size_t row = 0; row < 3; ++row) {
        for (size_t o = 0; o < kOut; ++o) {
          EXPECT_EQ(std::isfinite(output[row * kOut + o]), row != 1 && !(in_weight && o == 7))
              << row << ' ' << o;
        }
      }
    }
  });
}

TEST_P(LinearF32, TakesRowsOfZerosOfSmallNumbersAndOfLargeOnes) {
  constexpr size_t kIn = 300;
  constexpr size_t kOut = 40;
  const std::vector<float> input = Random(kIn, 1);
  const std::vector<float> weight = RandomOfF16(kOut * kIn);
  ForEachTarget([&] {
    for (const float size : {0.0F, 1e-20F, 1e20F}) {
      std::vector<float> scaled = input;
      for (float& x : scaled) x *= size;
      std::vector<float> output(kOut);
      PackByOwnKernels(TeamOf(2), {GetParam()}, {weight, {}, kIn, kOut}, Activation::kIdentity)
          ->Run({scaled.data(), 1, kIn}, {output.data(), 1, kOut}, {});
      if (size == 0) {
        EXPECT_EQ(output, std::vector<float>(kOut));
        continue;
      }
      for (float& y : output) y /= size;
      ExpectProduct(output, input, {weight, {}, kIn, kOut}, Activation::kIdentity);
    }
  });
}

// What is beside it keeps the bits that slices have for it: slices.h.
TEST_P(LinearF32, TakesARowWithOneLargeNumber) {
  constexpr size_t kIn = 300;
  constexpr size_t kOut = 40;
  constexpr float kLarge = 1000;
  std::vector<float> input = Random(kIn, 1);
  input.back() = kLarge;
  const std::vector<float> weight = RandomOfF16(kOut * kIn);
  ForEachTarget([&] {
    std::vector<float> output(kOut);
    PackByOwnKernels(TeamOf(2), {GetParam()}, {weight, {}, kIn, kOut}, Activation::kIdentity)
        ->Run({input.data(), 1, kIn}, {output.data(), 1, kOut}, {});
    for (size_t o = 0; o < kOut; ++o) {
      double expected = 0;
      double squares = 0;
      for (size_t i = 0; i < kIn; ++i) {
        const double w = weight[o * kIn + i];
        expected += input[i] * w;
        squares += w * w;
      }
      EXPECT_NEAR(output[o], expected, 0x1p-22 * kLarge * std::sqrt(squares)) << o;
    }
  });
}

// In the form that InputMatrix gives them, and by way of what another pass has written.
TEST_P(LinearF32, TakesRowsThatAreArranged) {
  constexpr size_t kRows = 37;
  constexpr size_t kIn = 200;
  constexpr size_t kOut = 70;
  const std::vector<float> input = Random(kRows * kIn, 1);
  const std::vector<float> weight = Random(kOut * kIn, 2);
  ForEachTarget([&] {
    const auto linear =
        PackByOwnKernels(TeamOf(2), {GetParam()}, {weight, {}, kIn, kOut}, Activation::kIdentity);
    const auto run = [&](const InputView& view) {
      std::vector<float> output(kRows * kOut);
      linear->Run(view, {output.data(), kRows, kOut}, {});
      return output;
    };
    const std::vector<float> expected = run({input.data(), kRows, kIn});
    InputMatrix arranged(GetParam());
    arranged.Resize(kRows, kIn);
    for (size_t r = 0; r < kRows; ++r) arranged.Set(r, input.data() + r * kIn);
    EXPECT_EQ(run(arranged.View(0, kRows)), expected);
    Handover handover(DType::kF32, GetParam(), Handover::Writer::kProduct);
    handover.Resize(kRows, kIn);
    std::copy(input.begin(), input.end(), static_cast<float*>(handover.Output(kRows).data));
    if (const RowEpilogue end = handover.Epilogue()) end(0, kRows);
    EXPECT_EQ(run(handover.View(0, kRows)), expected);
  });
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
