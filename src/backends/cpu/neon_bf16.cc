#include "backends/cpu/neon_tiles.h"

#if defined(__ARM_FEATURE_BF16_VECTOR_ARITHMETIC)

#include "backends/cpu/neon_tiles-inl.h"

namespace embedding {
namespace {

struct Bf16Pairs : FloatSums {
  template <int lane>
  static Sum Add(Sum sums, uint8x16_t right, uint8x16_t left) {
    return vbfdotq_laneq_f32(sums, vreinterpretq_bf16_u8(right), vreinterpretq_bf16_u8(left), lane);
  }
};
struct Bf16Quads : FloatSums {
  static Sum Add(Sum sums, uint8x16_t left, uint8x16_t right) {
    return vbfmmlaq_f32(sums, vreinterpretq_bf16_u8(left), vreinterpretq_bf16_u8(right));
  }
};
using Dots = DotTile<Bf16Pairs>;
using Matrix = MatrixTile<Bf16Quads>;
static_assert(Dots::kRows == kNeonDotRows && Dots::kWidth == kNeonDotWidth);
static_assert(Matrix::kRows == kNeonMatrixRows && Matrix::kWidth == kNeonMatrixWidth);

}  // namespace

void MultiplyBf16Dots(const PanelTile& tile) { MultiplyRows<Dots>(tile); }
void MultiplyBf16Matrix(const PanelTile& tile) { MultiplyRows<Matrix>(tile); }

void RoundToBf16ByNeon(const float* in, size_t size, uint16_t* out) {
  for (size_t i = 0; i < size; i += 8) {
    const bfloat16x8_t low = vcvtq_low_bf16_f32(vld1q_f32(in + i));
    vst1q_u16(out + i, vreinterpretq_u16_bf16(vcvtq_high_bf16_f32(low, vld1q_f32(in + i + 4))));
  }
}

}  // namespace embedding

#endif
