#include "backends/cpu/layer_norm.h"

#include <cmath>
#include <cstddef>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/layer_norm.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace embedding {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// The sum over i < size of whole(i), a vector, for each i at which a whole vector starts, and of
// single(i) for the numbers that are left.
template <class D, class Whole, class Single>
HWY_INLINE float SumOver(D d, size_t size, Whole whole, Single single) {
  const size_t lanes = hn::Lanes(d);
  auto sum = hn::Zero(d);
  size_t i = 0;
  for (; i + lanes <= size; i += lanes) sum = hn::Add(sum, whole(i));
  float total = hn::GetLane(hn::SumOfLanes(d, sum));
  for (; i < size; ++i) total += single(i);
  return total;
}

// The mean is taken first and the variance around it: a single pass over squares would cancel where
// the mean is large against the spread.
void AddLayerNormRow(float* HWY_RESTRICT x, const float* HWY_RESTRICT residual, size_t size,
                     const float* HWY_RESTRICT gamma, const float* HWY_RESTRICT beta, float eps) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  const auto n = static_cast<float>(size);
  const float sum = SumOver(
      d, size,
      [&](size_t i) HWY_ATTR {
        auto v = hn::LoadU(d, x + i);
        if (residual != nullptr) v = hn::Add(v, hn::LoadU(d, residual + i));
        hn::StoreU(v, d, x + i);
        return v;
      },
      [&](size_t i) { return x[i] += residual != nullptr ? residual[i] : 0.0F; });
  const float mean = sum / n;
  const auto mean_v = hn::Set(d, mean);
  const float squares = SumOver(
      d, size,
      [&](size_t i) HWY_ATTR {
        const auto v = hn::Sub(hn::LoadU(d, x + i), mean_v);
        return hn::Mul(v, v);
      },
      [&](size_t i) { return (x[i] - mean) * (x[i] - mean); });
  const float scale = 1.0F / std::sqrt(squares / n + eps);
  const auto scale_v = hn::Set(d, scale);
  size_t i = 0;
  for (; i + lanes <= size; i += lanes) {
    const auto v = hn::Mul(hn::Sub(hn::LoadU(d, x + i), mean_v), scale_v);
    hn::StoreU(hn::MulAdd(v, hn::LoadU(d, gamma + i), hn::LoadU(d, beta + i)), d, x + i);
  }
  for (; i < size; ++i) x[i] = (x[i] - mean) * scale * gamma[i] + beta[i];
}

}  // namespace HWY_NAMESPACE
}  // namespace embedding
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace embedding {

HWY_EXPORT(AddLayerNormRow);

LayerNormParameters::LayerNormParameters(const NormTensors& tensors, const Norm& norm)
    : gamma_(tensors.weight.elements()), beta_(tensors.bias.elements()), eps_(norm.eps) {
  CopyToF32(tensors.weight, gamma_.span());
  CopyToF32(tensors.bias, beta_.span());
}

void AddLayerNorm(float* x, const float* residual, const LayerNormWeights& weights) {
  HWY_DYNAMIC_DISPATCH(AddLayerNormRow)
  (x, residual, weights.gamma.size(), weights.gamma.data(), weights.beta.data(), weights.eps);
}

}  // namespace embedding
#endif  // HWY_ONCE
