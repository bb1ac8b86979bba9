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
HWY_INLINE void AddBiasToRow(const float* HWY_RESTRICT sums, const TileColumns& columns,
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
    StoreFromF32(d, Activate<T>(d, columns.activation, sum(c)), to + c);
  }
  if (to == edge) std::copy_n(edge, columns.outputs, out);
}

template <typename T>
HWY_INLINE void AddBiasTo(const float* sums, size_t rows, const TileColumns& columns,
                          const OutputView& output, size_t row, size_t column) {
  for (size_t r = 0; r < rows; ++r) {
    AddBiasToRow(sums + r * columns.width, columns, output.At<T>(row + r, column));
  }
}

void AddBiasF32(const float* sums, size_t rows, const TileColumns& columns,
                const OutputView& output, size_t row, size_t column) {
  AddBiasTo<float>(sums, rows, columns, output, row, column);
}
void AddBiasBf16(const float* sums, size_t rows, const TileColumns& columns,
                 const OutputView& output, size_t row, size_t column) {
  AddBiasTo<BFloat16>(sums, rows, columns, output, row, column);
}

}  // namespace HWY_NAMESPACE
}  // namespace embedding
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace embedding {

HWY_EXPORT(AddBiasF32);
HWY_EXPORT(AddBiasBf16);

void AddBias(const float* sums, size_t rows, const TileColumns& columns, DType type,
             const OutputView& output, size_t row, size_t column) {
  if (type == DType::kF32) {
    HWY_DYNAMIC_DISPATCH(AddBiasF32)(sums, rows, columns, output, row, column);
  } else {
    HWY_DYNAMIC_DISPATCH(AddBiasBf16)(sums, rows, columns, output, row, column);
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
    AddBias(sums, 1, {kNone, activation, kMaxPanelWidth, count, false}, type, {x, 1, size}, 0, i);
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
