// The loops of the kernels of neon_tiles.h, for who compiles them for an extension of NEON.
//
// An Op gives them the type of four sums of 32 bits and its instruction. Sums take their terms in
// the order of the words, by the same instruction, however many rows there are.
#pragma once

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "backends/cpu/panel_tile.h"

namespace embedding {
namespace {

inline void Fetch(const uint8_t* ahead, size_t lines) {
  constexpr size_t kLineBytes = 64;
  for (size_t i = 0; i < lines; ++i) {
    __builtin_prefetch(ahead + i * kLineBytes, /*rw=*/0, /*locality=*/2);
  }
}
inline size_t FetchedBytes(const PanelTile& tile) { return tile.ahead_lines * 64; }

constexpr size_t kVectorBytes = 16;

// Words of 32 bits. Op::Add<lane>(sums, right, left): to each sum the dot product of its word of
// `right` and of word `lane` of `left`.
//
// A row's words come four at a time, and the instruction takes one of them: to spread each over a
// vector would take one of the multipliers' turns (on Neoverse's cores) for every four.
template <typename Op>
struct DotTile {
  // 24 sums, six rows' words and two vectors of weights fit the 32 registers.
  static constexpr size_t kRows = 6;
  static constexpr size_t kVectors = 4;
  static constexpr size_t kWidth = kVectors * 4;
  using Sum = typename Op::Sum;

  template <int lane, size_t rows>
  static void AddWord(Sum (&sums)[rows][kVectors], const uint8x16_t (&left)[rows],
                      const uint8_t* right) {
    EMBEDDING_UNROLL
    for (size_t v = 0; v < kVectors; ++v) {
      const uint8x16_t weights = vld1q_u8(right + (lane * kVectors + v) * kVectorBytes);
      EMBEDDING_UNROLL
      for (size_t r = 0; r < rows; ++r) {
        sums[r][v] = Op::template Add<lane>(sums[r][v], weights, left[r]);
      }
      EMBEDDING_LOAD_NO_FURTHER();
    }
  }

  template <size_t rows>
  static void Multiply(const PanelTile& tile) {
    Sum sums[rows][kVectors];
    EMBEDDING_UNROLL
    for (size_t r = 0; r < rows; ++r) {
      EMBEDDING_UNROLL
      for (size_t v = 0; v < kVectors; ++v) {
        const uint8_t* from = tile.sums + (r * kVectors + v) * kVectorBytes;
        sums[r][v] = tile.accumulate ? Op::Load(from) : Op::Zero();
      }
    }
    constexpr size_t kWords = 4;
    static_assert(kWords == kFetchInterval);
    const uint8_t* left = tile.left;
    const uint8_t* right = tile.right;
    const uint8_t* ahead = tile.ahead;
    uint8x16_t words[rows];
    size_t i = 0;
    for (; i + kWords <= tile.depth; i += kWords) {
      Fetch(ahead, tile.ahead_lines);
      ahead += FetchedBytes(tile);
      EMBEDDING_UNROLL
      for (size_t r = 0; r < rows; ++r) words[r] = vld1q_u8(left + r * tile.left_stride);
      AddWord<0>(sums, words, right);
      AddWord<1>(sums, words, right);
      AddWord<2>(sums, words, right);
      AddWord<3>(sums, words, right);
      left += kVectorBytes;
      right += kWords * kVectors * kVectorBytes;
    }
    if (i < tile.depth) Fetch(ahead, tile.ahead_lines);
    for (; i < tile.depth; ++i) {
      EMBEDDING_UNROLL
      for (size_t r = 0; r < rows; ++r) {
        uint32_t word = 0;
        std::memcpy(&word, left + r * tile.left_stride, sizeof(word));
        words[r] = vreinterpretq_u8_u32(vdupq_n_u32(word));
      }
      AddWord<0>(sums, words, right);
      left += sizeof(uint32_t);
      right += kVectors * kVectorBytes;
    }
    EMBEDDING_UNROLL
    for (size_t r = 0; r < rows; ++r) {
      EMBEDDING_UNROLL
      for (size_t v = 0; v < kVectors; ++v) {
        Op::Store(tile.sums + (r * kVectors + v) * kVectorBytes, sums[r][v]);
      }
    }
  }
};

// Words of 64 bits. Op::Add(sums, left, right): to [2][2] sums the dot products of two rows' words
// and two output features'. What four vectors of rows cost to be put together, a multiplier's turn
// each on Neoverse's cores, six of weights share.
template <typename Op>
struct MatrixTile {
  // 24 vectors of sums and four of rows' words leave four of the 32 registers for weights.
  static constexpr size_t kRows = 8;
  static constexpr size_t kVectors = 6;
  static constexpr size_t kWidth = kVectors * 2;
  using Sum = typename Op::Sum;

