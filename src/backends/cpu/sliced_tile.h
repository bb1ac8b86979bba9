// SlicedTile: a product of f32 numbers in slices (slices.h) whose three sums a kernel makes in one
// call, for attention.
//
// Without inline functions, as panel_tile.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "backends/cpu/panel_tile.h"

namespace embedding {

// Digits are signed bytes, kTileRowBytes of them a step; those of the same place lie together.
struct SlicedTile {
  // 2 * kTileRows rows of kTileRowBytes * steps digits.
  const uint8_t* left;
  size_t left_stride;  // bytes from row to row
  size_t left_place;   // and from the first digits to the second, and to the third
  // [steps][kTileRows][kTileRowBytes]: of 4 digits those of 16 columns, then of the next 4.
  const uint8_t* right;
  size_t right_place;
  size_t steps;
  int32_t* sums;  // S0, S1 and S2, [3][2 * kTileRows][16], cache-line aligned
};

}  // namespace embedding
