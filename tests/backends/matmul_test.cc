#include "backends/cpu/matmul.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "backends/cpu/activations.h"
#include "backends/cpu/int8_matmul.h"
#include "backends/cpu/onednn_matmul.h"
#include "backends/cpu/panel_matmul.h"
#include "backends/each_target.h"
#include "backends/team.h"

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

// What a product's `finish` was given.
class RowCount {
 public:
  explicit RowCount(size_t rows) : times_(rows) {}
  FinishRows Step() {
    return [this](size_t begin, size_t end) {
      for (size_t r = begin; r < end; ++r) ++times_[r];
    };
  }
  void ExpectEachOnce() const {
    for (const int n : times_) EXPECT_EQ(n, 1);
  }

 private:
  std::vector<int> times_;
};

using MakeF32 = std::unique_ptr<MatMul<float, float>> (*)(ThreadTeam&, const LinearParameters&,
                                                          Activation);

void ExpectMatchesReference(MakeF32 make, size_t rows, size_t in, size_t out, bool with_bias,
                            Activation activation, size_t threads = 2) {
  const std::vector<float> input = Random(rows * in, 1);
  std::vector<float> weight = Random(out * in, 2);
  for (float& w : weight) w = std::nearbyint(w * 256) / 256;  // a number of f16
  const std::vector<float> bias = with_bias ? Random(out, 3) : std::vector<float>{};
  const auto matmul = make(TeamOf(threads), {weight, bias, in, out}, activation);
  std::vector<float> output(rows * out);
  matmul->Run({input.data(), rows, in}, {output.data(), rows, out}, {});
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

// The implementations with sums of f32, each against the definition.
class MatMulF32 : public testing::TestWithParam<MakeF32> {};
INSTANTIATE_TEST_SUITE_P(Panel, MatMulF32, testing::Values(&PackPanelMatMul<float, float>));
INSTANTIATE_TEST_SUITE_P(PanelOfF16, MatMulF32, testing::Values(&PackF16PanelMatMul));

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
    ExpectMatchesReference(GetParam(), 13, 2100, 70, true, Activation::kGelu);
  });
}

TEST_P(MatMulF32, WorksWithoutBias) {
  ExpectMatchesReference(GetParam(), 20, 64, 64, false, Activation::kIdentity);
}

TEST_P(MatMulF32, FusesTheErrorFunctionGelu) {
  ForEachTarget([&] { ExpectMatchesReference(GetParam(), 20, 16, 64, true, Activation::kGelu); });
}

// LayerNorm and rounding read whole rows.
TEST_P(MatMulF32, FinishesTheRowsWhenTheyAreWhole) {
  constexpr size_t kRows = 13;
  constexpr size_t kIn = 40;
  constexpr size_t kOut = 200;  // several panels
  const std::vector<float> input(kRows * kIn, 1.0F);
  const std::vector<float> weight(kOut * kIn, 0.5F);
  std::vector<float> output(kRows * kOut);
  std::vector<float> sums(kRows);
  GetParam()(TeamOf(3), {weight, {}, kIn, kOut}, Activation::kIdentity)
      ->Run({input.data(), kRows, kIn}, {output.data(), kRows, kOut},
            [&](size_t begin, size_t end) {
              for (size_t r = begin; r < end; ++r) {
                for (size_t o = 0; o < kOut; ++o) sums[r] += output[r * kOut + o];
              }
            });
  for (const float sum : sums) EXPECT_EQ(sum, kOut * kIn * 0.5F);
}

// Rows are split among the threads where there are more of those than panels.
TEST_P(MatMulF32, TakesAnyNumberOfThreads) {
  for (const size_t threads : std::initializer_list<size_t>{1, 2, 3}) {
    for (const size_t rows : std::initializer_list<size_t>{1, 13, 100}) {
      ExpectMatchesReference(GetParam(), rows, 1030, 70, true, Activation::kIdentity, threads);
    }
  }
}

TEST_P(MatMulF32, ARowDoesNotDependOnTheOthers) {
  constexpr size_t kIn = 1024;
  constexpr size_t kOut = 96;
  const std::vector<float> input = Random(40 * kIn, 1);
  const std::vector<float> weight = Random(kOut * kIn, 2);
  const auto matmul = GetParam()(TeamOf(2), {weight, {}, kIn, kOut}, Activation::kIdentity);
  std::vector<float> together(40 * kOut);
  matmul->Run({input.data(), 40, kIn}, {together.data(), 40, kOut}, {});
  for (size_t row = 0; row < 40; ++row) {
    std::vector<float> alone(kOut);
    matmul->Run({input.data() + row * kIn, 1, kIn}, {alone.data(), 1, kOut}, {});
    for (size_t o = 0; o < kOut; ++o) ASSERT_EQ(alone[o], together[row * kOut + o]) << row;
  }
}

using MakeBf16ToF32 = std::unique_ptr<MatMul<BFloat16, float>> (*)(ThreadTeam&,
                                                                   const LinearParameters&,
                                                                   Activation);
