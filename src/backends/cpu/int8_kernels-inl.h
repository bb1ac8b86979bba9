// The inner loops of int8_matmul.cc, once for each instruction set that Highway compiles for: rows
// are rounded to integers, multiplied in tiles, and a tile's sums turned into outputs.

#ifndef EMBEDDING_INT8_KERNELS_TYPES
#define EMBEDDING_INT8_KERNELS_TYPES

#include <cstddef>
#include <cstdint>

namespace embedding {

// A row of the input: q in [0, 255] as `group` integers in each 32-bit word, x = (q - zero) *
// scale.
struct QuantizedRow {
  uint32_t* words;
  float scale;
  int32_t zero;
};

// What turns a tile's sums into outputs, for the columns of one panel.
struct Int8Finish {
  const float* scales;         // [columns], of the weight
  const int32_t* weight_sums;  // [columns], of the weight's integers
  const float* bias;           // [columns]
  bool gelu;
};

}  // namespace embedding

#endif  // EMBEDDING_INT8_KERNELS_TYPES

#if defined(EMBEDDING_INT8_KERNELS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef EMBEDDING_INT8_KERNELS_INL_H_
#undef EMBEDDING_INT8_KERNELS_INL_H_
#else
#define EMBEDDING_INT8_KERNELS_INL_H_
#endif

#include <algorithm>
#include <cmath>
#include <limits>

#include "backends/cpu/elementwise-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace embedding {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using DF = hn::ScalableTag<float>;
using DI = hn::ScalableTag<int32_t>;

// 12 sums, two vectors of weights, a broadcast and a product fit 16 registers; NEON, where a sum
// takes two, has 32.
constexpr size_t kPairRows = 6;

// As VnniProduct, with pairs of 16-bit numbers on the left and of signed bytes on the right.
template <size_t kRows>
HWY_INLINE void MultiplyPairs(const uint32_t* HWY_RESTRICT left, size_t left_stride, size_t depth,
                              const uint8_t* HWY_RESTRICT panel, int32_t* HWY_RESTRICT sums) {
  const auto* HWY_RESTRICT right = reinterpret_cast<const int8_t*>(panel);
  const DI d;
  const hn::Repartition<int16_t, DI> d16;
  const hn::Rebind<int8_t, decltype(d16)> d8;
  const size_t lanes = hn::Lanes(d);
  using V = hn::Vec<DI>;
  V sum0[kRows];
  V sum1[kRows];
  // The second halves of products on processors that sum them apart.
  V more0[kRows];
  V more1[kRows];
  for (size_t r = 0; r < kRows; ++r) sum0[r] = sum1[r] = more0[r] = more1[r] = hn::Zero(d);
  for (size_t i = 0; i < depth; ++i) {
    const auto right0 = hn::PromoteTo(d16, hn::LoadU(d8, right + i * 4 * lanes));
    const auto right1 = hn::PromoteTo(d16, hn::LoadU(d8, right + i * 4 * lanes + 2 * lanes));
    for (size_t r = 0; r < kRows; ++r) {
      const auto value =
          hn::BitCast(d16, hn::Set(d, static_cast<int32_t>(left[r * left_stride + i])));
      sum0[r] = hn::ReorderWidenMulAccumulate(d, value, right0, sum0[r], more0[r]);
      sum1[r] = hn::ReorderWidenMulAccumulate(d, value, right1, sum1[r], more1[r]);
    }
  }
  for (size_t r = 0; r < kRows; ++r) {
    hn::Store(hn::RearrangeToOddPlusEven(sum0[r], more0[r]), d, sums + r * 2 * lanes);
    hn::Store(hn::RearrangeToOddPlusEven(sum1[r], more1[r]), d, sums + r * 2 * lanes + lanes);
  }
}

