#include "backends/cpu/input_matrix.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <vector>

#include "backends/cpu/micro_kernels.h"
#include "backends/each_target.h"

namespace embedding {
namespace {

constexpr size_t kRows = 19;

// Of both signs, and in row 1 of one sign only.
std::vector<float> Numbers(size_t columns) {
  std::vector<float> x(kRows * columns);
  for (size_t i = 0; i < x.size(); ++i) {
    const float number = 3 * std::sin(static_cast<float>(i));
    x[i] = i / columns == 1 ? std::abs(number) + 0.5F : number;
  }
  return x;
}

template <typename Integer>
std::vector<int32_t> IntegersOf(const uint8_t* bytes, size_t size) {
  std::vector<int32_t> q;
  for (size_t i = 0; i < size; i += sizeof(Integer)) {
    Integer integer = 0;
    std::memcpy(&integer, bytes + i, sizeof(integer));
    q.push_back(integer);
  }
  return q;
}

// Row r's bytes, one after another, in whatever order the view has them.
std::vector<uint8_t> Bytes(const InputView& view, size_t r) {
  const auto* const data = static_cast<const uint8_t*>(view.data);
  if (!view.in_tiles) return {data + r * view.stride, data + (r + 1) * view.stride};
  std::vector<uint8_t> bytes;
  const uint8_t* piece = data + (r - r % 16) * view.stride + r % 16 * 64;
  for (size_t i = 0; i < view.stride; i += 64, piece += size_t{16} * 64) {
    bytes.insert(bytes.end(), piece, piece + 64);
  }
  return bytes;
}

// Row r's integers in the form that the kernel takes.
std::vector<int32_t> Integers(const InputView& view, size_t r) {
  const MicroKernel kernel = Int8Kernel();
  const std::vector<uint8_t> bytes = Bytes(view, r);
  if (kernel.word_bytes != kernel.group) return IntegersOf<int16_t>(bytes.data(), bytes.size());
  return kernel.left_shift == 0 ? IntegersOf<uint8_t>(bytes.data(), bytes.size())
                                : IntegersOf<int8_t>(bytes.data(), bytes.size());
}

TEST(InputMatrix, AreRoundedToBf16) {
  ForEachTarget([] {
    for (const size_t columns : std::initializer_list<size_t>{5, 64, 100}) {
      const std::vector<float> x = Numbers(columns);
      InputMatrix rounded(DType::kBF16);
      rounded.Resize(kRows, columns);
      for (size_t r = 0; r < kRows; ++r) rounded.Set(r, x.data() + r * columns);
      for (size_t i = 0; i < x.size(); ++i) {
        const std::vector<uint8_t> row = Bytes(rounded.View(0, kRows), i / columns);
        BFloat16 number;
        std::memcpy(&number, row.data() + i % columns * sizeof(number), sizeof(number));
        ASSERT_EQ(number.bits, BFloat16(x[i]).bits) << i;
      }
    }
  });
}

TEST(InputMatrix, AsIntegersAreWithinHalfAStep) {
  ForEachTarget([] {
    InputMatrix rounded(DType::kI8);  // whose later rows come to lie where others were
    for (const size_t columns : std::initializer_list<size_t>{1024, 100, 64, 5, 1}) {
      const std::vector<float> x = Numbers(columns);
      rounded.Resize(kRows, columns);
      for (size_t r = 0; r < kRows; ++r) rounded.Set(r, x.data() + r * columns);
      for (size_t r = 0; r < kRows; ++r) {
        const InputView view = rounded.View(0, kRows);
        const RowScale scale = view.scales[r];
        const std::vector<int32_t> q = Integers(view, r);
        ASSERT_GE(q.size(), columns);
        for (size_t i = 0; i < columns; ++i) {
          const int32_t largest = 255 - Int8Kernel().left_shift;
          ASSERT_GE(q[i], largest - 255);
          ASSERT_LE(q[i], largest);
          const float restored = static_cast<float>(q[i] - scale.zero) * scale.scale;
          // At the upper end, where the number and zero may both have been rounded up, a whole one.
          const float steps = q[i] < largest ? 0.51F : 1.01F;
          ASSERT_NEAR(restored, x[r * columns + i], steps * scale.scale) << i;
        }
        for (size_t i = columns; i < q.size(); ++i) ASSERT_EQ(q[i], 0);
      }
    }
  });
}

// A product of zeros has to be 0, not nearly 0.
TEST(InputMatrix, ZeroIsOneOfTheIntegers) {
  ForEachTarget([] {
    InputMatrix rounded(DType::kI8);
    rounded.Resize(1, 4);
    for (const std::vector<float>& x :
         {std::vector<float>{0, 1, 2, 3}, {0, -1, -2, -3}, {0, -1, 5, 2}, {0, 0, 0, 0}}) {
      rounded.Set(0, x.data());
      ASSERT_EQ(Integers(rounded.View(0, 1), 0)[0], rounded.View(0, 1).scales->zero);
    }
  });
}

TEST(InputMatrix, ARowThatIsNotFiniteHasNoFiniteScale) {
  ForEachTarget([] {
    InputMatrix rounded(DType::kI8);
    rounded.Resize(1, 20);
    for (const float bad :
         {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
          std::numeric_limits<float>::quiet_NaN()}) {
      for (const size_t place : std::initializer_list<size_t>{0, 19}) {
        std::vector<float> x(20, 1.0F);
        x[place] = bad;
        rounded.Set(0, x.data());
        ASSERT_FALSE(std::isfinite(rounded.View(0, 1).scales->scale));
      }
    }
  });
}

TEST(Handover, GivesWhatWasWrittenInTheProductsForm) {
  const std::vector<float> x = Numbers(64);
  Handover same(DType::kF32, DType::kF16, Handover::Writer::kRows);
  Handover rounded(DType::kF32, DType::kI8, Handover::Writer::kRows);
  InputMatrix expected(DType::kI8);
  same.Resize(kRows, 64);
  rounded.Resize(kRows, 64);
  expected.Resize(kRows, 64);
  std::copy(x.begin(), x.end(), static_cast<float*>(same.data()));
  std::copy(x.begin(), x.end(), static_cast<float*>(rounded.data()));
  EXPECT_FALSE(same.Epilogue());  // no meeting of the threads for nothing
  rounded.Epilogue()(0, kRows);
  for (size_t r = 0; r < kRows; ++r) {
    EXPECT_EQ(static_cast<const float*>(same.View(r, 1).data)[5], x[r * 64 + 5]);
    expected.Set(r, x.data() + r * 64);
    EXPECT_EQ(Integers(rounded.View(0, kRows), r), Integers(expected.View(0, kRows), r));
    EXPECT_EQ(rounded.View(0, kRows).scales[r].scale, expected.View(0, kRows).scales[r].scale);
  }
}

// In whatever order the next product takes what one product writes.
TEST(Handover, GivesAProductsOutputToTheNext) {
  for (const size_t columns : std::initializer_list<size_t>{64, 40}) {
    for (const auto writer : {Handover::Writer::kProduct, Handover::Writer::kRows}) {
      Handover handover(DType::kBF16, DType::kBF16, writer);
      handover.Resize(40, columns);
      const OutputView output = handover.Output(40);
      for (size_t r = 0; r < 40; ++r) {
        for (size_t c = 0; c < columns; ++c) {
          *output.At<BFloat16>(r, c) = BFloat16(static_cast<float>(r) - static_cast<float>(c));
        }
      }
      if (const RowEpilogue finish = handover.Epilogue()) finish(0, 40);
      for (size_t r = 0; r < 40; ++r) {
        const std::vector<uint8_t> row = Bytes(handover.View(0, 40), r);
        for (size_t c = 0; c < columns; ++c) {
          BFloat16 number;
          std::memcpy(&number, row.data() + c * sizeof(number), sizeof(number));
          ASSERT_EQ(static_cast<float>(number), static_cast<float>(r) - static_cast<float>(c));
        }
      }
    }
  }
}

}  // namespace
}  // namespace embedding
