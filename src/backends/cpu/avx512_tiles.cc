#include "backends/cpu/avx512_tiles.h"

#if defined(__AVX512BF16__) && defined(__AVX512VNNI__)

#include <immintrin.h>

#include <cstring>

namespace embedding {
namespace {

// 24 sums, four vectors of weights and a broadcast fit the 32 registers.
constexpr size_t kVectors = 4;
static_assert(kVectors * 16 == kAvx512TileWidth);

struct Bf16Pairs {
  using Sum = __m512;
  static Sum Zero() { return _mm512_setzero_ps(); }
  static Sum Add(Sum sum, __m512i left, __m512i right) {
    return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(left),
                            reinterpret_cast<__m512bh>(right));
  }
  static Sum Load(const uint8_t* from) { return _mm512_load_ps(from); }
  static void Store(uint8_t* to, Sum sum) { _mm512_store_ps(to, sum); }
};

struct Int8Quads {
  using Sum = __m512i;
  static Sum Zero() { return _mm512_setzero_si512(); }
  static Sum Add(Sum sum, __m512i left, __m512i right) {
    return _mm512_dpbusd_epi32(sum, left, right);
  }
  static Sum Load(const uint8_t* from) { return _mm512_load_si512(from); }
  static void Store(uint8_t* to, Sum sum) { _mm512_store_si512(to, sum); }
};

template <typename Op, size_t rows>
void Multiply(const PanelTile& tile) {
  constexpr size_t kVectorBytes = 64;
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
    for (size_t i = 0; i < tile.ahead_lines; ++i, ahead += kVectorBytes) {
      _mm_prefetch(ahead, _MM_HINT_T1);
    }
    const size_t remaining = tile.depth - first;
    const size_t words = remaining < kFetchInterval ? remaining : kFetchInterval;
    for (size_t i = 0; i < words; ++i) {
      __m512i weights[kVectors];
      EMBEDDING_UNROLL
      for (size_t v = 0; v < kVectors; ++v) {
        weights[v] = _mm512_load_si512(right + v * kVectorBytes);
      }
      EMBEDDING_UNROLL
      for (size_t r = 0; r < rows; ++r) {
        int32_t word = 0;
        std::memcpy(&word, left + r * tile.left_stride, sizeof(word));
        const __m512i value = _mm512_set1_epi32(word);
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

template <typename Op, size_t rows = kAvx512TileRows>
void MultiplyRows(const PanelTile& tile) {
  if (tile.rows == rows) return Multiply<Op, rows>(tile);
  if constexpr (rows > 1) MultiplyRows<Op, rows - 1>(tile);
}

}  // namespace

bool HasBf16Pairs() {
  return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bf16") != 0;
}
bool HasInt8Quads() {
  return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512vnni") != 0;
}

void MultiplyBf16Pairs(const PanelTile& tile) { MultiplyRows<Bf16Pairs>(tile); }
void RoundToBf16(const float* in, size_t size, uint16_t* out) {
  for (size_t i = 0; i < size; i += 32) {
    const __m512bh pairs =
        _mm512_cvtne2ps_pbh(_mm512_loadu_ps(in + i + 16), _mm512_loadu_ps(in + i));
    _mm512_storeu_si512(out + i, reinterpret_cast<__m512i>(pairs));
  }
}
void MultiplyInt8Quads(const PanelTile& tile) { MultiplyRows<Int8Quads>(tile); }

}  // namespace embedding

#else

namespace embedding {

bool HasBf16Pairs() { return false; }
bool HasInt8Quads() { return false; }
void MultiplyBf16Pairs(const PanelTile&) {}
void RoundToBf16(const float*, size_t, uint16_t*) {}
void MultiplyInt8Quads(const PanelTile&) {}

}  // namespace embedding

#endif
