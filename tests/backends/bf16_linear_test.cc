// Products of bf16, by panels and by oneDNN.
#include <gtest/gtest.h>

#include <cstddef>
#include <fstream>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "backends/cpu/linear.h"
#include "backends/cpu/onednn_linear.h"
#include "backends/cpu/panel_linear.h"
#include "backends/linear_checks.h"
#include "backends/random.h"
#include "backends/team.h"

namespace embedding {
namespace {

// A product of bf16 that writes numbers of a type.
using Make = std::unique_ptr<Linear> (*)(ThreadTeam&, DType, const LinearWeights&, Activation);

std::unique_ptr<Linear> PackPanels(ThreadTeam& team, DType output, const LinearWeights& weights,
                                   Activation activation) {
  return PackPanelLinear(team, {DType::kBF16, output}, weights, activation);
}

void ExpectF32ProductOfRoundedNumbers(Make make, size_t rows, size_t in, size_t out,
                                      Activation activation) {
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
  make(TeamOf(2), DType::kF32, parameters, activation)
      ->Run({rounded.data(), rows, in}, {f32.data(), rows, out}, finished.Step());
  finished.ExpectEachOnce();
  std::vector<BFloat16> bf16(rows * out);
  make(TeamOf(2), DType::kBF16, parameters, activation)
      ->Run({rounded.data(), rows, in}, {bf16.data(), rows, out}, {});
  const auto sum_of_sizes = static_cast<double>(in);  // of products of two numbers of size 1
  for (size_t i = 0; i < expected.size(); ++i) {
    ASSERT_NEAR(f32[i], expected[i], 4 * kEpsilon * (sum_of_sizes + 1));
    ASSERT_EQ(static_cast<float>(bf16[i]), static_cast<float>(BFloat16(f32[i])));
  }
}

void ExpectF32ProductsOfRoundedNumbers(Make make) {
  const auto expect = [&](size_t rows, size_t in, size_t out, Activation activation) {
    ExpectF32ProductOfRoundedNumbers(make, rows, in, out, activation);
  };
  for (const size_t rows : std::initializer_list<size_t>{1, 2, 3, 4, 5, 6, 7, 20}) {
    expect(rows, 256, 64, Activation::kIdentity);
  }
  expect(20, 4096, 128, Activation::kIdentity);  // more than a block of features
  expect(9, 70, 37, Activation::kGelu);
  expect(9, 7, 13, Activation::kIdentity);
  for (const Activation activation : kActivations) expect(21, 70, 64, activation);
  for (const size_t rows : std::initializer_list<size_t>{33, 129, 251}) {
    expect(rows, 64, 300, Activation::kGelu);
  }
}

TEST(LinearBf16, IsTheF32ProductOfRoundedNumbersWhereTheProcessorHasIt) {
  if (!PanelsMultiplyBf16()) GTEST_SKIP() << "this processor does not multiply bf16";
  ExpectF32ProductsOfRoundedNumbers(&PackPanels);
}

// Also where the processor multiplies rows in pairs.
TEST(LinearBf16, ARowDoesNotDependOnTheOthers) {
  if (!PanelsMultiplyBf16()) GTEST_SKIP() << "this processor does not multiply bf16";
  constexpr size_t kRows = 23;
  constexpr size_t kIn = 1030;
  constexpr size_t kOut = 70;
  std::vector<BFloat16> input;
  for (const float x : Random(kRows * kIn, 1)) input.emplace_back(x);
  const std::vector<float> weight = Random(kOut * kIn, 2);
  const auto linear =
      PackPanels(TeamOf(2), DType::kF32, {weight, {}, kIn, kOut}, Activation::kIdentity);
  std::vector<float> together(kRows * kOut);
  linear->Run({input.data(), kRows, kIn}, {together.data(), kRows, kOut}, {});
  for (size_t row = 0; row < kRows; ++row) {
    std::vector<float> alone(kOut);
    linear->Run({input.data() + row * kIn, 1, kIn}, {alone.data(), 1, kOut}, {});
    for (size_t o = 0; o < kOut; ++o) ASSERT_EQ(alone[o], together[row * kOut + o]) << row;
  }
}

#ifdef EMBEDDING_ONEDNN

TEST(LinearBf16, IsTheSameByOneDnn) {
  if (!PanelsMultiplyBf16()) GTEST_SKIP() << "this processor does not multiply bf16";
  ExpectF32ProductsOfRoundedNumbers(&PackOneDnnLinear);
}

#ifdef __linux__  // whose way to tell a process's memory it is

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

TEST(LinearBf16, OneDnnTakesNoMemoryForEveryNewNumberOfRows) {
  if (!PanelsMultiplyBf16()) GTEST_SKIP() << "this processor does not multiply bf16";
  constexpr size_t kRows = 300;
  constexpr size_t kIn = 384;
  constexpr size_t kOut = 1536;
  const std::vector<float> weight = Random(kOut * kIn, 2);
  const std::vector<BFloat16> input(kRows * kIn);
  std::vector<BFloat16> output(kRows * kOut);
  const auto linear =
      PackOneDnnLinear(TeamOf(2), DType::kBF16, {weight, {}, kIn, kOut}, Activation::kGelu);
  const auto run = [&](size_t rows) {
    linear->Run({input.data(), rows, kIn}, {output.data(), rows, kOut}, {});
  };
  for (const size_t rows : std::initializer_list<size_t>{15, 31, 63, 127, kRows}) run(rows);
  const size_t before = MemoryBytes();
  for (size_t rows = 1; rows <= kRows; ++rows) run(rows);
  constexpr size_t kMegabyte = size_t{1} << 20;
  EXPECT_LE(MemoryBytes(), before + 2 * kMegabyte);
}

#endif  // __linux__
#endif  // EMBEDDING_ONEDNN

}  // namespace
}  // namespace embedding
