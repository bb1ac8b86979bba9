// Products by a BLAS: once for each that this machine has.
#include "backends/cpu/blas_linear.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <vector>

#include "backends/linear_checks.h"
#include "backends/random.h"
#include "backends/team.h"

namespace embedding {
namespace {

std::unique_ptr<Linear> Pack(const LinearWeights& weights, size_t threads = 2,
                             DType output = DType::kF32,
                             Activation activation = Activation::kIdentity) {
  auto linear = PackBlasLinear(TeamOf(threads), output, weights, activation);
  EXPECT_NE(linear, nullptr) << BlasName() << " does not keep rows apart";
  return linear;
}

void ExpectMatchesReference(size_t rows, size_t in, size_t out, bool with_bias,
                            Activation activation, size_t threads = 2) {
  const std::vector<float> input = Random(rows * in, 1);
  const std::vector<float> weight = Random(out * in, 2);
  const std::vector<float> bias = with_bias ? Random(out, 3) : std::vector<float>{};
  const auto linear = Pack({weight, bias, in, out}, threads, DType::kF32, activation);
  ASSERT_NE(linear, nullptr);
  std::vector<float> output(rows * out);
  linear->Run({input.data(), rows, in}, {output.data(), rows, out}, {});
  ExpectProduct(output, input, {weight, bias, in, out}, activation);
}

TEST(BlasLinear, EqualsTheDefinitionForEveryNumberOfRows) {
  for (const size_t rows : std::initializer_list<size_t>{1, 2, 5, 31, 32, 33, 64, 100, 257}) {
    ExpectMatchesReference(rows, 128, 96, true, Activation::kIdentity);
  }
}

TEST(BlasLinear, TakesUnevenWidths) {
  ExpectMatchesReference(9, 8, 24, true, Activation::kIdentity);
  ExpectMatchesReference(9, 7, 13, true, Activation::kGelu);
  ExpectMatchesReference(3, 1, 1, true, Activation::kIdentity);
  ExpectMatchesReference(40, 700, 129, false, Activation::kIdentity);
  ExpectMatchesReference(40, 2100, 333, true, Activation::kGelu);
}

TEST(BlasLinear, TakesAnyNumberOfThreads) {
  for (const size_t threads : std::initializer_list<size_t>{1, 2, 3}) {
    ExpectMatchesReference(100, 1030, 300, true, Activation::kIdentity, threads);
  }
}

TEST(BlasLinear, RoundsToBf16AtTheEnd) {
  constexpr size_t kRows = 40;
  constexpr size_t kIn = 96;
  constexpr size_t kOut = 200;
  const std::vector<float> input = Random(kRows * kIn, 1);
  const std::vector<float> weight = Random(kOut * kIn, 2);
  const std::vector<float> bias = Random(kOut, 3);
  std::vector<float> exact(kRows * kOut);
  std::vector<BFloat16> rounded(kRows * kOut);
  const auto to_f32 = Pack({weight, bias, kIn, kOut});
  const auto to_bf16 = Pack({weight, bias, kIn, kOut}, 2, DType::kBF16);
  ASSERT_TRUE(to_f32 != nullptr && to_bf16 != nullptr);
  to_f32->Run({input.data(), kRows, kIn}, {exact.data(), kRows, kOut}, {});
  to_bf16->Run({input.data(), kRows, kIn}, {rounded.data(), kRows, kOut}, {});
  for (size_t i = 0; i < exact.size(); ++i)
    ASSERT_EQ(rounded[i].bits, BFloat16(exact[i]).bits) << i;
}

TEST(BlasLinear, FinishesTheRowsOnce) {
  constexpr size_t kRows = 70;
  constexpr size_t kOut = 300;
  const std::vector<float> input(kRows, 1.0F);
  const std::vector<float> weight(kOut, 0.5F);
  std::vector<float> output(kRows * kOut);
  RowCount count(kRows);
  const auto linear = Pack({weight, {}, 1, kOut}, 3);
  ASSERT_NE(linear, nullptr);
  linear->Run({input.data(), kRows, 1}, {output.data(), kRows, kOut}, count.Step());
  count.ExpectEachOnce();
  for (const float x : output) ASSERT_EQ(x, 0.5F);
}

// Whatever the batch: alone, at every place of another, and wherever the rows lie in memory.
TEST(BlasLinear, ARowIsEqualInEveryBitWhateverTheBatch) {
  constexpr size_t kRows = 133;
  struct Shape {
    size_t in;
    size_t out;
  };
  for (const Shape& shape :
       {Shape{1024, 384}, Shape{384, 1536}, Shape{1536, 384}, Shape{1030, 70}}) {
    const std::vector<float> input = Random((kRows + 1) * shape.in, 1);
    const std::vector<float> weight = Random(shape.out * shape.in, 2);
    const auto linear = Pack({weight, {}, shape.in, shape.out});
    ASSERT_NE(linear, nullptr);
    std::vector<float> together(kRows * shape.out);
    linear->Run({input.data(), kRows, shape.in}, {together.data(), kRows, shape.out}, {});
    for (const size_t count : std::initializer_list<size_t>{1, 3, 32, 50}) {
      std::vector<float> some(count * shape.out);
      for (size_t first = 0; first + count <= kRows; first += 7) {
        std::vector<float> moved(first % 16 + count * shape.in);
        std::copy_n(input.data() + first * shape.in, count * shape.in, moved.data() + first % 16);
        linear->Run({moved.data() + first % 16, count, shape.in}, {some.data(), count, shape.out},
                    {});
        for (size_t i = 0; i < some.size(); ++i) {
          ASSERT_EQ(some[i], together[first * shape.out + i])
              << shape.in << " x " << shape.out << ", " << count << " rows from " << first;
        }
      }
    }
  }
}

TEST(BlasLinear, TheBlasIsNamed) { EXPECT_EQ(BlasName().find(EMBEDDING_BLAS), 0U) << BlasName(); }

}  // namespace
}  // namespace embedding
