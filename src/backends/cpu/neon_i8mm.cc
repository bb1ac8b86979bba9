#include "backends/cpu/neon_tiles.h"

#if defined(__ARM_FEATURE_MATMUL_INT8)

#include "backends/cpu/neon_tiles-inl.h"

namespace embedding {
namespace {

struct Int8Octets : IntegerSums {
  static Sum Add(Sum sums, uint8x16_t left, uint8x16_t right) {
    return vmmlaq_s32(sums, vreinterpretq_s8_u8(left), vreinterpretq_s8_u8(right));
  }
};
using Tile = MatrixTile<Int8Octets>;
static_assert(Tile::kRows == kNeonMatrixRows && Tile::kWidth == kNeonMatrixWidth);

}  // namespace

void MultiplyInt8I8mm(const PanelTile& tile) { MultiplyRows<Tile>(tile); }

}  // namespace embedding

#endif
