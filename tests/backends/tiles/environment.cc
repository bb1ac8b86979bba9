// Before any test of the program: all products are of portable tiles.
#include <gtest/gtest.h>

#include "backends/cpu/micro_kernels.h"
#include "backends/cpu/tile_kernel.h"
#include "backends/tiles/portable_tiles.h"
#include "base/half.h"

namespace embedding {
namespace {

MicroKernel Bf16Tiles() {
  MicroKernel kernel = TilesKernel(2, MultiplyBf16ByPortableTiles, ReleasePortableTiles);
  kernel.round = [](const float* in, size_t size, uint16_t* out) {
    for (size_t i = 0; i < size; ++i) out[i] = BFloat16(in[i]).bits;
  };
  return kernel;
}

const TileKernels kKernels = {
    Bf16Tiles(),
    TilesKernel(4, MultiplyInt8ByPortableTiles, ReleasePortableTiles),
    SlicesKernel(MultiplyDigitsByPortableTiles, ReleasePortableTiles),
};

class PortableTilesEnvironment : public testing::Environment {
 public:
  void SetUp() override { SetTileKernelsForTest(&kKernels); }
};

[[maybe_unused]] const testing::Environment* const environment =
    testing::AddGlobalTestEnvironment(new PortableTilesEnvironment);

}  // namespace
}  // namespace embedding
