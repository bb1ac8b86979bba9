// Attention with an online softmax, tiled so that the keys and values of a tile stay in the L2
// cache.
//
// A task is some queries of one sequence, of one head or of those that share their keys and values:
// up to kQueryBlock rows, [queries, heads]. It walks over the sequence's keys in blocks of
// kKeyBlock. For each block it packs the keys and the values, from rows that lie qkv_width apart,
// in panels as those of a weight (panel_product.h): a panel of keys has one component of many keys
// in a row, one of values many components of one key. Then, for a group of rows at a time and the
// panels of keys that any of them sees, by the kernels of micro_kernels.h:
//   1. scores[rows, keys] = queries * keys^T, and other terms; -infinity where a row does not see a
//   key;
//   2. the online softmax: with m the largest score so far and l the sum of exp(score - m), a block
//      that raises m to m' scales l and the output row by exp(m - m') first
//      (Milakov & Gimelshein 2018, "Online normalizer calculation for softmax");
//   3. output[rows, head_dim] += probabilities * values.
// At the end each row is divided by its l and stored.
//
// Kernels of tiles take words in units of several: what rows have less is 0.
//
// Packing costs 2 * keys * head_dim moves a task, which wait for memory, against 4 * queries * keys
// * head_dim operations: some 2 % at 1,024 queries. What the last vector of keys has beyond the
// last is given a score of -infinity; head_dim is padded to whole panels. A result depends on its
// own sequence alone: which keys a group passes over makes no difference to a row that does not see
// them.

#include "backends/cpu/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "backends/cpu/micro_kernels.h"
#include "backends/cpu/parallel.h"
#include "backends/cpu/sliced_attention.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/attention.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

#include "backends/cpu/attention_kernels-inl.h"
#include "backends/cpu/attention_layouts-inl.h"
#include "hwy/highway.h"

#ifndef EMBEDDING_ATTENTION_TYPES
#define EMBEDDING_ATTENTION_TYPES
namespace embedding {

struct KeyRange {
  size_t begin;
  size_t end;
};

// Some queries of one sequence, of `heads` heads with the same keys. q and out point to the first
// query, k and v to the sequence's first token, at the first of these heads.
template <typename T>
struct AttentionTask {
  const MicroKernel* kernel;
  const Attention* attention;
  const T* q;
  const T* k;
  const T* v;
  size_t stride;  // numbers from token to token of q, k and v
  T* out;
  size_t out_stride;
  size_t queries;
  size_t first_query;  // of the sequence's tokens
  size_t tokens;       // keys
  size_t first_head;
  size_t heads;
  ScoreTerms terms;
  size_t first_token;  // of the batch's tokens, the sequence's first

  size_t rows() const { return queries * heads; }
  // Of the sequence's tokens, that of a row.
  size_t position(size_t row) const { return first_query + row / heads; }
  // The keys that a row sees.
  KeyRange seen(size_t row) const {
    const size_t at = position(row);
    const size_t window = attention->window.value_or(tokens);
    return {at > window ? at - window : 0,
            std::min(tokens, attention->causal ? at + 1 : at + window + 1)};
  }
};

}  // namespace embedding
#endif

HWY_BEFORE_NAMESPACE();
namespace embedding {
namespace HWY_NAMESPACE {

// What a group of rows does with a block of keys: their scores' panels in `scores`, `tile` numbers
// from panel to panel; of those keys, counted from the block's first, the group passes over [begin,
// end), begin being that of a panel.
struct ScorePanels {
  float* scores;
  size_t width;
  size_t tile;

