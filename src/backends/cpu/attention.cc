// Attention with an online softmax, tiled so that everything a tile touches stays in the L2 cache.
//
// A task is one head of up to kQueryBlock queries of one sequence. It walks over the sequence's
// keys in blocks of kKeyBlock. For each block it copies the keys transposed into panels (so that a
// vector holds one component of many keys) and the values row by row, both from rows that lie
// 3 * hidden_size apart; then, for a group of rows of queries at a time:
//   1. scores[rows, keys] = queries * panels, an outer-product kernel with rows x 2 sums;
//   2. the online softmax: with m the largest score so far and l the sum of exp(score - m), a block
//      that raises m to m' scales l and the output row by exp(m - m') first
//      (Milakov & Gimelshein 2018, "Online normalizer calculation for softmax");
//   3. output[rows, head_dim] += probabilities * values, the same outer-product kernel.
// At the end each row is divided by its l and stored.
//
// Copying costs 2 * keys * head_dim moves a task against 4 * queries * keys * head_dim operations:
// under 2 % at 512 queries. Rows beyond the last query repeat it, and keys beyond the last are
// given a score of -infinity, so the kernels have no remainders; head_dim is padded with zeros to
// the width of two vectors for the same reason. A result depends on its own sequence alone.
//
// bf16 comes in two ways. Where the processor multiplies pairs of bf16, an element of every matrix
// is such a pair: of two components for the scores, of two keys for the output. Elsewhere bf16 is
// widened while it is copied.

#include "backends/cpu/attention.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

#include "backends/cpu/bf16_outer_product.h"
#include "backends/cpu/parallel.h"
#include "base/aligned_buffer.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/attention.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

#include "backends/cpu/attention_kernels-inl.h"
#include "hwy/highway.h"

#ifndef EMBEDDING_ATTENTION_TYPES
#define EMBEDDING_ATTENTION_TYPES
namespace embedding {

constexpr size_t kQueryBlock = 512;
// 256 keys of 64 components, keys and values: 128 KiB, which leaves room in an L2 of 512 KiB for
// the queries and outputs that meet them.
constexpr size_t kKeyBlock = 256;

// One head of queries [first_query, first_query + queries) of one sequence. q, k, v and out point
// to the sequence's first token, at this head.
template <typename T>
struct AttentionTask {
  const T* q;
  const T* k;
  const T* v;
  size_t stride;  // numbers from token to token of q, k and v
  T* out;
  size_t out_stride;
  size_t first_query;
  size_t queries;
  size_t tokens;  // keys
  size_t head_dim;
};

}  // namespace embedding
#endif

HWY_BEFORE_NAMESPACE();
namespace embedding {
namespace HWY_NAMESPACE {

// What a task keeps in the cache. E is float, or uint32_t for pairs of bf16.
template <typename E>
struct Scratch {
  AlignedBuffer<E> queries;        // [kQueryBlock][depth]
  AlignedBuffer<E> keys;           // [kKeyBlock / panel][depth][panel]
  AlignedBuffer<E> values;         // [kKeyBlock, or half of it][padded_dim]
  AlignedBuffer<float> scores;     // [rows][kKeyBlock]
  AlignedBuffer<E> probabilities;  // [rows][kKeyBlock / 2], pairs only
  AlignedBuffer<float> output;     // [kQueryBlock + rows][padded_dim]
  AlignedBuffer<float> widened;    // [kKeyBlock][head_dim]
  float max[kQueryBlock];
  float sum[kQueryBlock];
};

// How f32 and widened bf16 are laid out and multiplied.
template <typename T>
struct F32Layout {
  using Element = float;
  static constexpr size_t kGroup = kTileRows;
  static size_t Panel() { return 2 * hn::Lanes(D()); }
  static size_t Depth(size_t n) { return n; }

