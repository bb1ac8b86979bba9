// Kernels that multiply tiles, 16 rows of 64 bytes of the input by 16 words of 16 output features
// of the weight, as AMX has them.
//
// A call makes the sums of up to 2 x 2 tiles, 32 rows and 32 output features. It is the same for
// every type of numbers and for whatever multiplies a tile: tile_kernel-inl.h.
#pragma once

#include <cstddef>

#include "backends/cpu/micro_kernels.h"
#include "backends/cpu/slices.h"

namespace embedding {

// `group` numbers are a word of 4 bytes.
constexpr MicroKernel TilesKernel(size_t group, void (*multiply)(const PanelTile&)) {
  return {.group = group,
          .width = 32,
          .rows = 2 * kTileRows,
          .multiply = multiply,
          .rows_at_once = kTileRows,
          .depth_unit = kTileRowBytes / 4,
          .depth_block = 256,  // 32 KB of a panel, which stay in the L1 while rows pass by
          .left_block_bytes = size_t{1} << 20,
          .left_block_rows = 256,
          .tiles = true,
          .worth_a_thread = 5'000'000};
}

// The same of f32 numbers in slices, whose digits are signed bytes.
constexpr MicroKernel SlicesKernel(void (*multiply)(const PanelTile&),
                                   void (*multiply_sliced)(const SlicedTile&)) {
  MicroKernel kernel = TilesKernel(4, multiply);
  kernel.multiply_sliced = multiply_sliced;
  kernel.sums = kSlices;
  kernel.left_block_rows = 1;  // three sums of each tile would leave the cache
  return kernel;
}

}  // namespace embedding
