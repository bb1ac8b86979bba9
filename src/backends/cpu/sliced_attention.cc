// The same online softmax as attention.cc's, but with 16 queries side by side in a row of scores,
// so that no sum or maximum goes across a vector: a tile's rows are keys, its columns queries, and
// those of the output components, [head_dim][16 queries].
//
// For each block of keys of a task it makes digits of the keys, a scale for each, and of the
// values, a scale for each component. Then, of 16 queries at a time:
//   1. scores[keys][16] = keys * queries^T, 32 keys a tile, and the largest of each query;
//   2. probabilities 2^(factor * (score - largest)), whose digits are laid out for the next
//   product;
//   3. output[head_dim][16] = output * rescale + values^T * probabilities^T.

#include "backends/cpu/sliced_attention.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>

#include "backends/cpu/linear.h"
#include "backends/cpu/slices.h"
#include "base/aligned_buffer.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/sliced_attention.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

#include "backends/cpu/attention_kernels-inl.h"
#include "backends/cpu/attention_layouts-inl.h"
#include "hwy/highway.h"

#ifndef EMBEDDING_SLICED_ATTENTION_SIZES
#define EMBEDDING_SLICED_ATTENTION_SIZES
namespace embedding {

constexpr size_t kLanes = 16;  // queries side by side
constexpr size_t kTileKeys = 2 * kTileRows;
constexpr size_t kSlicedKeys = 256;  // of a block
constexpr size_t kQuadBytes = kLanes * 4;
constexpr size_t kStepDigits = kTileRowBytes;
constexpr size_t kStepBytes = kTileRows * kTileRowBytes;
// From a component's values to the next: no power of two, for the sake of the L1 cache.
constexpr size_t kValuesStride = kSlicedKeys + 16;

}  // namespace embedding
#endif

