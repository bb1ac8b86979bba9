// The loop of the kernels of tile_kernel.h, for who has tiles: a type with eight of them,
//   Configure(rows)               of tiles 0, 1 and 4 the first 16 of them count, of 2, 3 and 5 the
//                                 others, of 6 and 7, the weight's, all 16
//   Zero<tile>()
//   Load<tile>(from, stride)      rows of kTileRowBytes, `stride` bytes apart
//   LoadOnce<tile>(from, stride)  the same, of what is not loaded again soon
//   Store<tile>(to, stride)
//   Add<sums, left, right>()      sums += left * right, of words of 4 bytes: right has word k of 16
//                                 columns in row k
//
// A sum takes its terms in the order of the words, tile by tile, however many rows there are.
#pragma once

#include <cstddef>
#include <cstdint>

#include "backends/cpu/panel_tile.h"

namespace embedding {
namespace {

// Rows of the work beside that are done at a time: a call for each would cost as much as its work.
constexpr size_t kRowsBeside = 4;

constexpr size_t kSumsStride = 2 * kTileRowBytes;  // 32 sums, and 32 words of the weight

template <class Tiles, int tile, bool once>
void LoadFor(const uint8_t* from, size_t stride) {
  if constexpr (once) {
    Tiles::template LoadOnce<tile>(from, stride);
  } else {
    Tiles::template Load<tile>(from, stride);
  }
}

template <class Tiles, Once once, bool both>
void MultiplySteps(const PanelTile& tile) {
  constexpr size_t kStepWords = kTileRowBytes / 4;
  constexpr bool kLeftOnce = once == Once::kLeft;
  constexpr bool kRightOnce = once == Once::kRight;
  uint8_t* const below = tile.sums + kTileRows * kSumsStride;
  if (tile.accumulate) {
    Tiles::template Load<0>(tile.sums, kSumsStride);
    Tiles::template Load<1>(tile.sums + kTileRowBytes, kSumsStride);
    if constexpr (both) {
      Tiles::template Load<2>(below, kSumsStride);
      Tiles::template Load<3>(below + kTileRowBytes, kSumsStride);
    }
  } else {
    Tiles::template Zero<0>();
    Tiles::template Zero<1>();
    if constexpr (both) {
      Tiles::template Zero<2>();
      Tiles::template Zero<3>();
    }
  }
  const size_t steps = tile.depth / kStepWords;
  const size_t fetched = kStepWords / kFetchInterval * tile.ahead_lines;  // lines a step
  const uint8_t* ahead = tile.ahead;
  const uint8_t* left = tile.left;
  const uint8_t* right = tile.right;
  size_t done = 0;  // rows of the work beside
  for (size_t step = 0; step < steps; ++step) {
    for (size_t i = 0; i < fetched; ++i, ahead += kTileRowBytes) {
      __builtin_prefetch(ahead, /*rw=*/0, /*locality=*/2);
    }
    LoadFor<Tiles, 6, kRightOnce>(right, kSumsStride);
    LoadFor<Tiles, 4, kLeftOnce>(left, tile.left_stride);
    Tiles::template Add<0, 4, 6>();
    LoadFor<Tiles, 7, kRightOnce>(right + kTileRowBytes, kSumsStride);
    Tiles::template Add<1, 4, 7>();
    if (done < tile.beside.rows) {
      const size_t end = tile.beside.rows * (step + 1) / steps;
      if (end >= done + kRowsBeside || end == tile.beside.rows) {
        tile.beside.run(tile.beside.work, done, end);
        done = end;
      }
    }
    if constexpr (both) {
      LoadFor<Tiles, 5, kLeftOnce>(left + tile.left_block, tile.left_stride);
      Tiles::template Add<2, 5, 6>();
      Tiles::template Add<3, 5, 7>();
    }
    left += tile.left_step;
    right += kStepWords * kSumsStride;
  }
  Tiles::template Store<0>(tile.sums, kSumsStride);
  Tiles::template Store<1>(tile.sums + kTileRowBytes, kSumsStride);
  if constexpr (both) {
    Tiles::template Store<2>(below, kSumsStride);
    Tiles::template Store<3>(below + kTileRowBytes, kSumsStride);
  }
}

template <class Tiles, Once once>
void MultiplyRows(const PanelTile& tile) {
  if (tile.rows > kTileRows) {
    MultiplySteps<Tiles, once, true>(tile);
  } else {
    MultiplySteps<Tiles, once, false>(tile);
  }
}

template <class Tiles>
void MultiplyTiles(const PanelTile& tile) {
  Tiles::Configure(tile.rows);
  switch (tile.once) {
    case Once::kNeither:
      return MultiplyRows<Tiles, Once::kNeither>(tile);
    case Once::kLeft:
      return MultiplyRows<Tiles, Once::kLeft>(tile);
    case Once::kRight:
      return MultiplyRows<Tiles, Once::kRight>(tile);
  }
}

}  // namespace
}  // namespace embedding