// q[0 .. size) of x, as Integer's. What the last word has beyond `size` must be 0.
template <typename Integer, typename T>
HWY_INLINE void Quantize(const T* HWY_RESTRICT x, size_t size, QuantizedRow& row) {
  constexpr int32_t kLargest = 255;
  const DF d;
  const DI di;
  const hn::Rebind<Integer, DF> narrow;
  const size_t lanes = hn::Lanes(d);
  auto* q = reinterpret_cast<Integer*>(row.words);
  // 0 is among the numbers, so that it is one of the integers too.
  auto least_v = hn::Zero(d);
  auto most_v = hn::Zero(d);
  auto total_v = hn::Zero(d);
  size_t i = 0;
  for (; i + lanes <= size; i += lanes) {
    const auto v = LoadAsF32(d, x + i);
    least_v = hn::Min(least_v, v);
    most_v = hn::Max(most_v, v);
    total_v = hn::Add(total_v, v);
  }
  float least = hn::GetLane(hn::MinOfLanes(d, least_v));
  float most = hn::GetLane(hn::MaxOfLanes(d, most_v));
  float total = hn::GetLane(hn::SumOfLanes(d, total_v));
  for (size_t k = i; k < size; ++k) {
    const auto v = static_cast<float>(x[k]);
    least = std::min(least, v);
    most = std::max(most, v);
    total += v;
  }
  // The sum, unlike least and most, is not finite if any number is not.
  row.scale = (most / kLargest - least / kLargest) + total * 0.0F;
  row.zero = 0;
  if (!std::isfinite(row.scale)) {  // no number fits an integer; the scale makes the outputs NaN
    std::fill_n(q, size, Integer{0});
    return;
  }
  // A row of zeros, or of numbers too small to divide by.
  const float inverse = row.scale >= std::numeric_limits<float>::min() ? 1 / row.scale : 0.0F;
  row.zero = static_cast<int32_t>(std::lrint(-least * inverse));
  const auto inverse_v = hn::Set(d, inverse);
  const auto zero_v = hn::Set(di, row.zero);
  const auto largest_v = hn::Set(di, kLargest);  // exceeded by 1 where both ends round up
  i = 0;
  for (; i + lanes <= size; i += lanes) {
    const auto rounded = hn::NearestInt(hn::Mul(LoadAsF32(d, x + i), inverse_v));
    const auto shifted = hn::Min(hn::Add(rounded, zero_v), largest_v);
    hn::StoreU(hn::DemoteTo(narrow, shifted), narrow, q + i);
  }
  for (; i < size; ++i) {
    const auto rounded = static_cast<int32_t>(std::lrint(static_cast<float>(x[i]) * inverse));
    q[i] = static_cast<Integer>(std::min(rounded + row.zero, kLargest));
  }
}

template <typename T>
HWY_INLINE void QuantizeGroups(const T* x, size_t size, size_t group, QuantizedRow& row) {
  row.words[(size - 1) / group] = 0;
  if (group == 4) {
    Quantize<uint8_t>(x, size, row);
  } else {
    Quantize<int16_t>(x, size, row);
  }
}

// One row of a tile: `sums` has `width` columns, of which the output has `columns`.
template <typename T>
HWY_INLINE void Finish(const int32_t* HWY_RESTRICT sums, const QuantizedRow& row,
                       const Int8Finish& finish, size_t width, size_t columns,
                       T* HWY_RESTRICT out) {
  const DF d;
  const DI di;
  HWY_ALIGN T edge[2 * HWY_MAX_BYTES / sizeof(float)];
  T* HWY_RESTRICT to = columns == width ? out : edge;
  const auto zero = hn::Set(di, row.zero);
  const auto row_scale = hn::Set(d, row.scale);
  for (size_t c = 0; c < width; c += hn::Lanes(d)) {
    const auto shift = hn::Mul(zero, hn::LoadU(di, finish.weight_sums + c));
    const auto sum = hn::ConvertTo(d, hn::Sub(hn::Load(di, sums + c), shift));
    const auto scale = hn::Mul(row_scale, hn::LoadU(d, finish.scales + c));
    auto y = hn::MulAdd(sum, scale, hn::LoadU(d, finish.bias + c));
    if (finish.gelu) y = Gelu(d, y);
    StoreFromF32(d, y, to + c);
  }
  if (columns != width) std::copy_n(edge, columns, out);
}

}  // namespace HWY_NAMESPACE
}  // namespace embedding
HWY_AFTER_NAMESPACE();

#endif  // EMBEDDING_INT8_KERNELS_INL_H_