HWY_BEFORE_NAMESPACE();
namespace embedding {
namespace HWY_NAMESPACE {

using Lanes = hn::CappedTag<float, kLanes>;

// What a task keeps in the caches. `groups` of 16 queries.
struct SlicedScratch {
  AlignedBuffer<uint8_t> queries;  // [groups][slices][steps][16 quads][16 queries][4]
  AlignedBuffer<float> factors;    // [groups][16]: of scores, before they are powers of 2
  AlignedBuffer<uint8_t> keys;     // [kSlicedKeys][slices][steps][64]
  float key_steps[kSlicedKeys];
  AlignedBuffer<float> transposed;  // [head_dim][kValuesStride]
  AlignedBuffer<uint8_t> values;    // [head_dim][slices][kSlicedKeys]
  AlignedBuffer<float> value_steps;
  AlignedBuffer<int32_t> sums;           // [slices][32][16]
  AlignedBuffer<float> scores;           // [kSlicedKeys][16]
  AlignedBuffer<uint8_t> probabilities;  // [slices][kSlicedKeys / 4][16 queries][4]
  AlignedBuffer<float> outputs;          // [groups][head_dim][16]
  AlignedBuffer<float> max;              // [groups][16]
  AlignedBuffer<float> sum;
  AlignedBuffer<uint8_t> row;  // the digits of a query
};

// S0 * 2^16 + S1 * 2^8 + S2 of the sums that begin there.
HWY_INLINE hn::Vec<Lanes> SumOfSlices(const int32_t* sums) {
  const Lanes d;
  const hn::RebindToSigned<Lanes> di;
  const auto base = hn::Set(d, 256.0F);
  const auto take = [&](size_t i) HWY_ATTR {
    return hn::ConvertTo(d, hn::Load(di, sums + i * kTileKeys * kLanes));
  };
  return hn::MulAdd(hn::MulAdd(take(0), base, take(1)), base, take(2));
}

// Scores of `rows` keys in the sums, by the keys' steps; `max` of 16 queries grows.
HWY_INLINE void TakeScores(const int32_t* HWY_RESTRICT sums, const float* HWY_RESTRICT key_steps,
                           size_t rows, float* HWY_RESTRICT scores, float* HWY_RESTRICT max) {
  const Lanes d;
  for (size_t lane = 0; lane < kLanes; lane += hn::Lanes(d)) {
    auto largest = hn::Load(d, max + lane);
    for (size_t r = 0; r < rows; ++r) {
      const size_t at = r * kLanes + lane;
      const auto score = hn::Mul(SumOfSlices(sums + at), hn::Set(d, key_steps[r]));
      hn::Store(score, d, scores + at);
      largest = hn::Max(largest, score);
    }
    hn::Store(largest, d, max + lane);
  }
}

// p in [0, 1] -> p * kProbability in digits, shifted as slices.cc has them.
constexpr auto kProbability = static_cast<float>(kLargestSliced - 1);  // 1 may be rounded up

// The digits of four keys' probabilities, as unsigned ones and 0x80, become words of four bytes for
// each query, one of each place.
template <class V>
HWY_INLINE void StoreQuads(V k0, V k1, V k2, V k3, size_t place_bytes, uint8_t* HWY_RESTRICT to) {
  const hn::DFromV<V> du;
  const hn::Repartition<uint8_t, decltype(du)> d8;
  alignas(16) static constexpr uint8_t kPlaces[16] = {0, 2,  1, 3,  4,  6,  5,  7,
                                                      8, 10, 9, 11, 12, 14, 13, 15};
  const auto places = hn::LoadDup128(d8, kPlaces);
  const hn::Repartition<uint16_t, decltype(du)> d16;
  // Lower halves of the one, upper halves of the other.
  const auto halves = [&](V lower, V upper) HWY_ATTR {
    return hn::BitCast(du, hn::OddEven(hn::BitCast(d16, upper), hn::BitCast(d16, lower)));
  };
  // Of two keys the bytes of the two lower places, or of the higher ones, by place.
  const auto by_place = [&](V lower, V upper) HWY_ATTR {
    const auto both = hn::BitCast(d8, halves(lower, upper));
    return hn::BitCast(du, hn::TableLookupBytes(both, places));
  };
  const auto lower01 = by_place(k0, hn::ShiftLeft<16>(k1));
  const auto lower23 = by_place(k2, hn::ShiftLeft<16>(k3));
  const auto upper01 = by_place(hn::ShiftRight<16>(k0), k1);
  const auto upper23 = by_place(hn::ShiftRight<16>(k2), k3);
  const auto to_signed = hn::Set(du, 0x80808080);
  const auto store = [&](V quads, size_t place) HWY_ATTR {
    hn::Store(hn::Xor(quads, to_signed), du, reinterpret_cast<uint32_t*>(to + place * place_bytes));
  };
  store(halves(upper01, hn::ShiftLeft<16>(upper23)), 0);
  store(halves(hn::ShiftRight<16>(lower01), lower23), 1);
  store(halves(lower01, hn::ShiftLeft<16>(lower23)), 2);
}

// Scores of `keys` keys, a multiple of 4, as digits of probabilities; `sum` grows by these after it
// is multiplied by `rescale`.
HWY_INLINE void TakeProbabilities(const float* HWY_RESTRICT scores, size_t keys,
                                  const float* HWY_RESTRICT factors, const float* HWY_RESTRICT max,
                                  const float* HWY_RESTRICT rescale, float* HWY_RESTRICT sum,
                                  uint8_t* HWY_RESTRICT to) {
  const Lanes d;
  const hn::RebindToUnsigned<Lanes> du;
  const auto one = hn::Set(d, kProbability);
  const auto half_digits = hn::Set(du, 0x808080);
  for (size_t lane = 0; lane < kLanes; lane += hn::Lanes(d)) {
    const auto factor = hn::Load(d, factors + lane);
    const auto largest = hn::Load(d, max + lane);
    auto total = hn::Mul(hn::Load(d, sum + lane), hn::Load(d, rescale + lane));
    auto more = hn::Zero(d);
    for (size_t key = 0; key < keys; key += 4) {
      const auto take = [&](size_t k, auto& to_add) HWY_ATTR {
        const auto score = hn::Load(d, scores + (key + k) * kLanes + lane);
        // Not a rounded product less another one, of which the digits of 1 may be exceeded.
        const auto p = Exp2OfNegative(d, hn::Mul(hn::Sub(score, largest), factor));
        to_add = hn::Add(to_add, p);
        return hn::Add(hn::BitCast(du, hn::NearestInt(hn::Mul(p, one))), half_digits);
      };
      const auto k0 = take(0, total);
      const auto k1 = take(1, more);
      const auto k2 = take(2, total);
      const auto k3 = take(3, more);
      StoreQuads(k0, k1, k2, k3, kSlicedKeys / 4 * kQuadBytes,
                 to + key / 4 * kQuadBytes + lane * 4);
    }
    hn::Store(hn::Add(total, more), d, sum + lane);
  }
}

// Of 32 components: output = output * rescale + sums * step, or without the output so far.
HWY_INLINE void TakeOutputs(const int32_t* HWY_RESTRICT sums, const float* HWY_RESTRICT steps,
                            size_t rows, const float* HWY_RESTRICT rescale, bool is_first,
                            float* HWY_RESTRICT outputs) {
  const Lanes d;
  for (size_t lane = 0; lane < kLanes; lane += hn::Lanes(d)) {
    const auto factor = hn::Load(d, rescale + lane);
    for (size_t r = 0; r < rows; ++r) {
      const size_t at = r * kLanes + lane;
      auto output = hn::Mul(SumOfSlices(sums + at), hn::Set(d, steps[r]));
      if (!is_first) output = hn::MulAdd(hn::Load(d, outputs + at), factor, output);
      hn::Store(output, d, outputs + at);
    }
  }
}

// 2^(factor * (old - new)) of 16 queries' largest scores.
HWY_INLINE void Rescale(const float* HWY_RESTRICT old_max, const float* HWY_RESTRICT new_max,
                        const float* HWY_RESTRICT factors, float* HWY_RESTRICT rescale) {
  const Lanes d;
  for (size_t lane = 0; lane < kLanes; lane += hn::Lanes(d)) {
    const auto factor = hn::Load(d, factors + lane);
    const auto raised = hn::Sub(hn::Load(d, old_max + lane), hn::Load(d, new_max + lane));
    hn::Store(Exp2OfNegative(d, hn::Mul(raised, factor)), d, rescale + lane);
  }
}

// A row of digits, [slices][depth], becomes a column of a group.
void PlaceQuery(const uint8_t* HWY_RESTRICT row, size_t depth, size_t query,
                uint8_t* HWY_RESTRICT group) {
  for (size_t i = 0; i < kSlices * depth; i += 4) {
    std::memcpy(group + i / 4 * kQuadBytes + query * 4, row + i, 4);
  }
}

void TransposeValues(const float* values, size_t keys, size_t stride, size_t head_dim,
                     float* HWY_RESTRICT to) {
  size_t k = 0;
  for (; k + 4 <= keys; k += 4) {
    for (size_t j = 0; j < 4; ++j) FetchAhead(values, k + j, keys, stride, head_dim);
    size_t i = 0;
    for (; i + 4 <= head_dim; i += 4) {
      Transpose4x4(reinterpret_cast<const uint32_t*>(values + k * stride + i), stride,
                   kValuesStride, reinterpret_cast<uint32_t*>(to + i * kValuesStride + k));
    }
    for (; i < head_dim; ++i) {
      for (size_t j = 0; j < 4; ++j) {
        to[i * kValuesStride + k + j] = values[(k + j) * stride + i];
      }
    }
  }
  for (; k < keys; ++k) {
    for (size_t i = 0; i < head_dim; ++i) to[i * kValuesStride + k] = values[k * stride + i];
  }
}

void RunSliced(const SlicedAttentionTask& task) {
  constexpr float kUnseen = -std::numeric_limits<float>::infinity();
  // What a product of numbers in digits is beside SumOfSlices.
  constexpr float kOfProduct = 65536;
  const size_t depth = RoundUp(task.head_dim, kStepDigits);
  const size_t components = RoundUp(task.head_dim, kTileKeys);
  const size_t groups = RoundUp(task.queries, kLanes) / kLanes;
  const size_t group_bytes = kSlices * depth * kLanes;
  const size_t output_size = components * kLanes;

  thread_local SlicedScratch scratch;
  scratch.queries.Resize(groups * group_bytes);
  scratch.factors.Resize(groups * kLanes);
  scratch.keys.Resize(kSlicedKeys * kSlices * depth);
  scratch.transposed.Resize(components * kValuesStride);
  scratch.values.Resize(components * kSlices * kSlicedKeys);
  scratch.value_steps.Resize(components);
  scratch.sums.Resize(kSlices * kTileKeys * kLanes);
  scratch.scores.Resize(kSlicedKeys * kLanes);
  scratch.probabilities.Resize(kSlices * kSlicedKeys / 4 * kQuadBytes);
  scratch.outputs.Resize(groups * output_size);
  scratch.max.Resize(groups * kLanes);
  scratch.sum.Resize(groups * kLanes);
  scratch.row.Resize(kSlices * depth);

  float poison = 0;  // NaN if any number is not finite
  std::fill_n(scratch.factors.data(), groups * kLanes, 1.0F);
  std::fill_n(scratch.queries.data(), groups * group_bytes, uint8_t{0});
  for (size_t i = 0; i < task.queries; ++i) {
    const float* const query = task.q + i * task.stride;
    const SliceScale scale = SliceScaleOf(query, task.head_dim);
    // Not 0 where the scores are: 0 times that of an unseen key is no number.
    scratch.factors[i] =
        scale.inverse == 0 ? 1 + scale.step : scale.step * kOfProduct * 1.44269504F * task.scale;
    SliceRow(query, task.head_dim, scale.inverse, depth, {scratch.row.data()});
    PlaceQuery(scratch.row.data(), depth, i % kLanes,
               scratch.queries.data() + i / kLanes * group_bytes);
  }
  std::fill_n(scratch.max.data(), groups * kLanes, kUnseen);
  std::fill_n(scratch.sum.data(), groups * kLanes, 0.0F);

  for (size_t first_key = 0; first_key < task.tokens; first_key += kSlicedKeys) {
    const size_t keys = std::min(kSlicedKeys, task.tokens - first_key);
    const float* const first = task.k + first_key * task.stride;
    for (size_t k = 0; k < keys; ++k) {
      FetchAhead(first, k, keys, task.stride, task.head_dim);
      const float* const key = first + k * task.stride;
      const SliceScale scale = SliceScaleOf(key, task.head_dim);
      scratch.key_steps[k] = scale.step;
      poison += 0 * scale.step;
      SliceRow(key, task.head_dim, scale.inverse, depth,
               {scratch.keys.data() + k * kSlices * depth});
    }
    TransposeValues(task.v + first_key * task.stride, keys, task.stride, task.head_dim,
                    scratch.transposed.data());
    for (size_t i = 0; i < task.head_dim; ++i) {
      const float* const component = scratch.transposed.data() + i * kValuesStride;
      const SliceScale scale = SliceScaleOf(component, keys);
      scratch.value_steps[i] = scale.step * kOfProduct / kProbability;
      poison += 0 * scale.step;
      SliceRow(component, keys, scale.inverse, kSlicedKeys,
               {scratch.values.data() + i * kSlices * kSlicedKeys});
    }
    const size_t step_keys = RoundUp(keys, kStepDigits);

    for (size_t group = 0; group < groups; ++group) {
      alignas(64) float old_max[kLanes];
      alignas(64) float rescale[kLanes];
      float* const max = scratch.max.data() + group * kLanes;
      const float* const factors = scratch.factors.data() + group * kLanes;
      std::copy_n(max, kLanes, old_max);
      for (size_t k = 0; k < keys; k += kTileKeys) {
        task.multiply({.left = scratch.keys.data() + k * kSlices * depth,
                       .left_stride = kSlices * depth,
                       .left_place = depth,
                       .right = scratch.queries.data() + group * group_bytes,
                       .right_place = depth * kLanes,
                       .steps = depth / kStepDigits,
                       .sums = scratch.sums.data()});
        TakeScores(scratch.sums.data(), scratch.key_steps + k, std::min(kTileKeys, keys - k),
                   scratch.scores.data() + k * kLanes, max);
      }
      std::fill(scratch.scores.data() + keys * kLanes, scratch.scores.data() + step_keys * kLanes,
                kUnseen);
      const bool is_first = first_key == 0;
      if (is_first) {
        std::fill_n(rescale, kLanes, 0.0F);
      } else {
        Rescale(old_max, max, factors, rescale);
      }
      TakeProbabilities(scratch.scores.data(), step_keys, factors, max, rescale,
                        scratch.sum.data() + group * kLanes, scratch.probabilities.data());
      for (size_t i = 0; i < task.head_dim; i += kTileKeys) {
        task.multiply({.left = scratch.values.data() + i * kSlices * kSlicedKeys,
                       .left_stride = kSlices * kSlicedKeys,
                       .left_place = kSlicedKeys,
                       .right = scratch.probabilities.data(),
                       .right_place = kSlicedKeys / 4 * kQuadBytes,
                       .steps = step_keys / kStepDigits,
                       .sums = scratch.sums.data()});
        TakeOutputs(scratch.sums.data(), scratch.value_steps.data() + i,
                    std::min(kTileKeys, task.head_dim - i), rescale, is_first,
                    scratch.outputs.data() + group * output_size + i * kLanes);
      }
    }
  }

  for (size_t q = 0; q < task.queries; ++q) {
    const float* const output = scratch.outputs.data() + q / kLanes * output_size + q % kLanes;
    // A factor is not finite where the query is not.
    const float factor = 1 / scratch.sum[q] + 0 * scratch.factors[q] + poison;
    for (size_t i = 0; i < task.head_dim; ++i) {
      task.out[q * task.out_stride + i] = output[i * kLanes] * factor;
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace embedding
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace embedding {

HWY_EXPORT(RunSliced);

std::optional<MicroKernel> SlicedAttentionKernel(const Attention& attention,
                                                 const ScoreTerms& terms) {
  const bool sees_all = !attention.causal && !attention.window;
  if (!sees_all || !terms.bias.empty() || !terms.positions.empty()) return std::nullopt;
  // Digits are multiplied by 64 of a head's.
  const size_t multiplied = RoundUp(attention.head_dim, kStepDigits);
  if (multiplied > attention.head_dim + attention.head_dim / 2) return std::nullopt;
  return F32SlicesKernel(attention.head_dim);
}

void RunSlicedAttention(const SlicedAttentionTask& task) { HWY_DYNAMIC_DISPATCH(RunSliced)(task); }

}  // namespace embedding
#endif  // HWY_ONCE
