// The inner loops of int8_matmul.cc, once for each instruction set that Highway compiles for: rows
// are rounded to integers, and a tile's sums turned into outputs.

#ifndef EMBEDDING_INT8_KERNELS_TYPES
#define EMBEDDING_INT8_KERNELS_TYPES

#include <cstddef>
#include <cstdint>

namespace embedding {

// A row of the input: q in [0, 255] as `group` integers in each 32-bit word, x = (q - zero) *
// scale.
struct QuantizedRow {
  uint8_t* words;
  size_t bytes;  // of words
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
#include "backends/cpu/panel_kernels.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace embedding {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using DF = hn::ScalableTag<float>;
using DI = hn::ScalableTag<int32_t>;

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
  std::fill_n(row.words + row.bytes - sizeof(uint32_t), sizeof(uint32_t), uint8_t{0});
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
  HWY_ALIGN T edge[kMaxPanelWidth];
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
