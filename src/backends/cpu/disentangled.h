// Disentangled attention (Disentangled of model/architecture.h): scores of queries and keys with
// relative positions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "backends/cpu/linear.h"
#include "backends/cpu/score_bias.h"
#include "base/aligned_buffer.h"
#include "base/thread_team.h"
#include "model/architecture.h"

namespace embedding {

// A layer's keys and queries of the relative positions, by head: products head_dim -> positions, of
// what its content's queries and keys are multiplied with.
struct RelativePositions {
  std::vector<std::unique_ptr<Linear>> keys;     // empty without content_to_position
  std::vector<std::unique_ptr<Linear>> queries;  // empty without position_to_content
};

// Of one layer's `keys` or `queries`: numbers [2 * span, heads * head_dim], in f32, for inputs of
// `between`, kF32 or kBF16.
std::vector<std::unique_ptr<Linear>> PackPositions(ThreadTeam& team, const Attention& attention,
                                                   DType between, std::span<const float> numbers);

// Not thread-safe.
class DisentangledScores {
 public:
  explicit DisentangledScores(const Disentangled& disentangled) : disentangled_(disentangled) {}

  // For sequences of up to `tokens` tokens, at least.
  void Reserve(size_t tokens);

  // Of all tokens of a batch; qkv is [tokens, Attention::qkv_width()] of `between`. Valid until the
  // next call.
  PositionScores Compute(const RelativePositions& positions, const Attention& attention,
                         const void* qkv, DType between, size_t tokens);

 private:
  Disentangled disentangled_;
  std::vector<uint32_t> places_;  // [2 * reach + 1]
  AlignedBuffer<float> of_queries_;
  AlignedBuffer<float> of_keys_;
};

}  // namespace embedding
