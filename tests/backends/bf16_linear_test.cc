// Products of bf16.
#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <vector>

#include "backends/cpu/input_matrix.h"
#include "backends/cpu/linear.h"
#include "backends/cpu/panel_linear.h"
#include "backends/cpu/panel_tile.h"
#include "backends/each_target.h"
#include "backends/linear_checks.h"
#include "backends/random.h"
#include "backends/team.h"

namespace embedding {
namespace {

std::unique_ptr<Linear> PackBf16(DType output, const LinearWeights& weights,
                                 Activation activation) {
  return PackPanelLinear(TeamOf(2), {DType::kBF16, output}, weights, activation);
}

void ExpectF32ProductOfRoundedNumbers(size_t rows, size_t in, size_t out, Activation activation) {
  SCOPED_TRACE(testing::Message() << rows << " x " << in << " x " << out);
  std::vector<float> weight = Random(out * in, 2);
  for (float& w : weight) w = static_cast<float>(BFloat16(w));
  const std::vector<float> bias = Random(out, 3);
  const LinearWeights parameters{weight, bias, in, out};
  std::vector<float> input = Random(rows * in, 1);
  std::vector<BFloat16> rounded;
  for (float& x : input) {
    rounded.emplace_back(x);
    x = static_cast<float>(rounded.back());
  }
  std::vector<float> expected(rows * out);
  PackPanelLinear(TeamOf(2), LinearTypes(), parameters, activation)
      ->Run({input.data(), rows, in}, {expected.data(), rows, out}, {});
  std::vector<float> f32(rows * out);
  RowCount finished(rows);
  PackBf16(DType::kF32, parameters, activation)
      ->Run({rounded.data(), rows, in}, {f32.data(), rows, out}, finished.Step());
  finished.ExpectEachOnce();
  std::vector<BFloat16> bf16(rows * out);
  PackBf16(DType::kBF16, parameters, activation)
      ->Run({rounded.data(), rows, in}, {bf16.data(), rows, out}, {});
  const auto sum_of_sizes = static_cast<double>(in);  // of products of two numbers of size 1
  for (size_t i = 0; i < expected.size(); ++i) {
    ASSERT_NEAR(f32[i], expected[i], 4 * kEpsilon * (sum_of_sizes + 1));
    if (activation == Activation::kGelu) {  // which is another function where it is rounded
      ASSERT_NEAR(static_cast<float>(bf16[i]), f32[i], 3.5e-5 + std::abs(f32[i]) / 256);
    } else {
      ASSERT_EQ(static_cast<float>(bf16[i]), static_cast<float>(BFloat16(f32[i])));
    }
  }
}

TEST(LinearBf16, IsTheF32ProductOfRoundedNumbersWhereTheProcessorHasIt) {
  if (!PanelsMultiplyBf16()) GTEST_SKIP() << "this processor does not multiply bf16";
  ForEachTarget([] {
    if (!PanelsMultiplyBf16()) return;
    const auto expect = ExpectF32ProductOfRoundedNumbers;
    for (const size_t rows : std::initializer_list<size_t>{1, 2, 3, 4, 5, 6, 7, 16, 17, 20, 40}) {
      expect(rows, 256, 64, Activation::kIdentity);
    }
    expect(20, 4096, 128, Activation::kIdentity);  // more than a block of features
    expect(70, 4096, 40, Activation::kIdentity);
    expect(300, 4096, 40, Activation::kIdentity);  // more rows than a cache holds
    expect(9, 70, 37, Activation::kGelu);
    expect(9, 7, 13, Activation::kIdentity);
    for (const Activation activation : kActivations) expect(21, 70, 64, activation);
    for (const size_t rows : std::initializer_list<size_t>{33, 129, 251}) {
      expect(rows, 64, 300, Activation::kGelu);
    }
  });
}

void ExpectRowsDoNotDependOnOneAnother(size_t rows, size_t in, size_t step) {
  constexpr size_t kOut = 70;
  std::vector<BFloat16> input;
  for (const float x : Random(rows * in, 1)) input.emplace_back(x);
  const std::vector<float> weight = Random(kOut * in, 2);
  ForEachTarget([&] {
    if (!PanelsMultiplyBf16()) return;
    const auto linear = PackBf16(DType::kF32, {weight, {}, in, kOut}, Activation::kIdentity);
    std::vector<float> together(rows * kOut);
    linear->Run({input.data(), rows, in}, {together.data(), rows, kOut}, {});
    for (size_t row = 0; row < rows; row += step) {
      std::vector<float> alone(kOut);
      linear->Run({input.data() + row * in, 1, in}, {alone.data(), 1, kOut}, {});
      for (size_t o = 0; o < kOut; ++o) ASSERT_EQ(alone[o], together[row * kOut + o]) << row;
    }
  });
}

// Also where the processor multiplies rows in pairs, or sixteen at a time; and where there are so
// many that not all features are multiplied at once.
TEST(LinearBf16, ARowDoesNotDependOnTheOthers) {
  if (!PanelsMultiplyBf16()) GTEST_SKIP() << "this processor does not multiply bf16";
  ExpectRowsDoNotDependOnOneAnother(45, 1030, 1);
  ExpectRowsDoNotDependOnOneAnother(300, 4100, 23);
}

// As the encoder's passes hand them on, in whatever order the kernel takes them.
TEST(LinearBf16, IsTheSameOfRowsThatAreArranged) {
  if (!PanelsMultiplyBf16()) GTEST_SKIP() << "this processor does not multiply bf16";
  constexpr size_t kOut = 70;
  ForEachTarget([&] {
    if (!PanelsMultiplyBf16()) return;
    for (const size_t in : std::initializer_list<size_t>{7, 64, 70, 1030}) {
      const std::vector<float> weight = Random(kOut * in, 2);
      const auto linear = PackBf16(DType::kF32, {weight, {}, in, kOut}, Activation::kIdentity);
      for (const size_t rows : std::initializer_list<size_t>{1, 16, 17, 45, 100}) {
        const std::vector<float> numbers = Random(rows * in, 1);
        std::vector<BFloat16> input;
        for (const float x : numbers) input.emplace_back(x);
        std::vector<float> expected(rows * kOut);
        linear->Run({input.data(), rows, in}, {expected.data(), rows, kOut}, {});
        InputMatrix arranged(DType::kBF16);
        arranged.Resize(rows, in);
        std::vector<float> output(rows * kOut);
        for (size_t r = 0; r < rows; ++r) arranged.Set(r, numbers.data() + r * in);
        linear->Run(arranged.View(0, rows), {output.data(), rows, kOut}, {});
        ASSERT_EQ(output, expected) << rows << " x " << in;
        if (rows <= kTileRows) continue;
        const size_t left = rows - kTileRows;  // a later view
        output.assign(left * kOut, 0);
        linear->Run(arranged.View(kTileRows, left), {output.data(), left, kOut}, {});
        expected.erase(expected.begin(), expected.begin() + kTileRows * kOut);
        ASSERT_EQ(output, expected) << rows << " x " << in;
      }
    }
  });
}

}  // namespace
}  // namespace embedding