  // What is [2][2] in two vectors each, is [2][4] in memory, a row in a vector; and back. An odd
  // last row has a copy of itself for the second, which is not stored.
  static void Load(const uint8_t* row, const uint8_t* next_row, Sum& sums0, Sum& sums1) {
    const uint64x2_t upper = vreinterpretq_u64_u8(vld1q_u8(row));
    const uint64x2_t lower = vreinterpretq_u64_u8(vld1q_u8(next_row));
    sums0 = Op::FromBits(vzip1q_u64(upper, lower));
    sums1 = Op::FromBits(vzip2q_u64(upper, lower));
  }
  static void Store(Sum sums0, Sum sums1, bool both, uint8_t* row, uint8_t* next_row) {
    const uint64x2_t bits0 = Op::Bits(sums0);
    const uint64x2_t bits1 = Op::Bits(sums1);
    vst1q_u8(row, vreinterpretq_u8_u64(vzip1q_u64(bits0, bits1)));
    if (both) vst1q_u8(next_row, vreinterpretq_u8_u64(vzip2q_u64(bits0, bits1)));
  }

  template <size_t rows>
  static void Multiply(const PanelTile& tile) {
    constexpr size_t kPairs = (rows + 1) / 2;
    constexpr size_t kRowBytes = kWidth * sizeof(uint32_t);
    const auto next = [](size_t row) { return row + 1 < rows ? row + 1 : row; };
    Sum sums[kPairs][kVectors];
    EMBEDDING_UNROLL
    for (size_t p = 0; p < kPairs; ++p) {
      EMBEDDING_UNROLL
      for (size_t v = 0; v < kVectors; v += 2) {
        sums[p][v] = sums[p][v + 1] = Op::Zero();
        if (!tile.accumulate) continue;
        const uint8_t* from = tile.sums + v / 2 * kVectorBytes;
        Load(from + 2 * p * kRowBytes, from + next(2 * p) * kRowBytes, sums[p][v], sums[p][v + 1]);
      }
    }
    const uint8_t* left = tile.left;
    const uint8_t* right = tile.right;
    const uint8_t* ahead = tile.ahead;
    for (size_t first = 0; first < tile.depth; first += kFetchInterval) {
      Fetch(ahead, tile.ahead_lines);
      ahead += FetchedBytes(tile);
      const size_t remaining = tile.depth - first;
      const size_t words = remaining < kFetchInterval ? remaining : kFetchInterval;
      for (size_t i = 0; i < words; ++i) {
        uint8x16_t pairs[kPairs];
        EMBEDDING_UNROLL
        for (size_t p = 0; p < kPairs; ++p) {
          pairs[p] = vcombine_u8(vld1_u8(left + 2 * p * tile.left_stride),
                                 vld1_u8(left + next(2 * p) * tile.left_stride));
        }
        EMBEDDING_UNROLL
        for (size_t v = 0; v < kVectors; ++v) {
          const uint8x16_t weights = vld1q_u8(right + v * kVectorBytes);
          EMBEDDING_UNROLL
          for (size_t p = 0; p < kPairs; ++p) sums[p][v] = Op::Add(sums[p][v], pairs[p], weights);
          EMBEDDING_LOAD_NO_FURTHER();
        }
        left += sizeof(uint64_t);
        right += kVectors * kVectorBytes;
      }
    }
    EMBEDDING_UNROLL
    for (size_t p = 0; p < kPairs; ++p) {
      EMBEDDING_UNROLL
      for (size_t v = 0; v < kVectors; v += 2) {
        uint8_t* to = tile.sums + v / 2 * kVectorBytes;
        Store(sums[p][v], sums[p][v + 1], /*both=*/2 * p + 1 < rows, to + 2 * p * kRowBytes,
              to + next(2 * p) * kRowBytes);
      }
    }
  }
};

template <typename Tile, size_t rows = Tile::kRows>
void MultiplyRows(const PanelTile& tile) {
  if (tile.rows == rows) return Tile::template Multiply<rows>(tile);
  if constexpr (rows > 1) MultiplyRows<Tile, rows - 1>(tile);
}

// Sums of integers, and of floating-point numbers.
struct IntegerSums {
  using Sum = int32x4_t;
  static Sum Zero() { return vdupq_n_s32(0); }
  static Sum Load(const uint8_t* from) { return vreinterpretq_s32_u8(vld1q_u8(from)); }
  static void Store(uint8_t* to, Sum sum) { vst1q_u8(to, vreinterpretq_u8_s32(sum)); }
  static Sum FromBits(uint64x2_t bits) { return vreinterpretq_s32_u64(bits); }
  static uint64x2_t Bits(Sum sum) { return vreinterpretq_u64_s32(sum); }
};
struct FloatSums {
  using Sum = float32x4_t;
  static Sum Zero() { return vdupq_n_f32(0); }
  static Sum Load(const uint8_t* from) { return vreinterpretq_f32_u8(vld1q_u8(from)); }
  static void Store(uint8_t* to, Sum sum) { vst1q_u8(to, vreinterpretq_u8_f32(sum)); }
  static Sum FromBits(uint64x2_t bits) { return vreinterpretq_f32_u64(bits); }
  static uint64x2_t Bits(Sum sum) { return vreinterpretq_u64_f32(sum); }
};

}  // namespace
}  // namespace embedding
