// How attention.cc lays out what it multiplies, once for each instruction set that Highway compiles
// for.
//
// bf16 comes in two ways. Where the processor multiplies pairs of bf16, a word of every matrix is
// such a pair: of two components for the scores, of two keys for the output. Elsewhere bf16 is
// widened while it is packed.

#ifndef EMBEDDING_ATTENTION_LAYOUTS_SIZES
#define EMBEDDING_ATTENTION_LAYOUTS_SIZES

#include <cstddef>

namespace embedding {

// Many, so that keys and values are seldom packed. Queries and outputs stream past a block of keys,
// and may lie beyond the L2 cache.
constexpr size_t kQueryBlock = 1024;
// 512 keys of 64 components, keys and values: 256 KiB of f32, which stay in an L2 cache of 512 KiB.
constexpr size_t kKeyBlock = 512;

constexpr size_t RoundUp(size_t n, size_t unit) { return (n + unit - 1) / unit * unit; }

}  // namespace embedding

#endif  // EMBEDDING_ATTENTION_LAYOUTS_SIZES

#if defined(EMBEDDING_ATTENTION_LAYOUTS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef EMBEDDING_ATTENTION_LAYOUTS_INL_H_
#undef EMBEDDING_ATTENTION_LAYOUTS_INL_H_
#else
#define EMBEDDING_ATTENTION_LAYOUTS_INL_H_
#endif

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "backends/cpu/attention_kernels-inl.h"
#include "backends/cpu/micro_kernels.h"
#include "base/aligned_buffer.h"
#include "base/half.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace embedding {
namespace HWY_NAMESPACE {

// What a task keeps in the cache. Words are float, or uint32_t for pairs of bf16.
template <typename Word>
struct Scratch {
  AlignedBuffer<Word> queries;         // [kQueryBlock][depth]
  AlignedBuffer<Word> keys;            // [panels of keys][depth][width]
  AlignedBuffer<Word> values;          // [panels of components][words of a key block][width]
  AlignedBuffer<float> scores;         // [panels of keys][rows + 1][width]
  AlignedBuffer<float> probabilities;  // [rows][kKeyBlock]; of pairs those of a row
  AlignedBuffer<Word> pairs;           // [rows][words of a key block], of pairs only
  AlignedBuffer<float> output;         // [groups][panels of components][rows][width]
  AlignedBuffer<float> widened;        // [kKeyBlock][head_dim]
  float max[kQueryBlock];
  float sum[kQueryBlock];
};

// How f32 and widened bf16 are laid out.
template <typename T>
struct F32Layout {
  using Word = float;
  static constexpr auto& kCoefficients = kExp2;
  static size_t Words(size_t n) { return n; }

  // Rows of `out` are `depth` words apart.
  static void PackQueries(const T* rows, size_t count, size_t stride, size_t head_dim, size_t depth,
                          float* out) {
    for (size_t r = 0; r < count; ++r) {
      for (size_t i = 0; i < head_dim; ++i) {
        out[r * depth + i] = static_cast<float>(rows[r * stride + i]);
      }
    }
  }
  static void PackKeys(const T* rows, size_t count, size_t stride, size_t head_dim, size_t depth,
                       size_t width, Scratch<float>& scratch) {
    const auto pack = [&](const float* keys, size_t key_stride) {
      HWY_NAMESPACE::PackKeys(reinterpret_cast<const uint32_t*>(keys), count, key_stride, head_dim,
                              depth, width, reinterpret_cast<uint32_t*>(scratch.keys.data()));
    };
    if constexpr (std::is_same_v<T, float>) {
      pack(rows, stride);
    } else {
      scratch.widened.Resize(kKeyBlock * head_dim);
      PackQueries(rows, count, stride, head_dim, head_dim, scratch.widened.data());
      pack(scratch.widened.data(), head_dim);
    }
  }
  static void PackValues(const T* rows, size_t count, size_t stride, size_t components,
                         size_t width, float* out) {
    for (size_t k = 0; k < count; ++k, out += width) {
      FetchAhead(rows, k, count, stride, components);
      for (size_t i = 0; i < components; ++i) out[i] = static_cast<float>(rows[k * stride + i]);
    }
  }
  // Where row r's probabilities are written.
  static float* ProbabilitiesOf(size_t r, Scratch<float>& scratch) {
    return scratch.probabilities.data() + r * kKeyBlock;
  }
  // Once keys [begin, end) of row r are written.
  static void PackProbabilities(const MicroKernel&, size_t, size_t, size_t, Scratch<float>&) {}
  // [rows][Words(kKeyBlock)]
  static const float* Packed(const Scratch<float>& scratch) { return scratch.probabilities.data(); }
};

// How pairs of bf16 are laid out. head_dim is even.
struct PairLayout {
  using Word = uint32_t;
  static constexpr auto& kCoefficients = kExp2OfBf16;
  static size_t Words(size_t n) { return (n + 1) / 2; }

  static void PackQueries(const BFloat16* rows, size_t count, size_t stride, size_t head_dim,
                          size_t depth, uint32_t* out) {
    for (size_t r = 0; r < count; ++r) {
      std::memcpy(out + r * depth, rows + r * stride, head_dim * sizeof(BFloat16));
    }
  }
  static void PackKeys(const BFloat16* rows, size_t count, size_t stride, size_t head_dim,
                       size_t depth, size_t width, Scratch<uint32_t>& scratch) {
    HWY_NAMESPACE::PackKeys(reinterpret_cast<const uint32_t*>(rows), count, stride / 2,
                            Words(head_dim), depth, width, scratch.keys.data());
  }
  // Rows 2k and 2k + 1 become one row of pairs; a missing last row is zero.
  static void PackValues(const BFloat16* rows, size_t count, size_t stride, size_t components,
                         size_t width, uint32_t* out) {
    for (size_t k = 0; k < count; k += 2, out += width) {
      for (size_t j = 0; j < 2; ++j) FetchAhead(rows, k + j, count, stride, components);
      const BFloat16* row0 = rows + k * stride;
      const BFloat16* row1 = row0 + stride;
      const bool paired = k + 1 < count;
      for (size_t i = 0; i < components; ++i) {
        const uint32_t high = paired ? static_cast<uint32_t>(row1[i].bits) << 16 : 0;
        out[i] = high | row0[i].bits;
      }
    }
  }
  static float* ProbabilitiesOf(size_t, Scratch<uint32_t>& scratch) {
    return scratch.probabilities.data();
  }
  static void PackProbabilities(const MicroKernel& kernel, size_t r, size_t begin, size_t end,
                                Scratch<uint32_t>& scratch) {
    const size_t first = begin / kRounded * kRounded;
    kernel.round(
        scratch.probabilities.data() + first, RoundUp(end, kRounded) - first,
        reinterpret_cast<uint16_t*>(scratch.pairs.data() + r * Words(kKeyBlock) + Words(first)));
  }
  static const uint32_t* Packed(const Scratch<uint32_t>& scratch) { return scratch.pairs.data(); }

  static constexpr size_t kRounded = 32;  // MicroKernel::round takes a multiple of that
};

}  // namespace HWY_NAMESPACE
}  // namespace embedding
HWY_AFTER_NAMESPACE();

#endif  // EMBEDDING_ATTENTION_LAYOUTS_INL_H_
