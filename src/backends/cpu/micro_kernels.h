// The kernels of the products of panel_product.h: what differs from one type of numbers, and from
// one instruction set, to another.
//
// A kernel keeps the sums of a few rows and one panel in registers and adds, word by word, the
// outer product of the rows' words and the panel's. A word is 32 or 64 bits: an f32, or a few bf16
// or integers, of which a multiplication gives the sum of products.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

#include "backends/cpu/panel_tile.h"
#include "backends/cpu/sliced_tile.h"

namespace embedding {

// Of all kernels: four vectors of AVX-512.
inline constexpr size_t kMaxPanelWidth = 64;

struct MicroKernel {
  size_t group;  // input features in a word
  size_t width;  // output features of a panel
  size_t rows;   // most rows of a tile
  void (*multiply)(const PanelTile& tile);
  size_t word_bytes = 4;
  // Bytes in which a word of the weight is stored, and what makes words of 4 bytes of them; nullptr
  // where `multiply` reads them as they are stored.
  size_t stored_bytes = word_bytes;
  void (*widen)(const uint8_t* stored, size_t words, uint8_t* to) = nullptr;
  // Rows that are multiplied together: the last ones of a tile take the time of as many.
  size_t rows_at_once = 1;
  // Words that a row's number of them is rounded up to.
  size_t depth_unit = 1;
  // A tile's sums, one after another, each [rows][width] with all of `rows`: of slices (slices.h)
  // one for each power of their digits' base.
  size_t sums = 1;
  // Words of a panel that all rows pass by before its next words: 256 KB of a panel of 64 words of
  // 32 bits and 64 KB of one of 16, which stay in the L2 cache.
  size_t depth_block = 1024;
  // Bytes of rows that all panels pass by before the next do, to stay in the L2 cache: all words of
  // some rows or, where these would be fewer than so many, some words of them.
  size_t left_block_bytes = std::numeric_limits<size_t>::max();
  size_t left_block_rows = 1;
  // Of integers on the left: those from 0 to 255 are stored less this.
  int32_t left_shift = 0;
  // Of pairs of bf16: rounds `size` f32 numbers, a multiple of 32.
  void (*round)(const float* in, size_t size, uint16_t* out) = nullptr;
  // Of slices: all of their sums at once, for attention.
  void (*multiply_sliced)(const SlicedTile& tile) = nullptr;
  // Whether it is one of tile_kernel.h, which is fastest with rows in the order of tiles
  // (linear.h).
  bool tiles = false;
  // Whether these are AMX's, which can have a product's ends in place (tile_end.h).
  bool amx = false;
  // Called when a thread has done its tasks; nullptr where there is nothing to do.
  void (*release)() = nullptr;
  // Multiply-adds for which another thread is worth its while: some ten microseconds' work, where
  // threads meet within one or two.
  size_t worth_a_thread = 500'000;

  // Words of a row of so many features.
  constexpr size_t depth(size_t features) const {
    const size_t per_unit = group * depth_unit;
    return (features + per_unit - 1) / per_unit * depth_unit;
  }
};

// For the best instruction set that may be used (instruction_set.h). Sums are float.
MicroKernel F32Kernel();
// The same with the weight stored in f16.
MicroKernel F16Kernel();
// Words are bf16; nothing where the processor does not multiply those. Sums are float.
std::optional<MicroKernel> Bf16Kernel();
// The same whose words are pairs of bf16, with `round`; there if Bf16Kernel() is.
std::optional<MicroKernel> Bf16PairsKernel();
// Words are integers from 0 to 255, less `left_shift`, on the left, bytes or 16 bits wide according
// to `word_bytes` and `group`, and signed bytes in the weight. Sums are int32_t.
MicroKernel Int8Kernel();
// Words are four digits of f32 numbers in slices (slices.h): of the input all first digits, then
// all second and third ones; of the weight the other way round. Sums are S0, S1 and S2, int32_t.
// Nothing where f32 numbers are multiplied as they are: the processor does not multiply bytes so
// much faster, the build has a BLAS, with so many input features the sums could overflow, or with
// one feature there are none.
std::optional<MicroKernel> F32SlicesKernel(size_t in_features);

// Has Bf16Kernel(), Bf16PairsKernel(), Int8Kernel() and F32SlicesKernel() give these, for tests of
// what is around kernels of tiles on processors without; nullptr ends it.
struct TileKernels {
  MicroKernel bf16;
  MicroKernel int8;
  MicroKernel slices;
};
void SetTileKernelsForTest(const TileKernels* kernels);

}  // namespace embedding
