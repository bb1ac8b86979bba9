#include "backends/cpu/slices.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <vector>

#include "backends/cpu/linear.h"
#include "backends/each_target.h"
#include "backends/random.h"

namespace embedding {
namespace {

struct Sliced {
  SliceScale scale;
  std::vector<int32_t> q;  // of the digits, up to the end of the slices
};

Sliced Slice(const std::vector<float>& x, size_t slice_bytes) {
  Sliced sliced{SliceScaleOf(x.data(), x.size()), {}};
  std::vector<uint8_t> digits(kSlices * slice_bytes, 77);
  SliceRow(x.data(), x.size(), sliced.scale.inverse, slice_bytes, {digits.data()});
  for (size_t i = 0; i < slice_bytes; ++i) {
    int32_t q = 0;
    for (size_t place = 0; place < kSlices; ++place) {
      q = q * 256 + static_cast<int8_t>(digits[place * slice_bytes + i]);
    }
    sliced.q.push_back(q);
  }
  return sliced;
}

TEST(Slices, TellNumbersToTheLastOfTheirBits) {
  ForEachTarget([] {
    for (const size_t size : std::initializer_list<size_t>{1, 15, 64, 100}) {
      for (const float factor : {1e-20F, 1.0F, 3e20F}) {
        std::vector<float> x = Random(size, 1);
        for (float& number : x) number *= factor;
        const Sliced sliced = Slice(x, 128);
        const double step = sliced.scale.step;
        for (size_t i = 0; i < size; ++i) {
          // Half a step, and what an f32 of the number's size may be off.
          ASSERT_NEAR(sliced.q[i] * step, x[i], 0.51 * step + 1.2e-7 * std::abs(x[i])) << i;
          ASSERT_LE(std::abs(sliced.q[i]), kLargestSliced);
        }
        for (size_t i = size; i < 128; ++i) ASSERT_EQ(sliced.q[i], 0);
      }
    }
  });
}

TEST(Slices, TheLargestNumberIsTheLargestInteger) {
  ForEachTarget([] {
    for (const float largest : {-0.3F, 0.7F, 1e-30F, std::numeric_limits<float>::max()}) {
      std::vector<float> x(40, largest / 3);
      x[7] = x[38] = largest;
      const Sliced sliced = Slice(x, 64);
      const int32_t expected = largest < 0 ? -kLargestSliced : kLargestSliced;
      EXPECT_NEAR(sliced.q[7], expected, 1);
      EXPECT_NEAR(sliced.q[38], expected, 1);
    }
  });
}

TEST(Slices, NumbersTooSmallToTellAreZero) {
  ForEachTarget([] {
    for (const float number : {0.0F, 1e-33F, std::numeric_limits<float>::denorm_min()}) {
      const Sliced sliced = Slice(std::vector<float>(20, number), 64);
      EXPECT_LT(sliced.scale.step, 1e-37F);
      EXPECT_EQ(sliced.q, std::vector<int32_t>(64));
    }
  });
}

TEST(Slices, ARowThatIsNotFiniteHasNoFiniteStep) {
  constexpr float kInfinite = std::numeric_limits<float>::infinity();
  ForEachTarget([] {
    for (const float none : {kInfinite, -kInfinite, std::numeric_limits<float>::quiet_NaN()}) {
      for (const size_t place : std::initializer_list<size_t>{0, 20, 36}) {
        std::vector<float> x = Random(37, 1);
        x[place] = none;
        EXPECT_FALSE(std::isfinite(SliceScaleOf(x.data(), x.size()).step));
      }
    }
  });
}

}  // namespace
}  // namespace embedding