  static void PackQueries(const T* rows, size_t count, size_t stride, size_t head_dim, float* out) {
    for (size_t r = 0; r < count; ++r) {
      for (size_t i = 0; i < head_dim; ++i) {
        out[r * head_dim + i] = static_cast<float>(rows[r * stride + i]);
      }
    }
  }
  static void PackKeys(const T* rows, size_t count, size_t stride, size_t head_dim,
                       Scratch<float>& scratch) {
    const auto pack = [&](const float* keys, size_t key_stride) {
      HWY_NAMESPACE::PackKeys(reinterpret_cast<const uint32_t*>(keys), count, key_stride, head_dim,
                              Panel(), reinterpret_cast<uint32_t*>(scratch.keys.data()));
    };
    if constexpr (std::is_same_v<T, float>) {
      pack(rows, stride);
    } else {
      scratch.widened.Resize(kKeyBlock * head_dim);
      PackQueries(rows, count, stride, head_dim, scratch.widened.data());
      pack(scratch.widened.data(), head_dim);
    }
  }
  static void PackValues(const T* rows, size_t count, size_t stride, size_t head_dim,
                         size_t padded_dim, float* out) {
    for (size_t k = 0; k < count; ++k, out += padded_dim) {
      for (size_t i = 0; i < head_dim; ++i) out[i] = static_cast<float>(rows[k * stride + i]);
      std::fill(out + head_dim, out + padded_dim, 0.0F);
    }
  }
  static const float* PackProbabilities(const float* row, size_t, float*) { return row; }
  static void Multiply(const float* const* left, size_t depth, const float* right,
                       size_t right_stride, float* out, size_t out_stride, bool accumulate) {
    OuterProduct(left, depth, right, right_stride, out, out_stride, accumulate);
  }
};

// How pairs of bf16 are laid out and multiplied. head_dim is even.
struct PairLayout {
  using Element = uint32_t;
  static constexpr size_t kGroup = kBf16Rows;
  static size_t Panel() { return kBf16Panel; }
  static size_t Depth(size_t n) { return (n + 1) / 2; }

