#include "base/half.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

namespace embedding {
namespace {

// IEEE 754: (-1)^s 2^(e-15) (1 + m/1024), or (-1)^s 2^-14 m/1024 for e = 0.
TEST(F16, EveryBitPatternWidensExactly) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const double sign = (bits & 0x8000) != 0 ? -1 : 1;
    const int exponent = static_cast<int>((bits >> 10) & 31);
    const double mantissa = (bits & 1023) / 1024.0;
    const float actual = FloatFromF16(static_cast<uint16_t>(bits));
    if (exponent == 31) {
      ASSERT_EQ(std::isnan(actual), mantissa != 0);
      if (mantissa == 0) {
        ASSERT_EQ(actual, sign * std::numeric_limits<double>::infinity());
      }
      continue;
    }
    const double expected = exponent == 0 ? sign * std::ldexp(mantissa, -14)
                                          : sign * std::ldexp(1 + mantissa, exponent - 15);
    ASSERT_EQ(actual, expected) << bits;
  }
}

TEST(F16, EveryBitPatternSurvivesTheRoundTrip) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float wide = FloatFromF16(static_cast<uint16_t>(bits));
    if (std::isnan(wide)) {
      ASSERT_TRUE(std::isnan(FloatFromF16(F16BitsFromFloat(wide))));
    } else {
      ASSERT_EQ(F16BitsFromFloat(wide), bits);
    }
  }
}

TEST(F16, RoundsToNearestTiesToEven) {
  // Between each number and the next: nearer to the one, half way, nearer to the other.
  for (uint32_t bits = 0; bits < 0x7BFF; ++bits) {
    const float low = FloatFromF16(static_cast<uint16_t>(bits));
    const float high = FloatFromF16(static_cast<uint16_t>(bits + 1));
    const float middle = (low + high) / 2;  // exact
    ASSERT_EQ(F16BitsFromFloat(std::nextafter(middle, low)), bits);
    ASSERT_EQ(F16BitsFromFloat(middle), bits + (bits & 1));
    ASSERT_EQ(F16BitsFromFloat(-std::nextafter(middle, high)), 0x8000U | (bits + 1));
  }
  EXPECT_EQ(F16BitsFromFloat(65519), 0x7BFF);
  EXPECT_EQ(F16BitsFromFloat(65520), 0x7C00);
  EXPECT_EQ(F16BitsFromFloat(1e30F), 0x7C00);
}

TEST(BFloat16, RoundsToNearestTiesToEven) {
  const auto rounded = [](uint32_t bits) { return BFloat16(std::bit_cast<float>(bits)).bits; };
  EXPECT_EQ(rounded(0x3F800000), 0x3F80);
  EXPECT_EQ(rounded(0x3F807FFF), 0x3F80);
  EXPECT_EQ(rounded(0x3F808000), 0x3F80);  // a tie, to the even
  EXPECT_EQ(rounded(0x3F818000), 0x3F82);  // a tie, to the even
  EXPECT_EQ(rounded(0x3F808001), 0x3F81);
  EXPECT_EQ(rounded(0x7F7FFFFF), 0x7F80);  // beyond the largest: infinity
  EXPECT_EQ(rounded(0xFF800000), 0xFF80);
  EXPECT_TRUE(std::isnan(static_cast<float>(BFloat16(std::bit_cast<float>(0x7F800001U)))));
}

TEST(BFloat16, EveryBitPatternSurvivesTheRoundTrip) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float wide = FloatFromBF16(static_cast<uint16_t>(bits));
    if (std::isnan(wide)) continue;
    ASSERT_EQ(BFloat16(wide).bits, bits);
  }
}

}  // namespace
}  // namespace embedding