using MakeBf16 = std::unique_ptr<MatMul<BFloat16, BFloat16>> (*)(ThreadTeam&,
                                                                 const LinearParameters&,
                                                                 Activation);

void ExpectF32ProductOfRoundedNumbers(MakeBf16ToF32 to_f32, MakeBf16 to_bf16, size_t rows,
                                      size_t in, size_t out, Activation activation) {
  SCOPED_TRACE(testing::Message() << rows << " x " << in << " x " << out);
  std::vector<float> weight = Random(out * in, 2);
  for (float& w : weight) w = static_cast<float>(BFloat16(w));
  const std::vector<float> bias = Random(out, 3);
  const LinearParameters parameters{weight, bias, in, out};
  std::vector<float> input = Random(rows * in, 1);
  std::vector<BFloat16> rounded;
  for (float& x : input) {
    rounded.emplace_back(x);
    x = static_cast<float>(rounded.back());
  }
  std::vector<float> expected(rows * out);
  PackPanelMatMul<float, float>(TeamOf(2), parameters, activation)
      ->Run({input.data(), rows, in}, {expected.data(), rows, out}, {});
  std::vector<float> f32(rows * out);
  RowCount finished(rows);
  to_f32(TeamOf(2), parameters, activation)
      ->Run({rounded.data(), rows, in}, {f32.data(), rows, out}, finished.Step());
  finished.ExpectEachOnce();
  std::vector<BFloat16> bf16(rows * out);
  to_bf16(TeamOf(2), parameters, activation)
      ->Run({rounded.data(), rows, in}, {bf16.data(), rows, out}, {});
  const auto sum_of_sizes = static_cast<double>(in);  // of products of two numbers of size 1
  for (size_t i = 0; i < expected.size(); ++i) {
    ASSERT_NEAR(f32[i], expected[i], 4 * kEpsilon * (sum_of_sizes + 1));
    ASSERT_EQ(static_cast<float>(bf16[i]), static_cast<float>(BFloat16(f32[i])));
  }
}

void ExpectF32ProductsOfRoundedNumbers(MakeBf16ToF32 to_f32, MakeBf16 to_bf16) {
  const auto expect = [&](size_t rows, size_t in, size_t out, Activation activation) {
    ExpectF32ProductOfRoundedNumbers(to_f32, to_bf16, rows, in, out, activation);
  };
  for (const size_t rows : std::initializer_list<size_t>{1, 2, 3, 4, 5, 6, 7, 20}) {
    expect(rows, 256, 64, Activation::kIdentity);
  }
  expect(20, 4096, 128, Activation::kIdentity);  // more than a block of features
  expect(9, 70, 37, Activation::kGelu);
  expect(9, 7, 13, Activation::kIdentity);
  for (const size_t rows : std::initializer_list<size_t>{33, 129, 251}) {
    expect(rows, 64, 300, Activation::kGelu);
  }
}

TEST(MatMulBf16, IsTheF32ProductOfRoundedNumbersWhereTheProcessorHasIt) {
  if (!PanelsMultiplyBf16()) GTEST_SKIP() << "this processor does not multiply bf16";
  ExpectF32ProductsOfRoundedNumbers(&PackPanelMatMul<BFloat16, float>,
                                    &PackPanelMatMul<BFloat16, BFloat16>);
}

TEST(MatMulBf16, IsTheSameByOneDnn) {
  if (!PanelsMultiplyBf16()) GTEST_SKIP() << "this processor does not multiply bf16";
  ExpectF32ProductsOfRoundedNumbers(&PackOneDnnMatMul<BFloat16, float>,
                                    &PackOneDnnMatMul<BFloat16, BFloat16>);
}

#ifdef __linux__

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define EMBEDDING_WITH_ASAN 1
extern "C" size_t __sanitizer_get_current_allocated_bytes();
#endif
#endif

// Of this process, beside files. AddressSanitizer keeps for a while what is freed: it is asked for
// what is not.
size_t MemoryBytes() {
#if EMBEDDING_WITH_ASAN
  return __sanitizer_get_current_allocated_bytes();
#endif
  std::ifstream status("/proc/self/status");
  std::string field;
  while (status >> field && field != "RssAnon:") {
  }
  size_t kilobytes = 0;
  status >> kilobytes;
  return kilobytes * 1024;
}

TEST(MatMulBf16, OneDnnTakesNoMemoryForEveryNewNumberOfRows) {
  if (!PanelsMultiplyBf16()) GTEST_SKIP() << "this processor does not multiply bf16";
  constexpr size_t kRows = 300;
  constexpr size_t kIn = 384;
  constexpr size_t kOut = 1536;
  const std::vector<float> weight = Random(kOut * kIn, 2);
  const std::vector<BFloat16> input(kRows * kIn);
  std::vector<BFloat16> output(kRows * kOut);
  const auto matmul =
      PackOneDnnMatMul<BFloat16, BFloat16>(TeamOf(2), {weight, {}, kIn, kOut}, Activation::kGelu);
  const auto run = [&](size_t rows) {
    matmul->Run({input.data(), rows, kIn}, {output.data(), rows, kOut}, {});
  };
  for (const size_t rows : std::initializer_list<size_t>{15, 31, 63, 127, kRows}) run(rows);
  const size_t before = MemoryBytes();
  for (size_t rows = 1; rows <= kRows; ++rows) run(rows);
  constexpr size_t kMegabyte = size_t{1} << 20;
  EXPECT_LE(MemoryBytes(), before + 2 * kMegabyte);
}

