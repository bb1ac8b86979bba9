// Self-attention over packed sequences: softmax(Q K^T / sqrt(head_dim)) V within each sequence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "backends/cpu/parallel.h"
#include "base/half.h"

namespace embedding {

// qkv is [tokens, 3, heads, head_dim], row-major: a token's queries, keys and values. offsets is
// [sequences + 1], from 0 to tokens. out is [rows, heads, head_dim]: of each sequence in turn, its
// first `max_queries` tokens' rows, or all; `finish` is given them, whole. Runs on the calling
// thread's OpenMP team; each thread needs a fixed amount of memory, whatever the length: no [n, n]
// matrix exists.
// T is float or BFloat16; scores, softmax and sums are f32 for both.
template <typename T>
void PackedAttention(ThreadTeam& team, const T* qkv, std::span<const uint32_t> offsets,
                     size_t heads, size_t head_dim, size_t max_queries, T* out,
                     const FinishRows& finish = {});

extern template void PackedAttention(ThreadTeam&, const float*, std::span<const uint32_t>, size_t,
                                     size_t, size_t, float*, const FinishRows&);
extern template void PackedAttention(ThreadTeam&, const BFloat16*, std::span<const uint32_t>,
                                     size_t, size_t, size_t, BFloat16*, const FinishRows&);

}  // namespace embedding
