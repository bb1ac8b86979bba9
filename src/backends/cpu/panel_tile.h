// PanelTile: what a kernel of micro_kernels.h computes in one call.
//
// In a file of its own, without inline functions: those of a file that is compiled for AVX-512
// might be linked where there is none.
#pragma once

#include <cstddef>
#include <cstdint>

// Before a loop over a tile's rows or vectors. Compilers keep an array of sums in registers only if
// they unroll every loop over it; of two nested ones GCC does not by itself.
#if defined(__clang__)
#define EMBEDDING_UNROLL _Pragma("unroll")
#else
#define EMBEDDING_UNROLL _Pragma("GCC unroll 8")
#endif

namespace embedding {

// Words between two requests to fetch ahead: often enough to spread them, rarely enough to cost
// nothing.
inline constexpr size_t kFetchInterval = 4;

struct PanelTile {
  const uint8_t* left;   // [rows] of `depth` words, 4-byte aligned
  size_t left_stride;    // bytes from row to row
  size_t rows;           // 1 to MicroKernel::rows
  size_t depth;          // words
  const uint8_t* right;  // [depth][width] words as the weight stores them
  uint8_t* sums;         // [rows][width] of float or int32_t, cache-line aligned
  bool accumulate;       // adds to the sums, instead of overwriting them
  // Memory that the next tiles need: before every kFetchInterval words `ahead_lines` cache lines
  // of it are fetched into the L2 cache; the L1 is too small for them.
  const uint8_t* ahead;
  size_t ahead_lines;
};

}  // namespace embedding
