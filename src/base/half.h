// The two 16-bit float formats: as bit patterns in model files, with their exact widening to f32
// and the rounding back, and bfloat16 as a type to compute with.
#pragma once

#include <bit>
#include <cstdint>

namespace embedding {

// IEEE 754 binary16 bits -> f32. Exact, subnormals, infinities and NaN included.
inline float FloatFromF16(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000U) << 16;
  const uint32_t exponent = (bits >> 10) & 0x1FU;
  const uint32_t mantissa = bits & 0x3FFU;
  if (exponent == 0x1F) return std::bit_cast<float>(sign | 0x7F800000U | (mantissa << 13));
  if (exponent != 0)
    return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
  // Subnormal: mantissa * 2^-24 is exact in f32.
  const float magnitude = static_cast<float>(mantissa) * 0x1p-24F;
  return sign != 0 ? -magnitude : magnitude;
}

// f32 -> IEEE 754 binary16 bits, to nearest, ties to even; NaN stays NaN, and what rounds to more
// than the largest, 65,504, becomes infinite.
inline uint16_t F16BitsFromFloat(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint16_t>((bits >> 16) & 0x8000U);
  const uint32_t magnitude = bits & 0x7FFFFFFFU;
  uint32_t rounded = 0;
  if (magnitude > 0x7F800000U) {
    rounded = 0x7E00U;
  } else if (magnitude >= 0x477FF000U) {
    rounded = 0x7C00U;
  } else if (magnitude < 0x38800000U) {
    // Subnormal: 0.5's last bit is 2^-24, the format's smallest step.
    rounded = std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) + 0.5F) - 0x3F000000U;
  } else {
    rounded = (magnitude - 0x38000000U + 0xFFFU + ((magnitude >> 13) & 1U)) >> 13;
  }
  return static_cast<uint16_t>(sign | rounded);
}

// bfloat16 bits (the upper half of an f32) -> f32. Exact.
inline float FloatFromBF16(uint16_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

// f32 -> bfloat16 bits, to nearest, ties to even; NaN stays NaN.
inline uint16_t BF16BitsFromFloat(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7FFFFFFFU) > 0x7F800000U) return static_cast<uint16_t>((bits >> 16) | 0x40U);
  return static_cast<uint16_t>((bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16);
}

// A bfloat16 number in memory.
struct BFloat16 {
  uint16_t bits;

  BFloat16() = default;
  explicit BFloat16(float value) : bits(BF16BitsFromFloat(value)) {}
  explicit operator float() const { return FloatFromBF16(bits); }
};
static_assert(sizeof(BFloat16) == 2);

}  // namespace embedding
