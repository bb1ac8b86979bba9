// The loop of the kernels of tile_kernel.h, once for each instruction set that Highway compiles
// for, which is that of the work beside.
//
// `Tiles` is a type with eight of them,
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

#if defined(EMBEDDING_TILE_KERNEL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef EMBEDDING_TILE_KERNEL_INL_H_
#undef EMBEDDING_TILE_KERNEL_INL_H_
#else
#define EMBEDDING_TILE_KERNEL_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "backends/cpu/panel_tile.h"
#include "backends/cpu/sliced_tile.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace embedding {
namespace HWY_NAMESPACE {

// The work beside, called for each row. Others do it in place.
class CallRows {
 public:
  explicit CallRows(const WorkBeside& beside) : beside_(beside) {}
  HWY_INLINE void operator()(size_t row) const { beside_.run(beside_.work, row, row + 1); }

 private:
  const WorkBeside beside_;
};

template <class Tiles, int tile>
HWY_INLINE void LoadTile(bool once, const uint8_t* from, size_t stride) {
  if (once) {
    Tiles::template LoadOnce<tile>(from, stride);
  } else {
    Tiles::template Load<tile>(from, stride);
  }
}

// What a tile asks of kernels of tiles, with beside(row) for each row of the work beside.
//
// A processor has few tiles to spare besides the eight that are named, so it does not see far
// ahead: what stands between two products must be short for the next ones to begin in time. So it
// is a row of the work at most, the rest behind the last product.
template <class Tiles, class Beside>
HWY_INLINE void MultiplyTiles(const PanelTile& tile, const Beside& beside) {
  constexpr size_t kStepWords = kTileRowBytes / 4;
  constexpr size_t kSumsStride = 2 * kTileRowBytes;  // 32 sums, and 32 words of the weight
  Tiles::Configure(tile.rows);
  const bool both = tile.rows > kTileRows;
  uint8_t* const below = tile.sums + kTileRows * kSumsStride;
  if (tile.accumulate) {
    Tiles::template Load<0>(tile.sums, kSumsStride);
    Tiles::template Load<1>(tile.sums + kTileRowBytes, kSumsStride);
    if (both) {
      Tiles::template Load<2>(below, kSumsStride);
      Tiles::template Load<3>(below + kTileRowBytes, kSumsStride);
    }
  } else {
    Tiles::template Zero<0>();
    Tiles::template Zero<1>();
    if (both) {
      Tiles::template Zero<2>();
      Tiles::template Zero<3>();
    }
  }
  const size_t steps = tile.depth / kStepWords;
  const uint8_t* ahead = tile.ahead;
  const uint8_t* left = tile.left;
  const uint8_t* right = tile.right;
  // The work's rows are spread over the places for them, which are behind products of tiles.
  const size_t places = (both ? 4 : 2) * steps;
  const size_t rows = std::min(tile.beside.rows, places);
  size_t row = 0;
  size_t due = 0;  // grows by `rows` a place: a row is done each time that it comes to `places`
  const auto work = [&]() __attribute__((always_inline)) HWY_ATTR {
    due += rows;
    if (due < places) return;
    due -= places;
    beside(row++);
  };
  for (size_t step = 0; step < steps; ++step) {
    const size_t fetched = kStepWords / kFetchInterval * tile.ahead_lines;
    for (const uint8_t* const end = ahead + fetched * kTileRowBytes; ahead < end;
         ahead += kTileRowBytes) {
      __builtin_prefetch(ahead, /*rw=*/0, /*locality=*/2);
    }
    LoadTile<Tiles, 6>(tile.once == Once::kRight, right, kSumsStride);
    LoadTile<Tiles, 4>(tile.once == Once::kLeft, left, tile.left_stride);
    Tiles::template Add<0, 4, 6>();
    work();
    LoadTile<Tiles, 7>(tile.once == Once::kRight, right + kTileRowBytes, kSumsStride);
    Tiles::template Add<1, 4, 7>();
    work();
    if (both) {
      LoadTile<Tiles, 5>(tile.once == Once::kLeft, left + tile.left_block, tile.left_stride);
      Tiles::template Add<2, 5, 6>();
      work();
      Tiles::template Add<3, 5, 7>();
      work();
    }
    left += tile.left_step;
    right += kStepWords * kSumsStride;
  }
  for (; row < tile.beside.rows; ++row) beside(row);  // more rows than places
  Tiles::template Store<0>(tile.sums, kSumsStride);
  Tiles::template Store<1>(tile.sums + kTileRowBytes, kSumsStride);
  if (both) {
    Tiles::template Store<2>(below, kSumsStride);
    Tiles::template Store<3>(below + kTileRowBytes, kSumsStride);
  }
}

// Adds to tiles `sums` and the next the products of 32 rows of digits by those in tile 7.
template <class Tiles, int sums>
HWY_INLINE void AddDigits(const uint8_t* rows, size_t stride) {
  Tiles::template Load<6>(rows, stride);
  Tiles::template Add<sums, 6, 7>();
  Tiles::template Load<6>(rows + kTileRows * stride, stride);
  Tiles::template Add<sums + 1, 6, 7>();
}

// What a SlicedTile asks of kernels of tiles. A product waits for the one before it that goes to
// the same sum, so those of S2, of which there are most, have others between them.
template <class Tiles>
HWY_INLINE void MultiplySlicedTile(const SlicedTile& tile) {
  constexpr size_t kTile = kTileRows * kTileRowBytes;
  Tiles::Configure(2 * kTileRows);
  Tiles::template Zero<0>();  // S0 of the first 16 rows, and of the others
  Tiles::template Zero<1>();
  Tiles::template Zero<2>();  // S1
  Tiles::template Zero<3>();
  Tiles::template Zero<4>();  // S2
  Tiles::template Zero<5>();
  const size_t stride = tile.left_stride;
  for (size_t step = 0; step < tile.steps; ++step) {
    const uint8_t* const first = tile.left + step * kTileRowBytes;
    const uint8_t* const second = first + tile.left_place;
    const uint8_t* const third = second + tile.left_place;
    const uint8_t* const right = tile.right + step * kTile;
    Tiles::template Load<7>(right, kTileRowBytes);
    AddDigits<Tiles, 4>(third, stride);
    AddDigits<Tiles, 2>(second, stride);
    Tiles::template Load<7>(right + tile.right_place, kTileRowBytes);
    AddDigits<Tiles, 4>(second, stride);
    AddDigits<Tiles, 2>(first, stride);
    Tiles::template Load<7>(right + 2 * tile.right_place, kTileRowBytes);
    AddDigits<Tiles, 4>(first, stride);
    Tiles::template Load<7>(right, kTileRowBytes);
    AddDigits<Tiles, 0>(first, stride);
  }
  auto* const sums = reinterpret_cast<uint8_t*>(tile.sums);
  Tiles::template Store<0>(sums, kTileRowBytes);
  Tiles::template Store<1>(sums + kTile, kTileRowBytes);
  Tiles::template Store<2>(sums + 2 * kTile, kTileRowBytes);
  Tiles::template Store<3>(sums + 3 * kTile, kTileRowBytes);
  Tiles::template Store<4>(sums + 4 * kTile, kTileRowBytes);
  Tiles::template Store<5>(sums + 5 * kTile, kTileRowBytes);
}

}  // namespace HWY_NAMESPACE
}  // namespace embedding
HWY_AFTER_NAMESPACE();

#endif  // EMBEDDING_TILE_KERNEL_INL_H_
