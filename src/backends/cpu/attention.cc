// Attention with an online softmax, tiled so that the keys and values of a tile stay in the L2
// cache.
//
// A task is one head of up to kQueryBlock queries of one sequence. It walks over the sequence's
// keys in blocks of kKeyBlock. For each block it packs the keys and the values, from rows that lie
// 3 * hidden_size apart, in panels as those of a weight (panel_product.h): a panel of keys has one
// component of many keys in a row, one of values many components of one key. Then, for a group of
// rows of queries at a time, by the kernels of micro_kernels.h:
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

#include "backends/cpu/micro_kernels.h"
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

// One head of some queries of one sequence. q and out point to the first of them, k and v to the
// sequence's first token, at this head.
template <typename T>
struct AttentionTask {
  const MicroKernel* kernel;
  const T* q;
  const T* k;
  const T* v;
  size_t stride;  // numbers from token to token of q, k and v
  T* out;
  size_t out_stride;
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
  const MicroKernel& kernel = *task.kernel;
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

  Layout::PackQueries(task.q, task.queries, task.stride, head_dim, scratch.queries.data());
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
      const Word* probabilities = Layout::PackProbabilities(kernel, rows, padded_keys, scratch);
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
    T* out = task.out + r * task.out_stride;
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

MicroKernel KernelFor(const float*, size_t) { return F32Kernel(); }
MicroKernel KernelFor(const BFloat16*, size_t head_dim) {
  const std::optional<MicroKernel> pairs = Bf16PairsKernel();
  return pairs && head_dim % 2 == 0 ? *pairs : F32Kernel();
}

void RunTask(const AttentionTask<float>& task) { HWY_DYNAMIC_DISPATCH(RunF32Task)(task); }
void RunTask(const AttentionTask<BFloat16>& task) { HWY_DYNAMIC_DISPATCH(RunBf16Task)(task); }

}  // namespace

template <typename T>
void PackedAttention(ThreadTeam& team, const Attention& attention, const T* qkv,
                     std::span<const uint32_t> offsets, std::span<const TokenRange> queries, T* out,
                     const RowEpilogue& epilogue) {
  const size_t head_dim = attention.head_dim;
  const size_t width = attention.width();
  const MicroKernel kernel = KernelFor(qkv, head_dim);
  struct QueryBlock {
    size_t sequence, head;
    size_t first_query;  // of the batch's tokens
    size_t queries;
    size_t first_row;  // of `out`
  };
  // Blocks that meet the same keys and values follow one another, which keeps those in the caches.
  std::vector<QueryBlock> blocks;
  size_t rows = 0;  // of `out`
  for (size_t s = 0; s + 1 < offsets.size(); ++s) {
    const uint32_t tokens = offsets[s + 1] - offsets[s];
    const TokenRange asking = queries.empty() ? TokenRange{0, tokens} : queries[s];
    for (size_t head = 0; head < attention.heads; ++head) {
      for (size_t q = 0; q < asking.size(); q += kQueryBlock) {
        blocks.push_back({s, head, offsets[s] + asking.begin + q,
                          std::min<size_t>(kQueryBlock, asking.size() - q), rows + q});
      }
    }
    rows += asking.size();
  }
  const size_t stride = 3 * width;
  const auto attend = [&](size_t i) {
    const QueryBlock& block = blocks[i];
    const size_t first_token = offsets[block.sequence];
    const T* const of_head = qkv + block.head * head_dim;
    RunTask(AttentionTask<T>{.kernel = &kernel,
                             .q = of_head + block.first_query * stride,
                             .k = of_head + first_token * stride + width,
                             .v = of_head + first_token * stride + 2 * width,
                             .stride = stride,
                             .out = out + block.first_row * width + block.head * head_dim,
                             .out_stride = width,
                             .queries = block.queries,
                             .tokens = offsets[block.sequence + 1] - first_token,
                             .head_dim = head_dim});
  };
  ParallelFor(team, blocks.size(), attend, rows, epilogue);
}

template void PackedAttention(ThreadTeam&, const Attention&, const float*,
                              std::span<const uint32_t>, std::span<const TokenRange>, float*,
                              const RowEpilogue&);
template void PackedAttention(ThreadTeam&, const Attention&, const BFloat16*,
                              std::span<const uint32_t>, std::span<const TokenRange>, BFloat16*,
                              const RowEpilogue&);

}  // namespace embedding
#endif  // HWY_ONCE
