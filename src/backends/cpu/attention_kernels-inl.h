// The inner loops of attention.cc, once for each instruction set that Highway compiles for.

#if defined(EMBEDDING_ATTENTION_KERNELS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef EMBEDDING_ATTENTION_KERNELS_INL_H_
#undef EMBEDDING_ATTENTION_KERNELS_INL_H_
#else
#define EMBEDDING_ATTENTION_KERNELS_INL_H_
#endif

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "backends/cpu/elementwise-inl.h"
#include "base/aligned_buffer.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace embedding {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;

// Turns the raw scores of one query over `keys` keys, a multiple of the lanes, into probabilities
// 2^(factor * (score - max)), updates the query's running max and sum, and returns the number by
// which what was summed before has to be multiplied. Scores lie in pieces of `panel` keys, `stride`
// numbers apart; probabilities one after another. factor > 0. `coefficients` are Exp2OfNegative's.
template <size_t count>
HWY_INLINE float OnlineSoftmax(const float (&coefficients)[count], const float* HWY_RESTRICT scores,
                               size_t keys, size_t panel, size_t stride, float factor, float& max,
                               float& sum, float* HWY_RESTRICT probabilities) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  auto block_max = hn::Set(d, max);
  auto other_max = block_max;  // of every second vector, for two comparisons at a time
  const float* piece = scores;
  for (size_t first = 0; first < keys; first += panel, piece += stride) {
    const size_t size = HWY_MIN(panel, keys - first);
    size_t i = 0;
    for (; i + 2 * lanes <= size; i += 2 * lanes) {
      block_max = hn::Max(block_max, hn::Load(d, piece + i));
      other_max = hn::Max(other_max, hn::Load(d, piece + i + lanes));
    }
    if (i < size) block_max = hn::Max(block_max, hn::Load(d, piece + i));
  }
  const float new_max = hn::GetLane(hn::MaxOfLanes(d, hn::Max(block_max, other_max)));
  const auto scale = hn::Set(d, factor);
  const auto offset = hn::Set(d, new_max * factor);
  auto block_sum = hn::Zero(d);
  piece = scores;
  for (size_t first = 0; first < keys; first += panel, piece += stride) {
    const size_t size = HWY_MIN(panel, keys - first);
    for (size_t i = 0; i < size; i += lanes) {
      const auto p =
          Exp2OfNegative(d, hn::MulSub(hn::Load(d, piece + i), scale, offset), coefficients);
      hn::Store(p, d, probabilities + first + i);
      block_sum = hn::Add(block_sum, p);
    }
  }
  const float rescale = new_max == max ? 1.0F : std::exp2((max - new_max) * factor);
  max = new_max;
  sum = sum * rescale + hn::GetLane(hn::SumOfLanes(d, block_sum));
  return rescale;
}

// Four rows' elements [i, i + 4) -> out[i .. i + 4)[0 .. 4), rows `panel` apart.
HWY_INLINE void Transpose4x4(const uint32_t* HWY_RESTRICT rows, size_t stride, size_t panel,
                             uint32_t* HWY_RESTRICT out) {
  const hn::FixedTag<uint32_t, 4> d;
  const hn::RepartitionToWide<decltype(d)> d2;
  const auto k0 = hn::LoadU(d, rows);
  const auto k1 = hn::LoadU(d, rows + stride);
  const auto k2 = hn::LoadU(d, rows + 2 * stride);
  const auto k3 = hn::LoadU(d, rows + 3 * stride);
  const auto low01 = hn::BitCast(d2, hn::InterleaveLower(d, k0, k1));
  const auto high01 = hn::BitCast(d2, hn::InterleaveUpper(d, k0, k1));
  const auto low23 = hn::BitCast(d2, hn::InterleaveLower(d, k2, k3));
  const auto high23 = hn::BitCast(d2, hn::InterleaveUpper(d, k2, k3));
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(d2, low01, low23)), d, out);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(d2, low01, low23)), d, out + panel);
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(d2, high01, high23)), d, out + 2 * panel);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(d2, high01, high23)), d, out + 3 * panel);
}

// Before row r of `count` is packed: asks for the first `size` elements of a row some way ahead.
// Rows of keys and values lie too far apart for the processor's own prefetchers.
template <typename T>
HWY_INLINE void FetchAhead(const T* rows, size_t r, size_t count, size_t stride, size_t size) {
  constexpr size_t kRowsAhead = 12;
  if (r + kRowsAhead >= count) return;
  const T* row = rows + (r + kRowsAhead) * stride;
  for (size_t i = 0; i < size; i += kCacheLineBytes / sizeof(T)) __builtin_prefetch(row + i);
}

// keys [count, words] at `stride` elements -> panels of `panel` keys, [depth][panel] each, of which
// [words][panel] are written. What the last panel has beyond `count` is left as it is: those keys'
// scores are not used.
HWY_INLINE void PackKeys(const uint32_t* keys, size_t count, size_t stride, size_t words,
                         size_t depth, size_t panel, uint32_t* HWY_RESTRICT out) {
  for (size_t k = 0; k < count;) {
    uint32_t* column = out + k / panel * panel * depth + k % panel;
    const uint32_t* key = keys + k * stride;
    size_t i = 0;
    if (k + 4 <= count) {
      for (size_t j = 0; j < 4; ++j) FetchAhead(keys, k + j, count, stride, words);
      for (; i + 4 <= words; i += 4) Transpose4x4(key + i, stride, panel, column + i * panel);
      for (; i < words; ++i) {
        for (size_t j = 0; j < 4; ++j) column[i * panel + j] = key[j * stride + i];
      }
      k += 4;
    } else {
      for (; i < words; ++i) column[i * panel] = key[i];
      k += 1;
    }
  }
}

// out[0 .. size) = row * factor. `row` is aligned.
template <typename T>
HWY_INLINE void StoreScaled(const float* HWY_RESTRICT row, size_t size, float factor,
                            T* HWY_RESTRICT out) {
  const D d;
  size_t i = 0;
  for (; i + hn::Lanes(d) <= size; i += hn::Lanes(d)) {
    StoreFromF32(d, hn::Mul(hn::Load(d, row + i), hn::Set(d, factor)), out + i);
  }
  for (; i < size; ++i) out[i] = static_cast<T>(row[i] * factor);
}

// row[0 .. size) *= factor; size is a multiple of the lanes.
HWY_INLINE void ScaleRow(float* HWY_RESTRICT row, size_t size, float factor) {
  const D d;
  for (size_t i = 0; i < size; i += hn::Lanes(d)) {
    hn::Store(hn::Mul(hn::Load(d, row + i), hn::Set(d, factor)), d, row + i);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace embedding
HWY_AFTER_NAMESPACE();

#endif  // EMBEDDING_ATTENTION_KERNELS_INL_H_
