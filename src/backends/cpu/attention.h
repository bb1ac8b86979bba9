// Self-attention over packed sequences: softmax(scale * Q K^T + terms) V within each sequence, over
// the keys that each query sees.
#pragma once

#include <cstdint>
#include <span>

#include "backends/cpu/parallel.h"
#include "backends/cpu/score_bias.h"
#include "backends/wanted_tokens.h"
#include "base/half.h"
#include "model/architecture.h"

namespace embedding {

// qkv is [tokens, Attention::qkv_width()], row-major: a token's queries, [heads, head_dim], keys
// and values, [kv_heads, head_dim] each. offsets is [sequences + 1], from 0 to tokens. `queries`,
// [sequences], says which tokens of each sequence ask, all if it is empty. out is [rows, heads,
// head_dim]: the rows of those that ask, sequence by sequence; `epilogue` is given them, whole.
// Each thread of the team needs a fixed amount of memory, whatever the length: no [n, n] matrix
// exists. T is float or BFloat16; scores, softmax and sums are f32 for both.
template <typename T>
void PackedAttention(ThreadTeam& team, const Attention& attention, const ScoreTerms& terms,
                     const T* qkv, std::span<const uint32_t> offsets,
                     std::span<const TokenRange> queries, T* out, const RowEpilogue& epilogue = {});

extern template void PackedAttention(ThreadTeam&, const Attention&, const ScoreTerms&, const float*,
                                     std::span<const uint32_t>, std::span<const TokenRange>, float*,
                                     const RowEpilogue&);
extern template void PackedAttention(ThreadTeam&, const Attention&, const ScoreTerms&,
                                     const BFloat16*, std::span<const uint32_t>,
                                     std::span<const TokenRange>, BFloat16*, const RowEpilogue&);

}  // namespace embedding