#endif

// As activations.h defines them, a row of x [rows, columns] at a time: x becomes q - zero, scales
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
Activations<Int8> ToInt8(size_t rows, size_t columns, const std::vector<T>& x) {
  Activations<Int8> activations;
  activations.Resize(rows, columns);
  for (size_t r = 0; r < rows; ++r) activations.Set(r, x.data() + r * columns);
  return activations;
}

// In is what the activations are rounded from.
template <typename In, typename Out>
void ExpectInt8MatchesDefinition(size_t rows, size_t in, size_t out, Activation activation) {
  SCOPED_TRACE(testing::Message() << rows << " x " << in << " x " << out);
  std::vector<float> weight = Random(out * in, 2);
  const std::vector<float> bias = Random(out, 3);
  const auto matmul = PackInt8MatMul<Out>(TeamOf(2), {weight, bias, in, out}, activation);
  std::vector<In> input;
  std::vector<float> exact_input;
  for (const float x : Random(rows * in, 1)) {
    input.emplace_back(x);
    exact_input.push_back(static_cast<float>(input.back()));
  }
  const Activations<Int8> activations = ToInt8(rows, in, input);
  std::vector<Out> output(rows * out);
  RowCount finished(rows);
  matmul->Run(activations.View(0, rows), {output.data(), rows, out}, finished.Step());
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
      if (activation == Activation::kGelu) expected = Gelu(expected);
      ASSERT_NEAR(static_cast<float>(output[r * out + o]), expected, 4 * kOutEpsilon * size)
          << "row " << r << ", output " << o;
    }
  }
}

TEST(MatMulInt8, EqualsTheDefinition) {
  ForEachTarget([&] {
    for (const size_t rows : std::initializer_list<size_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 33}) {
      ExpectInt8MatchesDefinition<float, float>(rows, 128, 96, Activation::kIdentity);
    }
    ExpectInt8MatchesDefinition<float, float>(3, 1, 1, Activation::kIdentity);
    ExpectInt8MatchesDefinition<float, float>(9, 7, 13, Activation::kGelu);
    ExpectInt8MatchesDefinition<float, float>(20, 4096, 64, Activation::kIdentity);
    ExpectInt8MatchesDefinition<BFloat16, BFloat16>(9, 70, 37, Activation::kGelu);
    ExpectInt8MatchesDefinition<BFloat16, float>(17, 128, 64, Activation::kIdentity);
  });
}

TEST(MatMulInt8, ZerosGiveTheBiasAndWhatIsNotFiniteGivesNaN) {
  const std::vector<float> weight = Random(40 * 64, 2);
  const std::vector<float> bias = Random(40, 3);
  std::vector<float> input(3 * 64);
  input[64 + 9] = std::numeric_limits<float>::quiet_NaN();
  input[128 + 63] = std::numeric_limits<float>::infinity();
  std::vector<float> output(3 * 40);
  ForEachTarget([&] {
    const Activations<Int8> activations = ToInt8(3, 64, input);
    PackInt8MatMul<float>(TeamOf(2), {weight, bias, 64, 40}, Activation::kIdentity)
        ->Run(activations.View(0, 3), {output.data(), 3, 40}, {});
    for (size_t o = 0; o < 40; ++o) {
      ASSERT_EQ(output[o], bias[o]);
      ASSERT_TRUE(std::isnan(output[40 + o])) << o;
      ASSERT_TRUE(std::isnan(output[80 + o])) << o;
    }
    std::vector<float> bad_weight = weight;
    bad_weight[5 * 64 + 7] = std::numeric_limits<float>::infinity();
    PackInt8MatMul<float>(TeamOf(2), {bad_weight, bias, 64, 40}, Activation::kIdentity)
        ->Run(activations.View(0, 1), {output.data(), 1, 40}, {});
    for (size_t o = 0; o < 40; ++o) ASSERT_EQ(std::isnan(output[o]), o == 5) << o;
  });
}

TEST(MatMulInt8, TheLargestNumbersDoNotOverflow) {
  constexpr size_t kIn = 8192;
  const std::vector<float> ones(kIn, 1.0F);
  const std::vector<float> minus_ones(kIn, -1.0F);
  ForEachTarget([&] {
    const Activations<Int8> activations = ToInt8(1, kIn, ones);
    for (const auto* weight : {&ones, &minus_ones}) {
      float output = 0;
      PackInt8MatMul<float>(TeamOf(2), {*weight, {}, kIn, 1}, Activation::kIdentity)
          ->Run(activations.View(0, 1), {&output, 1, 1}, {});
      ASSERT_NEAR(output, weight->front() * kIn, kIn * 4 * kEpsilon);
    }
  });
}

}  // namespace
}  // namespace embedding
