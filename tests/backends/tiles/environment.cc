// Before any test of the program: all products are of portable tiles.
#include <gtest/gtest.h>

#include "backends/cpu/micro_kernels.h"
#include "backends/cpu/tile_kernel.h"
#include "backends/tiles/portable_tiles.h"
#include "base/half.h"

namespace embedding {
namespace {

MicroKernel Released(MicroKernel kernel) {
  kernel.release = ReleasePortableTiles;
  return kernel;
}

MicroKernel Bf16Tiles() {
  MicroKernel kernel = Released(TilesKernel(2, MultiplyBf16ByPortableTiles));
  kernel.round = [](const float* in, size_t size, uint16_t* out) {
    for (size_t i = 0; i < size; ++i) out[i] = BFloat16(in[i]).bits;
  };
  return kernel;
}

const TileKernels kKernels = {
    Bf16Tiles(),
    Released(TilesKernel(4, MultiplyInt8ByPortableTiles)),
    Released(SlicesKernel(MultiplyDigitsByPortableTiles, MultiplySlicedByPortableTiles)),
};

class PortableTilesEnvironment : public testing::Environment {
 public:
  void SetUp() override { SetTileKernelsForTest(&kKernels); }
};

[[maybe_unused]] const testing::Environment* const environment =
    testing::AddGlobalTestEnvironment(new PortableTilesEnvironment);

}  // namespace
}  // namespace embedding
