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

// A product's numbers, as tile_end-inl.h asks for them.
class BiasedNumbers {
 public:
  HWY_INLINE BiasedNumbers(const TileEnd& end, size_t column)
      : bias_(hn::LoadU(D(), end.columns.bias + column)),
        sums_(static_cast<const float*>(end.sums) + column),
        width_(end.columns.width) {}

  HWY_INLINE hn::Vec<hn::ScalableTag<float>> operator()(size_t row) const {
    return hn::Add(hn::Load(D(), sums_ + row * width_), bias_);
  }

 private:
  using D = hn::ScalableTag<float>;
  hn::Vec<D> bias_;
  const float* sums_;
  size_t width_;
};

TileEndFunctions BiasEndFunctions(DType type, Activation activation, bool gated) {
  return EndFunctionsFor<BiasedNumbers, AmxBf16>(type, activation, gated);
}

}  // namespace HWY_NAMESPACE
}  // namespace embedding
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace embedding {

HWY_EXPORT(BiasEndFunctions);

TileEndFunctions BiasEnds(DType type, Activation activation, bool gated) {
  return HWY_DYNAMIC_DISPATCH(BiasEndFunctions)(type, activation, gated);
}

namespace {

template <typename T>
void Activate(Activation activation, DType type, size_t size, T* x) {
  alignas(kCacheLineBytes) static constexpr float kNone[kMaxPanelWidth] = {};
  alignas(kCacheLineBytes) float sums[kMaxPanelWidth] = {};
  const TileEndFunctions functions = BiasEnds(type, activation, /*gated=*/false);
  for (size_t i = 0; i < size; i += kMaxPanelWidth) {
    const size_t count = std::min(kMaxPanelWidth, size - i);
    for (size_t k = 0; k < count; ++k) sums[k] = static_cast<float>(x[i + k]);
    const TileEnd end = {.columns = {kNone, activation, kMaxPanelWidth, count},
                         .place = {{x, 1, size}, 0, i},
                         .sums = sums};
    functions.run(&end, 0, 1);
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
