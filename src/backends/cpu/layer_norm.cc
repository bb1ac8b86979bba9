#include "backends/cpu/layer_norm.h"

#include <cmath>

#include "backends/cpu/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/layer_norm.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace embedding {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Calls whole(i) for full vectors and rest(i, count) for the remainder of [0, size).
template <class D, class Whole, class Rest>
HWY_INLINE void ForEachVector(D d, size_t size, Whole whole, Rest rest) {
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= size; i += lanes) whole(i);
  if (i < size) rest(i, size - i);
}

// One row. The mean is taken first and the variance around it: a single pass over squares would
// cancel where the mean is large against the spread.
void AddLayerNormRow(float* HWY_RESTRICT x, const float* HWY_RESTRICT residual, size_t size,
                     const float* HWY_RESTRICT gamma, const float* HWY_RESTRICT beta, float eps) {
  const hn::ScalableTag<float> d;
  auto sum = hn::Zero(d);
  if (residual != nullptr) {
    ForEachVector(
        d, size,
        [&](size_t i) HWY_ATTR {
          const auto v = hn::Add(hn::LoadU(d, x + i), hn::LoadU(d, residual + i));
          hn::StoreU(v, d, x + i);
          sum = hn::Add(sum, v);
        },
        [&](size_t i, size_t count) HWY_ATTR {
          const auto mask = hn::FirstN(d, count);
          const auto v =
              hn::Add(hn::MaskedLoad(mask, d, x + i), hn::MaskedLoad(mask, d, residual + i));
          hn::BlendedStore(v, mask, d, x + i);
          sum = hn::Add(sum, v);
        });
  } else {
    ForEachVector(
        d, size, [&](size_t i) HWY_ATTR { sum = hn::Add(sum, hn::LoadU(d, x + i)); },
        [&](size_t i, size_t count)
            HWY_ATTR { sum = hn::Add(sum, hn::MaskedLoad(hn::FirstN(d, count), d, x + i)); });
  }
  const float n = static_cast<float>(size);
  const auto mean = hn::Set(d, hn::GetLane(hn::SumOfLanes(d, sum)) / n);

  auto squares = hn::Zero(d);
  ForEachVector(
      d, size,
      [&](size_t i) HWY_ATTR {
        const auto v = hn::Sub(hn::LoadU(d, x + i), mean);
        squares = hn::MulAdd(v, v, squares);
      },
      [&](size_t i, size_t count) HWY_ATTR {
        const auto mask = hn::FirstN(d, count);
        const auto v = hn::IfThenElseZero(mask, hn::Sub(hn::MaskedLoad(mask, d, x + i), mean));
        squares = hn::MulAdd(v, v, squares);
      });
  const float variance = hn::GetLane(hn::SumOfLanes(d, squares)) / n;
  const auto scale = hn::Set(d, 1.0F / std::sqrt(variance + eps));

  ForEachVector(
      d, size,
      [&](size_t i) HWY_ATTR {
        const auto v = hn::Mul(hn::Sub(hn::LoadU(d, x + i), mean), scale);
        hn::StoreU(hn::MulAdd(v, hn::LoadU(d, gamma + i), hn::LoadU(d, beta + i)), d, x + i);
      },
      [&](size_t i, size_t count) HWY_ATTR {
        const auto mask = hn::FirstN(d, count);
        const auto v = hn::Mul(hn::Sub(hn::MaskedLoad(mask, d, x + i), mean), scale);
        hn::BlendedStore(
            hn::MulAdd(v, hn::MaskedLoad(mask, d, gamma + i), hn::MaskedLoad(mask, d, beta + i)),
            mask, d, x + i);
      });
}

// Rounds to nearest, ties to even; NaN becomes some NaN or infinity.
void RoundRow(const float* HWY_RESTRICT x, size_t size, uint16_t* HWY_RESTRICT out) {
  const hn::ScalableTag<uint32_t> d;
  const hn::Rebind<uint16_t, decltype(d)> d16;
  const auto round = [d, d16](auto bits) HWY_ATTR {
    const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(d, 1));
    const auto rounded = hn::Add(bits, hn::Add(odd, hn::Set(d, 0x7FFF)));
    return hn::TruncateTo(d16, hn::ShiftRight<16>(rounded));
  };
  const auto* bits = reinterpret_cast<const uint32_t*>(x);
  ForEachVector(
      d, size, [&](size_t i) HWY_ATTR { hn::StoreU(round(hn::LoadU(d, bits + i)), d16, out + i); },
      [&](size_t i, size_t count) HWY_ATTR {
        const auto loaded = hn::MaskedLoad(hn::FirstN(d, count), d, bits + i);
        hn::BlendedStore(round(loaded), hn::FirstN(d16, count), d16, out + i);
      });
}

}  // namespace HWY_NAMESPACE
}  // namespace embedding
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace embedding {

HWY_EXPORT(AddLayerNormRow);
HWY_EXPORT(RoundRow);

void AddLayerNorm(float* x, const float* residual, size_t rows, const LayerNormWeights& weights,
                  BFloat16* rounded) {
  // A thread's share should outweigh the cost of waking it.
  constexpr size_t kMinElements = 16384;
  const size_t size = weights.gamma.size();
  ParallelRanges(rows, kMinElements / size + 1, [&](size_t begin, size_t end) {
    for (size_t row = begin; row < end; ++row) {
      HWY_DYNAMIC_DISPATCH(AddLayerNormRow)
      (x + row * size, residual == nullptr ? nullptr : residual + row * size, size,
       weights.gamma.data(), weights.beta.data(), weights.eps);
      if (rounded != nullptr) {
        HWY_DYNAMIC_DISPATCH(RoundRow)
        (x + row * size, size, reinterpret_cast<uint16_t*>(rounded + row * size));
      }
    }
  });
}

}  // namespace embedding
#endif  // HWY_ONCE
