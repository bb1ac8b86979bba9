#include "backends/cpu/int8_linear.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <initializer_list>
#include <limits>
#include <span>
#include <type_traits>
#include <vector>

#include "backends/cpu/input_matrix.h"
#include "backends/cpu/linear.h"
#include "backends/each_target.h"
#include "backends/linear_checks.h"
#include "backends/random.h"
#include "backends/team.h"

namespace embedding {
namespace {

// As input_matrix.h defines them, a row of x [rows, columns] at a time: x becomes q - zero, scales
// the size of one step.
void RoundInput(size_t rows, std::vector<float>& x, std::vector<double>& scales) {
  const size_t columns = x.size() / rows;
  scales.resize(rows);
  for (size_t r = 0; r < rows; ++r) {
    const std::span<float> row = std::span(x).subspan(r * columns, columns);
    const auto [least, most] = std::minmax_element(row.begin(), row.end());
    const float low = std::min(*least, 0.0F);
    const float scale = std::max(*most, 0.0F) / 255.0F - low / 255.0F;
    const float zero = std::nearbyint(-low / scale);
    scales[r] = static_cast<double>(scale);
    for (float& value : row) {
      value = std::min(std::nearbyint(value * (1 / scale)), 255.0F - zero);
    }
  }
}

// q and scales of the weight x, [rows, columns].
void RoundWeight(size_t rows, std::vector<float>& x, std::vector<double>& scales) {
  const size_t columns = x.size() / rows;
  scales.resize(rows);
  for (size_t r = 0; r < rows; ++r) {
    float largest = 0;
    for (size_t i = 0; i < columns; ++i) largest = std::max(largest, std::abs(x[r * columns + i]));
    scales[r] = largest / 127.0;
    for (size_t i = 0; i < columns; ++i) {
      float& value = x[r * columns + i];
      value = std::nearbyint(value * (largest > 0 ? 127.0F / largest : 0.0F));
    }
  }
}

template <typename T>
InputMatrix ToInt8(size_t rows, size_t columns, const std::vector<T>& x) {
  InputMatrix activations(DType::kI8);
  activations.Resize(rows, columns);
  for (size_t r = 0; r < rows; ++r) activations.Set(r, x.data() + r * columns);
  return activations;
}

// In is what the activations are rounded from.
template <typename In, typename Out>
void ExpectInt8MatchesDefinition(size_t rows, size_t in, size_t out, Activation activation) {
  SCOPED_TRACE(testing::Message() << rows << " x " << in << " x " << out);
  constexpr DType kOutput = std::is_same_v<Out, float> ? DType::kF32 : DType::kBF16;
  std::vector<float> weight = Random(out * in, 2);
  const std::vector<float> bias = Random(out, 3);
  const auto linear = PackInt8Linear(TeamOf(2), kOutput, {weight, bias, in, out}, activation);
  std::vector<In> input;
  std::vector<float> exact_input;
  for (const float x : Random(rows * in, 1)) {
    input.emplace_back(x);
    exact_input.push_back(static_cast<float>(input.back()));
  }
  const InputMatrix activations = ToInt8(rows, in, input);
  std::vector<Out> output(rows * out);
  RowCount finished(rows);
  linear->Run(activations.View(0, rows), {output.data(), rows, out}, finished.Step());
  finished.ExpectEachOnce();

  std::vector<double> input_scales;
  std::vector<double> weight_scales;
  RoundInput(rows, exact_input, input_scales);
  RoundWeight(out, weight, weight_scales);
  constexpr double kOutEpsilon = std::is_same_v<Out, float> ? kEpsilon : 0x1p-8;
  for (size_t r = 0; r < rows; ++r) {
    for (size_t o = 0; o < out; ++o) {
      double sum = 0;
      for (size_t i = 0; i < in; ++i) {
        sum += static_cast<double>(exact_input[r * in + i]) * weight[o * in + i];
      }
      const double product = sum * input_scales[r] * weight_scales[o];
      double expected = product + static_cast<double>(bias[o]);
      const double size = std::abs(product) + std::abs(static_cast<double>(bias[o])) + 1;
      expected = Apply(activation, expected);
      ASSERT_NEAR(static_cast<float>(output[r * out + o]), expected, 4 * kOutEpsilon * size)
          << "row " << r << ", output " << o;
    }
  }
}

TEST(LinearInt8, EqualsTheDefinition) {
  ForEachTarget([&] {
    for (const size_t rows : std::initializer_list<size_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 33}) {
      ExpectInt8MatchesDefinition<float, float>(rows, 128, 96, Activation::kIdentity);
    }
    ExpectInt8MatchesDefinition<float, float>(3, 1, 1, Activation::kIdentity);
    ExpectInt8MatchesDefinition<float, float>(9, 7, 13, Activation::kGelu);
    for (const Activation activation : kActivations) {
      ExpectInt8MatchesDefinition<float, float>(5, 128, 40, activation);
    }
    ExpectInt8MatchesDefinition<float, float>(20, 4096, 64, Activation::kIdentity);
    // More rows than a cache holds.
    ExpectInt8MatchesDefinition<float, float>(300, 4096, 40, Activation::kIdentity);
    ExpectInt8MatchesDefinition<BFloat16, BFloat16>(9, 70, 37, Activation::kGelu);
    ExpectInt8MatchesDefinition<BFloat16, float>(17, 128, 64, Activation::kIdentity);
  });
}

TEST(LinearInt8, ZerosGiveTheBiasAndWhatIsNotFiniteGivesNaN) {
  const std::vector<float> weight = Random(40 * 64, 2);
  const std::vector<float> bias = Random(40, 3);
  std::vector<float> input(3 * 64);
  input[64 + 9] = std::numeric_limits<float>::quiet_NaN();
  input[128 + 63] = std::numeric_limits<float>::infinity();
  std::vector<float> output(3 * 40);
  ForEachTarget([&] {
    const InputMatrix activations = ToInt8(3, 64, input);
    PackInt8Linear(TeamOf(2), DType::kF32, {weight, bias, 64, 40}, Activation::kIdentity)
        ->Run(activations.View(0, 3), {output.data(), 3, 40}, {});
    for (size_t o = 0; o < 40; ++o) {
      ASSERT_EQ(output[o], bias[o]);
      ASSERT_TRUE(std::isnan(output[40 + o])) << o;
      ASSERT_TRUE(std::isnan(output[80 + o])) << o;
    }
    std::vector<float> bad_weight = weight;
    bad_weight[5 * 64 + 7] = std::numeric_limits<float>::infinity();
    PackInt8Linear(TeamOf(2), DType::kF32, {bad_weight, bias, 64, 40}, Activation::kIdentity)
        ->Run(activations.View(0, 1), {output.data(), 1, 40}, {});
    for (size_t o = 0; o < 40; ++o) ASSERT_EQ(std::isnan(output[o]), o == 5) << o;
  });
}

TEST(LinearInt8, TheLargestNumbersDoNotOverflow) {
  constexpr size_t kIn = 8192;
  const std::vector<float> ones(kIn, 1.0F);
  const std::vector<float> minus_ones(kIn, -1.0F);
  ForEachTarget([&] {
    const InputMatrix activations = ToInt8(1, kIn, ones);
    for (const auto* weight : {&ones, &minus_ones}) {
      float output = 0;
      PackInt8Linear(TeamOf(2), DType::kF32, {*weight, {}, kIn, 1}, Activation::kIdentity)
          ->Run(activations.View(0, 1), {&output, 1, 1}, {});
      ASSERT_NEAR(output, weight->front() * kIn, kIn * 4 * kEpsilon);
    }
  });
}

}  // namespace
}  // namespace embedding