  static void PackQueries(const BFloat16* rows, size_t count, size_t stride, size_t head_dim,
                          uint32_t* out) {
    for (size_t r = 0; r < count; ++r) {
      std::memcpy(out + r * Depth(head_dim), rows + r * stride, head_dim * sizeof(BFloat16));
    }
  }
  static void PackKeys(const BFloat16* rows, size_t count, size_t stride, size_t head_dim,
                       Scratch<uint32_t>& scratch) {
    HWY_NAMESPACE::PackKeys(reinterpret_cast<const uint32_t*>(rows), count, stride / 2,
                            Depth(head_dim), Panel(), scratch.keys.data());
  }
  // Rows 2k and 2k + 1 become one row of pairs; a missing last row is zero.
  static void PackValues(const BFloat16* rows, size_t count, size_t stride, size_t head_dim,
                         size_t padded_dim, uint32_t* out) {
    for (size_t k = 0; k < count; k += 2, out += padded_dim) {
      const BFloat16* row0 = rows + k * stride;
      const BFloat16* row1 = row0 + stride;
      const bool paired = k + 1 < count;
      for (size_t i = 0; i < head_dim; ++i) {
        const uint32_t high = paired ? static_cast<uint32_t>(row1[i].bits) << 16 : 0;
        out[i] = high | row0[i].bits;
      }
      std::fill(out + head_dim, out + padded_dim, 0U);
    }
  }
  static const uint32_t* PackProbabilities(const float* row, size_t keys, uint32_t* out) {
    RoundToBf16(row, keys, reinterpret_cast<uint16_t*>(out));
    return out;
  }
  static void Multiply(const uint32_t* const* left, size_t depth, const uint32_t* right,
                       size_t right_stride, float* out, size_t out_stride, bool accumulate) {
    Bf16OuterProduct(left, depth, right, right_stride, out, out_stride, accumulate);
  }
};

template <typename Layout, typename T>
void RunTask(const AttentionTask<T>& task) {
  using Element = typename Layout::Element;
  constexpr size_t kGroup = Layout::kGroup;
  const size_t panel = Layout::Panel();
  const size_t head_dim = task.head_dim;
  const size_t depth = Layout::Depth(head_dim);
  const size_t padded_dim = (head_dim + panel - 1) / panel * panel;
  // Scores are scaled by 1 / sqrt(head_dim), and 2^(x log2(e)) = e^x.
  const float factor = 1.44269504F / std::sqrt(static_cast<float>(head_dim));

  thread_local Scratch<Element> scratch;
  scratch.queries.Resize(kQueryBlock * depth);
  scratch.keys.Resize(kKeyBlock * depth);
  scratch.values.Resize(kKeyBlock * padded_dim);
  scratch.scores.Resize(kGroup * kKeyBlock);
  scratch.probabilities.Resize(kGroup * kKeyBlock / 2);
  scratch.output.Resize((kQueryBlock + kGroup) * padded_dim);

  Layout::PackQueries(task.q + task.first_query * task.stride, task.queries, task.stride, head_dim,
                      scratch.queries.data());
  std::fill_n(scratch.max, task.queries, -std::numeric_limits<float>::infinity());
  std::fill_n(scratch.sum, task.queries, 0.0F);

  for (size_t first_key = 0; first_key < task.tokens; first_key += kKeyBlock) {
    const size_t keys = std::min(kKeyBlock, task.tokens - first_key);
    const size_t padded_keys = (keys + panel - 1) / panel * panel;
    Layout::PackKeys(task.k + first_key * task.stride, keys, task.stride, head_dim, scratch);
    Layout::PackValues(task.v + first_key * task.stride, keys, task.stride, head_dim, padded_dim,
                       scratch.values.data());

    for (size_t first_row = 0; first_row < task.queries; first_row += kGroup) {
      const size_t rows = std::min(kGroup, task.queries - first_row);
      const Element* left[kGroup];
      for (size_t r = 0; r < kGroup; ++r) {
        left[r] = scratch.queries.data() + (first_row + std::min(r, rows - 1)) * depth;
      }
      for (size_t k = 0; k < padded_keys; k += panel) {
        Layout::Multiply(left, depth, scratch.keys.data() + k * depth, panel,
                         scratch.scores.data() + k, kKeyBlock, /*accumulate=*/false);
      }
      float* output = scratch.output.data() + first_row * padded_dim;
      for (size_t r = 0; r < rows; ++r) {
        float* scores = scratch.scores.data() + r * kKeyBlock;
        std::fill(scores + keys, scores + padded_keys, -std::numeric_limits<float>::infinity());
        const float rescale = OnlineSoftmax(scores, padded_keys, factor, scratch.max[first_row + r],
                                            scratch.sum[first_row + r]);
        if (first_key != 0) ScaleRow(output + r * padded_dim, padded_dim, rescale);
        left[r] = Layout::PackProbabilities(scores, padded_keys,
                                            scratch.probabilities.data() + r * kKeyBlock / 2);
      }
      for (size_t r = rows; r < kGroup; ++r) left[r] = left[rows - 1];
      for (size_t i = 0; i < padded_dim; i += panel) {
        Layout::Multiply(left, Layout::Depth(keys), scratch.values.data() + i, padded_dim,
                         output + i, padded_dim, /*accumulate=*/first_key != 0);
      }
    }
  }

  for (size_t r = 0; r < task.queries; ++r) {
    const float inverse = 1.0F / scratch.sum[r];
    T* out = task.out + (task.first_query + r) * task.out_stride;
    for (size_t i = 0; i < head_dim; ++i) {
      out[i] = static_cast<T>(scratch.output[r * padded_dim + i] * inverse);
    }
  }
}

void RunF32Task(const AttentionTask<float>& task) { RunTask<F32Layout<float>>(task); }

void RunBf16Task(const AttentionTask<BFloat16>& task) {
  // The pairs' kernel works on vectors of 16, and so must the softmax around it.
  if (HWY_TARGET <= HWY_AVX3 && HWY_ARCH_X86 && HasAvx512Bf16() && task.head_dim % 2 == 0) {
    RunTask<PairLayout>(task);
  } else {
    RunTask<F32Layout<BFloat16>>(task);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace embedding
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace embedding {

HWY_EXPORT(RunF32Task);
HWY_EXPORT(RunBf16Task);

namespace {

void RunTask(const AttentionTask<float>& task) { HWY_DYNAMIC_DISPATCH(RunF32Task)(task); }
void RunTask(const AttentionTask<BFloat16>& task) { HWY_DYNAMIC_DISPATCH(RunBf16Task)(task); }

}  // namespace

template <typename T>
void PackedAttention(const T* qkv, std::span<const uint32_t> offsets, size_t heads, size_t head_dim,
                     size_t max_queries, T* out) {
  const size_t hidden_size = heads * head_dim;
  struct QueryBlock {
    size_t sequence, first_query;
  };
  std::vector<QueryBlock> blocks;
  for (size_t s = 0; s + 1 < offsets.size(); ++s) {
    const size_t queries = std::min<size_t>(offsets[s + 1] - offsets[s], max_queries);
    for (size_t q = 0; q < queries; q += kQueryBlock) blocks.push_back({s, q});
  }
  ParallelFor(blocks.size() * heads, [&](size_t i) {
    const QueryBlock& block = blocks[i / heads];
    const size_t head = i % heads;
    const size_t first_token = offsets[block.sequence];
    const size_t tokens = offsets[block.sequence + 1] - first_token;
    const T* q = qkv + first_token * 3 * hidden_size + head * head_dim;
    RunTask(AttentionTask<T>{
        .q = q,
        .k = q + hidden_size,
        .v = q + 2 * hidden_size,
        .stride = 3 * hidden_size,
        .out = out + first_token * hidden_size + head * head_dim,
        .out_stride = hidden_size,
        .first_query = block.first_query,
        .queries = std::min({kQueryBlock, tokens - block.first_query, max_queries}),
        .tokens = tokens,
        .head_dim = head_dim});
  });
}

template void PackedAttention(const float*, std::span<const uint32_t>, size_t, size_t, size_t,
                              float*);
template void PackedAttention(const BFloat16*, std::span<const uint32_t>, size_t, size_t, size_t,
                              BFloat16*);

}  // namespace embedding
#endif  // HWY_ONCE
