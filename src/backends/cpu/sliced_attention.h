// Attention of f32 numbers in slices (slices.h), by a kernel of tiles of bytes: for long sequences,
// of which each token sees all.
#pragma once

#include <cstddef>
#include <optional>

#include "backends/cpu/micro_kernels.h"
#include "backends/cpu/score_bias.h"
#include "model/architecture.h"

namespace embedding {

// From as many tokens on digits gain something: bench/RESULTS.md, "Attention in slices".
inline constexpr size_t kSlicedTokens = 512;

// What multiplies for such attention; nothing where digits gain nothing, or are not for it.
std::optional<MicroKernel> SlicedAttentionKernel(const Attention& attention,
                                                 const ScoreTerms& terms);

// Some queries of one sequence and one head: softmax(scale * q k^T) v. q and out point to the first
// query, k and v to the sequence's first token, rows of head_dim numbers `stride` numbers apart.
struct SlicedAttentionTask {
  void (*multiply)(const SlicedTile&);
  const float* q;
  const float* k;
  const float* v;
  size_t stride;
  size_t queries;
  size_t tokens;  // keys
  size_t head_dim;
  float scale;
  float* out;
  size_t out_stride;
};

// What a query gets depends on its sequence alone. A token whose numbers are not finite makes all
// of the results NaN.
void RunSlicedAttention(const SlicedAttentionTask& task);

}  // namespace embedding
