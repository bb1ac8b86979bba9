#include "backends/cpu/norms.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/norms.cc"
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

void AddRowTo(size_t size, float* HWY_RESTRICT x, const float* HWY_RESTRICT y) {
  const hn::ScalableTag<float> d;
  size_t i = 0;
  for (; i + hn::Lanes(d) <= size; i += hn::Lanes(d)) {
    hn::StoreU(hn::Add(hn::LoadU(d, x + i), hn::LoadU(d, y + i)), d, x + i);
  }
  for (; i < size; ++i) x[i] += y[i];
}

// The mean is taken first and the variance around it: a single pass over squares would cancel where
// the mean is large against the spread. x and out may be the same.
void LayerNormRow(const float* x, float* out, size_t size, const float* HWY_RESTRICT weight,
                  const float* HWY_RESTRICT bias, float eps) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  const auto n = static_cast<float>(size);
  const float sum = SumOver(
      d, size, [&](size_t i) HWY_ATTR { return hn::LoadU(d, x + i); },
      [&](size_t i) { return x[i]; });
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
    hn::StoreU(hn::MulAdd(v, hn::LoadU(d, weight + i), hn::LoadU(d, bias + i)), d, out + i);
  }
  for (; i < size; ++i) out[i] = (x[i] - mean) * scale * weight[i] + bias[i];
}

// x and out may be the same.
void RmsNormRow(const float* x, float* out, size_t size, const float* HWY_RESTRICT weight,
                float eps) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  const float squares = SumOver(
      d, size,
      [&](size_t i) HWY_ATTR {
        const auto v = hn::LoadU(d, x + i);
        return hn::Mul(v, v);
      },
      [&](size_t i) { return x[i] * x[i]; });
  const float scale = 1.0F / std::sqrt(squares / static_cast<float>(size) + eps);
  const auto scale_v = hn::Set(d, scale);
  size_t i = 0;
  for (; i + lanes <= size; i += lanes) {
    const auto v = hn::Mul(hn::LoadU(d, x + i), scale_v);
    hn::StoreU(hn::Mul(v, hn::LoadU(d, weight + i)), d, out + i);
  }
  for (; i < size; ++i) out[i] = x[i] * scale * weight[i];
}

}  // namespace HWY_NAMESPACE
}  // namespace embedding
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace embedding {

HWY_EXPORT(AddRowTo);
HWY_EXPORT(LayerNormRow);
HWY_EXPORT(RmsNormRow);

NormParameters::NormParameters(const NormTensors& tensors, const Norm& norm)
    : kind_(norm.kind), eps_(norm.eps), weight_(tensors.weight.elements()) {
  CopyToF32(tensors.weight, weight_.span());
  if (norm.plus_one) {
    for (float& w : weight_.span()) w += 1;
  }
  if (kind_ != NormKind::kLayer) return;
  bias_.Resize(weight_.size());
  if (tensors.bias) {
    CopyToF32(*tensors.bias, bias_.span());
  } else {
    std::fill_n(bias_.data(), bias_.size(), 0.0F);
  }
}

NormParameters::NormParameters(size_t size, const Norm& norm)
    : kind_(norm.kind),
      eps_(norm.eps),
      weight_(size),
      bias_(norm.kind == NormKind::kLayer ? size : 0) {
  std::fill_n(weight_.data(), weight_.size(), 1.0F);
  std::fill_n(bias_.data(), bias_.size(), 0.0F);
}

void Normalize(const NormParameters& norm, const float* x, float* out) {
  const std::span<const float> weight = norm.weight();
  if (norm.kind() == NormKind::kLayer) {
    HWY_DYNAMIC_DISPATCH(LayerNormRow)
    (x, out, weight.size(), weight.data(), norm.bias().data(), norm.eps());
  } else {
    HWY_DYNAMIC_DISPATCH(RmsNormRow)(x, out, weight.size(), weight.data(), norm.eps());
  }
}

void AddNormalize(const NormParameters& norm, float* x, const float* residual) {
  AddRow(norm.weight().size(), x, residual);
  Normalize(norm, x, x);
}

void AddRow(size_t size, float* x, const float* y) { HWY_DYNAMIC_DISPATCH(AddRowTo)(size, x, y); }

}  // namespace embedding
#endif  // HWY_ONCE
