#include "backends/cpu/rotary.h"

#include <bit>
#include <cmath>
#include <type_traits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/rotary.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

#include "backends/cpu/elementwise-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace embedding {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Pairs (x[i], x[pairs + i]) turned: (x cos - y sin, y cos + x sin).
template <typename T>
HWY_INLINE void RotateHalves(const float* HWY_RESTRICT cosines, const float* HWY_RESTRICT sines,
                             size_t pairs, T* HWY_RESTRICT x) {
  const hn::ScalableTag<float> d;
  T* HWY_RESTRICT y = x + pairs;
  size_t i = 0;
  for (; i + hn::Lanes(d) <= pairs; i += hn::Lanes(d)) {
    const auto cosine = hn::LoadU(d, cosines + i);
    const auto sine = hn::LoadU(d, sines + i);
    const auto first = LoadAsF32(d, x + i);
    const auto second = LoadAsF32(d, y + i);
    StoreFromF32(d, hn::NegMulAdd(second, sine, hn::Mul(first, cosine)), x + i);
    StoreFromF32(d, hn::MulAdd(first, sine, hn::Mul(second, cosine)), y + i);
  }
  for (; i < pairs; ++i) {
    const auto first = static_cast<float>(x[i]);
    const auto second = static_cast<float>(y[i]);
    x[i] = static_cast<T>(first * cosines[i] - second * sines[i]);
    y[i] = static_cast<T>(second * cosines[i] + first * sines[i]);
  }
}

void RotateF32(const float* cosines, const float* sines, size_t pairs, float* x) {
  RotateHalves(cosines, sines, pairs, x);
}
void RotateBf16(const float* cosines, const float* sines, size_t pairs, BFloat16* x) {
  RotateHalves(cosines, sines, pairs, x);
}

}  // namespace HWY_NAMESPACE
}  // namespace embedding
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace embedding {

HWY_EXPORT(RotateF32);
HWY_EXPORT(RotateBf16);

namespace {

void Rotate(const RotaryTable& table, size_t position, float* x) {
  HWY_DYNAMIC_DISPATCH(RotateF32)
  (table.cosines(position), table.sines(position), table.rope().frequencies.size(), x);
}
void Rotate(const RotaryTable& table, size_t position, BFloat16* x) {
  HWY_DYNAMIC_DISPATCH(RotateBf16)
  (table.cosines(position), table.sines(position), table.rope().frequencies.size(), x);
}

// Numbers 2i and 2i + 1 are a pair: few families have it so.
template <typename T>
void RotateNeighbours(const RotaryTable& table, size_t position, T* x) {
  const float* const cosines = table.cosines(position);
  const float* const sines = table.sines(position);
  for (size_t i = 0; i < table.rope().frequencies.size(); ++i) {
    const auto first = static_cast<float>(x[2 * i]);
    const auto second = static_cast<float>(x[2 * i + 1]);
    x[2 * i] = static_cast<T>(first * cosines[i] - second * sines[i]);
    x[2 * i + 1] = static_cast<T>(second * cosines[i] + first * sines[i]);
  }
}

template <typename T>
void NormalizeHead(const NormParameters& norm, T* head) {
  if constexpr (std::is_same_v<T, float>) {
    Normalize(norm, head, head);
  } else {
    const size_t size = norm.weight().size();
    thread_local AlignedBuffer<float> row;
    row.Resize(size);
    for (size_t i = 0; i < size; ++i) row[i] = static_cast<float>(head[i]);
    Normalize(norm, row.data(), row.data());
    for (size_t i = 0; i < size; ++i) head[i] = static_cast<T>(row[i]);
  }
}

template <typename T>
void Prepare(const Attention& attention, const HeadPreparation& preparation, size_t position,
             T* qkv) {
  const size_t heads = attention.heads + attention.kv_heads;  // of q, then of k
  for (size_t h = 0; h < heads; ++h) {
    T* const head = qkv + h * attention.head_dim;
    const NormParameters* const norm =
        h < attention.heads ? preparation.query_norm : preparation.key_norm;
    if (norm != nullptr) NormalizeHead(*norm, head);
    if (preparation.rotary == nullptr) continue;
    if (preparation.rotary->rope().interleaved) {
      RotateNeighbours(*preparation.rotary, position, head);
    } else {
      Rotate(*preparation.rotary, position, head);
    }
  }
  if (preparation.value_norm == nullptr) return;
  for (size_t h = 0; h < attention.kv_heads; ++h) {
    NormalizeHead(*preparation.value_norm, qkv + (heads + h) * attention.head_dim);
  }
}

}  // namespace

void RotaryTable::Reserve(size_t count) {
  if (count <= positions_) return;
  count = std::bit_ceil(count);
  positions_ = 0;
  cosines_.Resize(count * pairs());
  sines_.Resize(count * pairs());
  for (size_t p = 0; p < count; ++p) {
    for (size_t i = 0; i < pairs(); ++i) {
      // The angle is rounded to f32, as PyTorch's models have it: at position 8,000 that is a
      // difference of 5e-4 that a reference shows.
      const float angle = static_cast<float>(p) * rope_.frequencies[i];
      cosines_[p * pairs() + i] = rope_.factor * static_cast<float>(std::cos(double{angle}));
      sines_[p * pairs() + i] = rope_.factor * static_cast<float>(std::sin(double{angle}));
    }
  }
  positions_ = count;
}

void PrepareHeads(const Attention& attention, const HeadPreparation& preparation, size_t position,
                  float* qkv) {
  Prepare(attention, preparation, position, qkv);
}
void PrepareHeads(const Attention& attention, const HeadPreparation& preparation, size_t position,
                  BFloat16* qkv) {
  Prepare(attention, preparation, position, qkv);
}

}  // namespace embedding
#endif  // HWY_ONCE
