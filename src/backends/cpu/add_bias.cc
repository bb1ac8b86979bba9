#include "backends/cpu/add_bias.h"

#include <algorithm>

#include "backends/cpu/micro_kernels.h"
#include "base/aligned_buffer.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/add_bias.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

#include "backends/cpu/tile_end-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace embedding {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <typename T>
HWY_INLINE void AddBiasAs(const float* HWY_RESTRICT sums, size_t rows, const TileColumns& columns,
                          const TilePlace& place) {
  const hn::ScalableTag<float> d;
  const size_t width = columns.width;
  StoreTile<T>(columns, rows, place, [&](size_t c) HWY_ATTR {
    const auto bias = hn::Load(d, columns.bias + c);
    const float* const of_columns = sums + c;
    return [=](size_t row)
               HWY_ATTR { return hn::Add(hn::Load(d, of_columns + row * width), bias); };
  });
}

void AddBiasF32(const float* sums, size_t rows, const TileColumns& columns,
                const TilePlace& place) {
  AddBiasAs<float>(sums, rows, columns, place);
}
void AddBiasBf16(const float* sums, size_t rows, const TileColumns& columns,
                 const TilePlace& place) {
  AddBiasAs<BFloat16>(sums, rows, columns, place);
}

}  // namespace HWY_NAMESPACE
}  // namespace embedding
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace embedding {

HWY_EXPORT(AddBiasF32);
HWY_EXPORT(AddBiasBf16);

void AddBias(const float* sums, size_t rows, const TileColumns& columns, DType type,
             const TilePlace& place) {
  if (type == DType::kF32) {
    HWY_DYNAMIC_DISPATCH(AddBiasF32)(sums, rows, columns, place);
  } else {
    HWY_DYNAMIC_DISPATCH(AddBiasBf16)(sums, rows, columns, place);
  }
}

namespace {

template <typename T>
void Activate(Activation activation, DType type, size_t size, T* x) {
  alignas(kCacheLineBytes) static constexpr float kNone[kMaxPanelWidth] = {};
  alignas(kCacheLineBytes) float sums[kMaxPanelWidth] = {};
  for (size_t i = 0; i < size; i += kMaxPanelWidth) {
    const size_t count = std::min(kMaxPanelWidth, size - i);
    for (size_t k = 0; k < count; ++k) sums[k] = static_cast<float>(x[i + k]);
    AddBias(sums, 1, {kNone, activation, kMaxPanelWidth, count, false}, type, {{x, 1, size}, 0, i});
  }
}

}  // namespace

void ActivateRow(Activation activation, size_t size, float* x) {
  Activate(activation, DType::kF32, size, x);
}
void ActivateRow(Activation activation, size_t size, BFloat16* x) {
  Activate(activation, DType::kBF16, size, x);
}

}  // namespace embedding
#endif  // HWY_ONCE
