// The loop of the kernels of x86_tiles.h, for who compiles it for an extension.
//
// An Op gives it the types of a vector of words and of their sums, and its instruction. Sums take
// their terms in the order of the words, however many rows there are.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "backends/cpu/panel_tile.h"

namespace embedding {
namespace {

// `rows` * kVectors sums, kVectors vectors of weights and a broadcast fit the registers.
template <typename Op, size_t rows, size_t kVectors>
void Multiply(const PanelTile& tile) {
  using Words = typename Op::Words;
  constexpr size_t kVectorBytes = sizeof(Words);
  constexpr size_t kLineBytes = 64;
  typename Op::Sum sums[rows][kVectors];
  EMBEDDING_UNROLL
  for (size_t r = 0; r < rows; ++r) {
    EMBEDDING_UNROLL
    for (size_t v = 0; v < kVectors; ++v) {
      const uint8_t* from = tile.sums + (r * kVectors + v) * kVectorBytes;
      sums[r][v] = tile.accumulate ? Op::Load(from) : Op::Zero();
    }
  }
  const uint8_t* left = tile.left;
  const uint8_t* right = tile.right;
  const uint8_t* ahead = tile.ahead;
  for (size_t first = 0; first < tile.depth; first += kFetchInterval) {
    for (size_t i = 0; i < tile.ahead_lines; ++i, ahead += kLineBytes) {
      _mm_prefetch(ahead, _MM_HINT_T1);
    }
    const size_t remaining = tile.depth - first;
    const size_t words = remaining < kFetchInterval ? remaining : kFetchInterval;
    for (size_t i = 0; i < words; ++i) {
      Words weights[kVectors];
      EMBEDDING_UNROLL
      for (size_t v = 0; v < kVectors; ++v) weights[v] = Op::LoadWords(right + v * kVectorBytes);
      EMBEDDING_UNROLL
      for (size_t r = 0; r < rows; ++r) {
        int32_t word = 0;
        std::memcpy(&word, left + r * tile.left_stride, sizeof(word));
        const Words value = Op::Spread(word);
        EMBEDDING_UNROLL
        for (size_t v = 0; v < kVectors; ++v) sums[r][v] = Op::Add(sums[r][v], value, weights[v]);
      }
      left += sizeof(int32_t);
      right += kVectors * kVectorBytes;
    }
  }
  EMBEDDING_UNROLL
  for (size_t r = 0; r < rows; ++r) {
    EMBEDDING_UNROLL
    for (size_t v = 0; v < kVectors; ++v) {
      Op::Store(tile.sums + (r * kVectors + v) * kVectorBytes, sums[r][v]);
    }
  }
}

template <typename Op, size_t rows, size_t kVectors>
void MultiplyRows(const PanelTile& tile) {
  if (tile.rows == rows) return Multiply<Op, rows, kVectors>(tile);
  if constexpr (rows > 1) MultiplyRows<Op, rows - 1, kVectors>(tile);
}

}  // namespace
}  // namespace embedding
