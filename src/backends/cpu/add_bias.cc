#include "backends/cpu/add_bias.h"

#include <algorithm>

#include "backends/cpu/micro_kernels.h"
#include "base/aligned_buffer.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/add_bias.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

#include "backends/cpu/elementwise-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace embedding {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <typename T>
HWY_INLINE void AddBiasTo(const float* HWY_RESTRICT sums, const TileColumns& columns,
                          T* HWY_RESTRICT out) {
  const hn::ScalableTag<float> d;
  const auto sum = [&](size_t c) HWY_ATTR {
    return hn::Add(hn::Load(d, sums + c), hn::Load(d, columns.bias + c));
  };
  if (columns.gated) {
    HWY_ALIGN float both[2 * kMaxPanelWidth];
    for (size_t c = 0; c < columns.width; c += hn::Lanes(d)) hn::Store(sum(c), d, both + c);
    hn::StoreU(hn::Zero(d), d, both + columns.width);
    StoreGated(d, columns.activation, both, columns.width / 2, columns.outputs, out);
    return;
  }
  HWY_ALIGN T edge[kMaxPanelWidth];
  T* HWY_RESTRICT to = columns.outputs == columns.width ? out : edge;
  for (size_t c = 0; c < columns.width; c += hn::Lanes(d)) {
    StoreFromF32(d, Activate(d, columns.activation, sum(c)), to + c);
  }
  if (to == edge) std::copy_n(edge, columns.outputs, out);
}

void AddBiasF32(const float* sums, const TileColumns& columns, float* out) {
  AddBiasTo(sums, columns, out);
}
void AddBiasBf16(const float* sums, const TileColumns& columns, BFloat16* out) {
  AddBiasTo(sums, columns, out);
}

}  // namespace HWY_NAMESPACE
}  // namespace embedding
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace embedding {

HWY_EXPORT(AddBiasF32);
HWY_EXPORT(AddBiasBf16);

void AddBias(const float* sums, const TileColumns& columns, float* out) {
  HWY_DYNAMIC_DISPATCH(AddBiasF32)(sums, columns, out);
}
void AddBias(const float* sums, const TileColumns& columns, BFloat16* out) {
  HWY_DYNAMIC_DISPATCH(AddBiasBf16)(sums, columns, out);
}

namespace {

template <typename T>
void Activate(Activation activation, size_t size, T* x) {
  alignas(kCacheLineBytes) static constexpr float kNone[kMaxPanelWidth] = {};
  alignas(kCacheLineBytes) float sums[kMaxPanelWidth] = {};
  for (size_t i = 0; i < size; i += kMaxPanelWidth) {
    const size_t count = std::min(kMaxPanelWidth, size - i);
    for (size_t k = 0; k < count; ++k) sums[k] = static_cast<float>(x[i + k]);
    AddBias(sums, {kNone, activation, kMaxPanelWidth, count, false}, x + i);
  }
}

}  // namespace

void ActivateRow(Activation activation, size_t size, float* x) { Activate(activation, size, x); }
void ActivateRow(Activation activation, size_t size, BFloat16* x) { Activate(activation, size, x); }

}  // namespace embedding
#endif  // HWY_ONCE
