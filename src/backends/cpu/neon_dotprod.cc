#include "backends/cpu/neon_tiles.h"

#if defined(__ARM_FEATURE_DOTPROD)

#include "backends/cpu/neon_tiles-inl.h"

namespace embedding {
namespace {

struct Int8Quads : IntegerSums {
  template <int lane>
  static Sum Add(Sum sums, uint8x16_t right, uint8x16_t left) {
    return vdotq_laneq_s32(sums, vreinterpretq_s8_u8(right), vreinterpretq_s8_u8(left), lane);
  }
};
using Tile = DotTile<Int8Quads>;
static_assert(Tile::kRows == kNeonDotRows && Tile::kWidth == kNeonDotWidth);

}  // namespace

void MultiplyInt8Dotprod(const PanelTile& tile) { MultiplyRows<Tile>(tile); }

}  // namespace embedding

#endif
