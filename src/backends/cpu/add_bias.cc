#include "backends/cpu/add_bias.h"

#include <algorithm>

#include "backends/cpu/micro_kernels.h"

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
HWY_INLINE void AddBiasTo(const float* HWY_RESTRICT sums, const float* HWY_RESTRICT bias,
                          Activation activation, size_t width, size_t columns,
                          T* HWY_RESTRICT out) {
  const hn::ScalableTag<float> d;
  HWY_ALIGN T edge[kMaxPanelWidth];
  T* HWY_RESTRICT to = columns == width ? out : edge;
  for (size_t c = 0; c < width; c += hn::Lanes(d)) {
    const auto y = hn::Add(hn::Load(d, sums + c), hn::Load(d, bias + c));
    StoreFromF32(d, Activate(d, activation, y), to + c);
  }
  if (columns != width) std::copy_n(edge, columns, out);
}

void AddBiasF32(const float* sums, const float* bias, Activation activation, size_t width,
                size_t columns, float* out) {
  AddBiasTo(sums, bias, activation, width, columns, out);
}
void AddBiasBf16(const float* sums, const float* bias, Activation activation, size_t width,
                 size_t columns, BFloat16* out) {
  AddBiasTo(sums, bias, activation, width, columns, out);
}

}  // namespace HWY_NAMESPACE
}  // namespace embedding
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace embedding {

HWY_EXPORT(AddBiasF32);
HWY_EXPORT(AddBiasBf16);

void AddBias(const float* sums, const float* bias, Activation activation, size_t width,
             size_t columns, float* out) {
  HWY_DYNAMIC_DISPATCH(AddBiasF32)(sums, bias, activation, width, columns, out);
}
void AddBias(const float* sums, const float* bias, Activation activation, size_t width,
             size_t columns, BFloat16* out) {
  HWY_DYNAMIC_DISPATCH(AddBiasBf16)(sums, bias, activation, width, columns, out);
}

}  // namespace embedding
#endif  // HWY_ONCE
