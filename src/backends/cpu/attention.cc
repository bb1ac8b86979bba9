// Attention with an online softmax, tiled so that the keys and values of a tile stay in the L2
// cache.
//
// A task is one head of up to kQueryBlock queries of one sequence. It walks over the sequence's
// keys in blocks of kKeyBlock. For each block it packs the keys and the values, from rows that lie
// 3 * hidden_size apart, in panels as those of a weight (panel_product.h): a panel of keys has one
// component of many keys in a row, one of values many components of one key. Then, for a group of
// rows of queries at a time, by the kernels of panel_kernels.h:
//   1. scores[rows, keys] = queries * keys^T;
//   2. the online softmax: with m the largest score so far and l the sum of exp(score - m), a block
//      that raises m to m' scales l and the output row by exp(m - m') first
//      (Milakov & Gimelshein 2018, "Online normalizer calculation for softmax");
//   3. output[rows, head_dim] += probabilities * values.
// At the end each row is divided by its l and stored.
//
// Packing costs 2 * keys * head_dim moves a task, which wait for memory, against 4 * queries * keys
// * head_dim operations: some 2 % at 1,024 queries. What the last vector of keys has beyond the
// last is given a score of -infinity; head_dim is padded to whole panels. A result depends on its
// own sequence alone.

#include "backends/cpu/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "backends/cpu/panel_kernels.h"
#include "backends/cpu/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/attention.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

#include "backends/cpu/attention_kernels-inl.h"
#include "backends/cpu/attention_layouts-inl.h"
#include "hwy/highway.h"

