// PanelTile: what a kernel of micro_kernels.h computes in one call.
//
// In a file of its own, without inline functions: those of a file that is compiled for AVX-512
// or AVX2 might be linked where there is none.
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

// What stands after this is not loaded before it. A compiler that loads more at a time than the
// registers have room for keeps sums in memory instead: g++ 12 did so for Arm with 3 of 24 in f32,
// with 9 of 24 in int8.
#define EMBEDDING_LOAD_NO_FURTHER() asm volatile("" ::: "memory")

namespace embedding {

// Words between two requests to fetch ahead: often enough to spread them, rarely enough to cost
// nothing.
inline constexpr size_t kFetchInterval = 4;

// A processor's tile, of AMX: so many rows of so many bytes.
inline constexpr size_t kTileRows = 16;
inline constexpr size_t kTileRowBytes = 64;

// Work on some rows that is done beside something else: run(work, begin, end) for ranges that cover
// [0, rows). Nothing where `rows` is 0.
struct WorkBeside {
  void (*run)(const void* work, size_t begin, size_t end) = nullptr;
  const void* work = nullptr;
  size_t rows = 0;
};

// What of a tile is not multiplied again soon, and need not displace what is from the L1 cache.
enum class Once { kNeither, kLeft, kRight };

struct PanelTile {
  const uint8_t* left;   // [rows] of `depth` words, each aligned to 4 bytes
  size_t left_stride;    // bytes from row to row
  size_t rows;           // 1 to MicroKernel::rows
  size_t depth;          // words
  const uint8_t* right;  // [depth][width] words as the weight stores them
  uint8_t* sums;         // [rows][width] of float or int32_t, cache-line aligned
  bool accumulate;       // adds to the sums, instead of overwriting them
  // Memory that the next tiles need: before every kFetchInterval words `ahead_lines` cache lines
  // of it are fetched into the L2 cache; the L1 is too small for them.
  const uint8_t* ahead = nullptr;
  size_t ahead_lines = 0;
  // For kernels of tiles alone, which do not ask for a row's words to lie side by side: bytes from
  // kTileRowBytes of a row to the next, and from kTileRows rows to the next.
  size_t left_step = kTileRowBytes;
  size_t left_block = 0;
  // And what they do meanwhile, for the units that multiply tiles are apart from the others.
  WorkBeside beside = {};
  Once once = Once::kNeither;
};

}  // namespace embedding