  float* at(size_t row, size_t key) const {
    return scores + key / width * tile + row * width + key % width;
  }
  void Fill(size_t row, size_t begin, size_t end, float score) const {
    for (size_t key = begin; key < end; ++key) *at(row, key) = score;
  }
  // Adds factor * numbers[i] to the score of key begin + i, up to `end`.
  void Add(size_t row, size_t begin, size_t end, float factor, const float* numbers) const {
    const D d;
    for (size_t first = begin; first < end; first += width) {
      float* piece = at(row, first);
      const size_t size = HWY_MIN(width, end - first);
      const auto scale = hn::Set(d, factor);
      size_t i = 0;
      for (; i + hn::Lanes(d) <= size; i += hn::Lanes(d)) {
        const auto bias = hn::LoadU(d, numbers + (first - begin) + i);
        hn::Store(hn::MulAdd(bias, scale, hn::Load(d, piece + i)), d, piece + i);
      }
      for (; i < size; ++i) piece[i] += factor * numbers[first - begin + i];
    }
  }
};

// Rows are `depth` words apart.
template <typename Layout, typename T>
void PackQueries(const AttentionTask<T>& task, size_t head_dim, size_t depth,
                 typename Layout::Word* out) {
  if (depth != Layout::Words(head_dim)) {
    std::fill_n(out, task.rows() * depth, typename Layout::Word{0});
  }
  if (task.heads == 1) {
    Layout::PackQueries(task.q, task.queries, task.stride, head_dim, depth, out);
    return;
  }
  for (size_t i = 0; i < task.queries; ++i) {
    Layout::PackQueries(task.q + i * task.stride, task.heads, head_dim, head_dim, depth,
                        out + i * task.heads * depth);
  }
}

template <typename Layout, typename T>
void RunTask(const AttentionTask<T>& task) {
  using Word = typename Layout::Word;
  const MicroKernel& kernel = *task.kernel;
  const size_t width = kernel.width;
  const size_t head_dim = task.attention->head_dim;
  const size_t depth = RoundUp(Layout::Words(head_dim), kernel.depth_unit);
  const size_t key_words = Layout::Words(kKeyBlock);
  const size_t padded_dim = RoundUp(head_dim, width);
  // A row more than there are, or a row's pieces would lie a power of two apart, which is in few
  // sets of the L1 cache.
  const size_t tile = (kernel.rows + 1) * width;
  // Keys whose probabilities are written: of whole vectors, and of whole units of words.
  const size_t key_unit = HWY_MAX(hn::Lanes(D()), kernel.depth_unit * kernel.group);
  const float scale = task.attention->scale;
  const float factor = 1.44269504F * scale;  // 2^(x log2(e)) = e^x
  constexpr float kUnseen = -std::numeric_limits<float>::infinity();

  thread_local Scratch<Word> scratch;
  scratch.queries.Resize(kQueryBlock * depth);
  scratch.keys.Resize(kKeyBlock * depth);
  scratch.values.Resize(key_words * padded_dim);
  scratch.scores.Resize(kKeyBlock * (kernel.rows + 1));
  scratch.probabilities.Resize(kKeyBlock * kernel.rows);
  scratch.pairs.Resize(key_words * kernel.rows);
  scratch.output.Resize(RoundUp(kQueryBlock, kernel.rows) * padded_dim);
  const ScorePanels panels = {scratch.scores.data(), width, tile};

  const auto multiply = [&](const Word* left, size_t left_words, size_t rows, size_t words,
                            const Word* right, float* sums, bool accumulate) {
    kernel.multiply({.left = reinterpret_cast<const uint8_t*>(left),
                     .left_stride = left_words * sizeof(Word),
                     .rows = rows,
                     .depth = words,
                     .right = reinterpret_cast<const uint8_t*>(right),
                     .sums = reinterpret_cast<uint8_t*>(sums),
                     .accumulate = accumulate,
                     .left_block = kTileRows * left_words * sizeof(Word)});
  };

  PackQueries<Layout>(task, head_dim, depth, scratch.queries.data());
  std::fill_n(scratch.max, task.rows(), kUnseen);
  std::fill_n(scratch.sum, task.rows(), 0.0F);

  const size_t last_key = task.seen(task.rows() - 1).end;
  for (size_t first_key = task.seen(0).begin / kKeyBlock * kKeyBlock; first_key < last_key;
       first_key += kKeyBlock) {
    const size_t keys = std::min(kKeyBlock, last_key - first_key);
    // Of a row's keys those of this block, counted from its first.
    const auto in_block = [&](KeyRange seen) {
      return KeyRange{std::clamp(seen.begin, first_key, first_key + keys) - first_key,
                      std::clamp(seen.end, first_key, first_key + keys) - first_key};
    };
    if (depth != Layout::Words(head_dim)) {
      std::fill_n(scratch.keys.data(), RoundUp(keys, width) * depth, Word{0});
    }
    Layout::PackKeys(task.k + first_key * task.stride, keys, task.stride, head_dim, depth, width,
                     scratch);
    const size_t whole_words = RoundUp(Layout::Words(keys), kernel.depth_unit);
    for (size_t i = 0; i < head_dim; i += width) {
      Word* const values = scratch.values.data() + i * key_words;
      std::fill(values + Layout::Words(keys) * width, values + whole_words * width, Word{0});
      Layout::PackValues(task.v + first_key * task.stride + i, keys, task.stride,
                         std::min(width, head_dim - i), width, values);
    }

    for (size_t first_row = 0; first_row < task.rows(); first_row += kernel.rows) {
      const size_t rows = std::min(kernel.rows, task.rows() - first_row);
      const KeyRange of_group = {task.seen(first_row).begin, task.seen(first_row + rows - 1).end};
      const KeyRange met = in_block(of_group);
      if (met.begin == met.end) continue;
      const bool is_first = of_group.begin >= first_key;  // block of the group
      const size_t begin = met.begin / width * width;
      const size_t padded_end = RoundUp(met.end, key_unit);
      for (size_t k = begin; k < met.end; k += width) {
        multiply(scratch.queries.data() + first_row * depth, depth, rows, depth,
                 scratch.keys.data() + k * depth, panels.at(0, k), /*accumulate=*/false);
      }
      float* output = scratch.output.data() + first_row * padded_dim;
      for (size_t r = 0; r < rows; ++r) {
        const size_t row = first_row + r;
        const KeyRange seen = in_block(task.seen(row));
        float* const probabilities = Layout::ProbabilitiesOf(r, scratch);
        if (seen.begin == seen.end) {
          std::fill(probabilities + begin, probabilities + padded_end, 0.0F);
          Layout::PackProbabilities(kernel, r, begin, padded_end, scratch);
          continue;
        }
        const size_t head = task.first_head + row % task.heads;
        if (!task.terms.positions.empty()) {
          const size_t query = task.first_token + task.position(row);
          for (size_t k = begin; k < met.end; ++k) {
            *panels.at(r, k) +=
                task.terms.positions.of(head, query, task.first_token + first_key + k);
          }
        }
        if (!task.terms.bias.empty()) {
          const auto distance = static_cast<ptrdiff_t>(first_key + begin) -
                                static_cast<ptrdiff_t>(task.position(row));
          panels.Add(r, begin, met.end, 1 / scale, task.terms.bias.of(head, distance));
        }
        panels.Fill(r, begin, seen.begin, kUnseen);
        panels.Fill(r, seen.end, padded_end, kUnseen);
        const float rescale =
            OnlineSoftmax(Layout::kCoefficients, panels.at(r, begin), padded_end - begin, width,
                          tile, factor, scratch.max[row], scratch.sum[row], probabilities + begin);
        // At once, while they are in the L1 cache.
        Layout::PackProbabilities(kernel, r, begin, padded_end, scratch);
        for (size_t i = 0; !is_first && rescale != 1.0F && i < padded_dim; i += width) {
          ScaleRow(output + i * kernel.rows + r * width, width, rescale);
        }
      }
      const Word* const probabilities = Layout::Packed(scratch);
      const size_t first_word = Layout::Words(begin);
      const size_t end_word = RoundUp(Layout::Words(met.end), kernel.depth_unit);
      for (size_t i = 0; i < padded_dim; i += width) {
        multiply(probabilities + first_word, key_words, rows, end_word - first_word,
                 scratch.values.data() + i * key_words + first_word * width,
                 output + i * kernel.rows, /*accumulate=*/!is_first);
      }
    }
  }

  for (size_t r = 0; r < task.rows(); ++r) {
    const size_t row = r % kernel.rows;  // of its group
    const float* output = scratch.output.data() + (r - row) * padded_dim + row * width;
    T* out = task.out + r / task.heads * task.out_stride + r % task.heads * head_dim;
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

// By which long sequences are taken.
std::optional<MicroKernel> SlicesKernelFor(const float*, const Attention& attention,
                                           const ScoreTerms& terms) {
  return SlicedAttentionKernel(attention, terms);
}
std::optional<MicroKernel> SlicesKernelFor(const BFloat16*, const Attention&, const ScoreTerms&) {
  return std::nullopt;
}

void RunSliced(const MicroKernel& kernel, const AttentionTask<float>& task) {
  const size_t head_dim = task.attention->head_dim;
  for (size_t head = 0; head < task.heads; ++head) {
    RunSlicedAttention({.multiply = kernel.multiply_sliced,
                        .q = task.q + head * head_dim,
                        .k = task.k,
                        .v = task.v,
                        .stride = task.stride,
                        .queries = task.queries,
                        .tokens = task.tokens,
                        .head_dim = head_dim,
                        .scale = task.attention->scale,
                        .out = task.out + head * head_dim,
                        .out_stride = task.out_stride});
  }
}
void RunSliced(const MicroKernel&, const AttentionTask<BFloat16>&) {}  // there is no kernel for it

void RunTask(const AttentionTask<float>& task) { HWY_DYNAMIC_DISPATCH(RunF32Task)(task); }
void RunTask(const AttentionTask<BFloat16>& task) { HWY_DYNAMIC_DISPATCH(RunBf16Task)(task); }

}  // namespace

template <typename T>
void PackedAttention(ThreadTeam& team, const Attention& attention, const ScoreTerms& terms,
                     const T* qkv, std::span<const uint32_t> offsets,
                     std::span<const TokenRange> queries, T* out, const RowEpilogue& epilogue) {
  const size_t head_dim = attention.head_dim;
  const size_t width = attention.width();
  const MicroKernel kernel = KernelFor(qkv, head_dim);
  const std::optional<MicroKernel> slices = SlicesKernelFor(qkv, attention, terms);
  const size_t sharing = attention.heads / attention.kv_heads;  // heads with the same keys
  // Together they pack those once; where there are too few tasks for the threads, each packs them.
  const size_t together =
      sharing <= kQueryBlock && attention.kv_heads * (offsets.size() - 1) >= team.size() ? sharing
                                                                                         : 1;
  const size_t block_queries = kQueryBlock / together;
  struct QueryBlock {
    size_t sequence, head;
    size_t first_query;  // of the sequence's tokens
    size_t queries;
    size_t first_row;  // of `out`
  };
  // Blocks that meet the same keys and values follow one another, which keeps those in the caches.
  std::vector<QueryBlock> blocks;
  size_t rows = 0;  // of `out`
  for (size_t s = 0; s + 1 < offsets.size(); ++s) {
    const uint32_t tokens = offsets[s + 1] - offsets[s];
    const TokenRange asking = queries.empty() ? TokenRange{0, tokens} : queries[s];
    for (size_t head = 0; head < attention.heads; head += together) {
      for (size_t q = 0; q < asking.size(); q += block_queries) {
        blocks.push_back({s, head, asking.begin + q,
                          std::min<size_t>(block_queries, asking.size() - q), rows + q});
      }
    }
    rows += asking.size();
  }
  const size_t stride = attention.qkv_width();
  const auto attend = [&](size_t i) {
    const QueryBlock& block = blocks[i];
    const size_t first_token = offsets[block.sequence];
    const T* const sequence = qkv + first_token * stride;
    const T* const keys = sequence + width + block.head / sharing * head_dim;
    const AttentionTask<T> task{.kernel = &kernel,
                                .attention = &attention,
                                .q = sequence + block.first_query * stride + block.head * head_dim,
                                .k = keys,
                                .v = keys + attention.kv_width(),
                                .stride = stride,
                                .out = out + block.first_row * width + block.head * head_dim,
                                .out_stride = width,
                                .queries = block.queries,
                                .first_query = block.first_query,
                                .tokens = offsets[block.sequence + 1] - first_token,
                                .first_head = block.head,
                                .heads = together,
                                .terms = terms,
                                .first_token = first_token};
    // By its length alone, so that a text's numbers do not depend on what is asked of it.
    const bool in_slices = slices && task.tokens >= kSlicedTokens;
    if (in_slices) {
      RunSliced(*slices, task);
    } else {
      RunTask(task);
    }
    const auto release = in_slices ? slices->release : kernel.release;
    if (release != nullptr) release();
  };
  ParallelFor(team, blocks.size(), attend, rows, epilogue);
}

template void PackedAttention(ThreadTeam&, const Attention&, const ScoreTerms&, const float*,
                              std::span<const uint32_t>, std::span<const TokenRange>, float*,
                              const RowEpilogue&);
template void PackedAttention(ThreadTeam&, const Attention&, const ScoreTerms&, const BFloat16*,
                              std::span<const uint32_t>, std::span<const TokenRange>, BFloat16*,
                              const RowEpilogue&);

}  // namespace embedding
#endif  // HWY_ONCE