#ifndef EMBEDDING_ATTENTION_TYPES
#define EMBEDDING_ATTENTION_TYPES
namespace embedding {

// One head of queries [first_query, first_query + queries) of one sequence. q, k, v and out point
// to the sequence's first token, at this head.
template <typename T>
struct AttentionTask {
  const PanelKernel* kernel;
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

template <typename Layout, typename T>
void RunTask(const AttentionTask<T>& task) {
  using Word = typename Layout::Word;
  const PanelKernel& kernel = *task.kernel;
  const size_t width = kernel.width;
  const size_t head_dim = task.head_dim;
  const size_t depth = Layout::Words(head_dim);
  const size_t key_words = Layout::Words(kKeyBlock);
  const size_t padded_dim = RoundUp(head_dim, width);
  const size_t tile = kernel.rows * width;
  // Scores are scaled by 1 / sqrt(head_dim), and 2^(x log2(e)) = e^x.
  const float factor = 1.44269504F / std::sqrt(static_cast<float>(head_dim));

  thread_local Scratch<Word> scratch;
  scratch.queries.Resize(kQueryBlock * depth);
  scratch.keys.Resize(kKeyBlock * depth);
  scratch.values.Resize(key_words * padded_dim);
  scratch.scores.Resize(kKeyBlock * kernel.rows);
  scratch.probabilities.Resize(kKeyBlock * kernel.rows);
  scratch.pairs.Resize(key_words * kernel.rows);
  scratch.output.Resize(RoundUp(kQueryBlock, kernel.rows) * padded_dim);

  const auto multiply = [&](const Word* left, size_t left_words, size_t rows, size_t words,
                            const Word* right, float* sums, bool accumulate) {
    kernel.multiply({.left = reinterpret_cast<const uint8_t*>(left),
                     .left_stride = left_words * sizeof(Word),
                     .rows = rows,
                     .depth = words,
                     .right = reinterpret_cast<const uint8_t*>(right),
                     .sums = reinterpret_cast<uint8_t*>(sums),
                     .accumulate = accumulate,
                     .ahead = nullptr,
                     .ahead_lines = 0});
  };

  Layout::PackQueries(task.q + task.first_query * task.stride, task.queries, task.stride, head_dim,
                      scratch.queries.data());
  std::fill_n(scratch.max, task.queries, -std::numeric_limits<float>::infinity());
  std::fill_n(scratch.sum, task.queries, 0.0F);

  for (size_t first_key = 0; first_key < task.tokens; first_key += kKeyBlock) {
    const size_t keys = std::min(kKeyBlock, task.tokens - first_key);
    const size_t padded_keys = RoundUp(keys, hn::Lanes(D()));
    Layout::PackKeys(task.k + first_key * task.stride, keys, task.stride, head_dim, width, scratch);
    for (size_t i = 0; i < head_dim; i += width) {
      Layout::PackValues(task.v + first_key * task.stride + i, keys, task.stride,
                         std::min(width, head_dim - i), width,
                         scratch.values.data() + i * key_words);
    }

    for (size_t first_row = 0; first_row < task.queries; first_row += kernel.rows) {
      const size_t rows = std::min(kernel.rows, task.queries - first_row);
      for (size_t k = 0; k < keys; k += width) {
        multiply(scratch.queries.data() + first_row * depth, depth, rows, depth,
                 scratch.keys.data() + k * depth, scratch.scores.data() + k / width * tile,
                 /*accumulate=*/false);
      }
      float* output = scratch.output.data() + first_row * padded_dim;
      for (size_t r = 0; r < rows; ++r) {
        float* scores = scratch.scores.data() + r * width;
        float* last = scores + (padded_keys - 1) / width * tile;
        std::fill(last + (keys - 1) % width + 1, last + (padded_keys - 1) % width + 1,
                  -std::numeric_limits<float>::infinity());
        const float rescale =
            OnlineSoftmax(scores, padded_keys, width, tile, factor, scratch.max[first_row + r],
                          scratch.sum[first_row + r], scratch.probabilities.data() + r * kKeyBlock);
        for (size_t i = 0; first_key != 0 && rescale != 1.0F && i < padded_dim; i += width) {
          ScaleRow(output + i * kernel.rows + r * width, width, rescale);
        }
      }
      const Word* probabilities = Layout::PackProbabilities(rows, padded_keys, scratch);
      for (size_t i = 0; i < padded_dim; i += width) {
        multiply(probabilities, key_words, rows, Layout::Words(keys),
                 scratch.values.data() + i * key_words, output + i * kernel.rows,
                 /*accumulate=*/first_key != 0);
      }
    }
  }

  for (size_t r = 0; r < task.queries; ++r) {
    const size_t row = r % kernel.rows;  // of its group
    const float* output = scratch.output.data() + (r - row) * padded_dim + row * width;
    T* out = task.out + (task.first_query + r) * task.out_stride;
    for (size_t i = 0; i < head_dim; i += width) {
      StoreScaled(output + i * kernel.rows, std::min(width, head_dim - i), 1.0F / scratch.sum[r],
                  out + i);
    }
  }
}

void RunF32Task(const AttentionTask<float>& task) { RunTask<F32Layout<float>>(task); }

void RunBf16Task(const AttentionTask<BFloat16>& task) {
  if (task.kernel->group == 2) {
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

PanelKernel KernelFor(const float*, size_t) { return F32Kernel(); }
PanelKernel KernelFor(const BFloat16*, size_t head_dim) {
  const std::optional<PanelKernel> pairs = Bf16Kernel();
  return pairs && head_dim % 2 == 0 ? *pairs : F32Kernel();
}

void RunTask(const AttentionTask<float>& task) { HWY_DYNAMIC_DISPATCH(RunF32Task)(task); }
void RunTask(const AttentionTask<BFloat16>& task) { HWY_DYNAMIC_DISPATCH(RunBf16Task)(task); }

}  // namespace

template <typename T>
void PackedAttention(ThreadTeam& team, const T* qkv, std::span<const uint32_t> offsets,
                     size_t heads, size_t head_dim, size_t max_queries, T* out,
                     const FinishRows& finish) {
  const PanelKernel kernel = KernelFor(qkv, head_dim);
  const size_t hidden_size = heads * head_dim;
  struct QueryBlock {
    size_t sequence, head, first_query;
    size_t first_row;  // of its sequence in `out`
  };
  // Blocks that meet the same keys and values follow one another, which keeps those in the caches.
  std::vector<QueryBlock> blocks;
  size_t rows = 0;  // of `out`
  for (size_t s = 0; s + 1 < offsets.size(); ++s) {
    const size_t queries = std::min<size_t>(offsets[s + 1] - offsets[s], max_queries);
    for (size_t head = 0; head < heads; ++head) {
      for (size_t q = 0; q < queries; q += kQueryBlock) blocks.push_back({s, head, q, rows});
    }
    rows += queries;
  }
  const auto attend = [&](size_t i) {
    const QueryBlock& block = blocks[i];
    const size_t first_token = offsets[block.sequence];
    const size_t tokens = offsets[block.sequence + 1] - first_token;
    const T* q = qkv + first_token * 3 * hidden_size + block.head * head_dim;
    RunTask(AttentionTask<T>{
        .kernel = &kernel,
        .q = q,
        .k = q + hidden_size,
        .v = q + 2 * hidden_size,
        .stride = 3 * hidden_size,
        .out = out + block.first_row * hidden_size + block.head * head_dim,
        .out_stride = hidden_size,
        .first_query = block.first_query,
        .queries = std::min(kQueryBlock, std::min(tokens, max_queries) - block.first_query),
        .tokens = tokens,
        .head_dim = head_dim});
  };
  ParallelFor(team, blocks.size(), attend, rows, finish);
}

template void PackedAttention(ThreadTeam&, const float*, std::span<const uint32_t>, size_t, size_t,
                              size_t, float*, const FinishRows&);
template void PackedAttention(ThreadTeam&, const BFloat16*, std::span<const uint32_t>, size_t,
                              size_t, size_t, BFloat16*, const FinishRows&);

}  // namespace embedding
#endif  // HWY_ONCE
