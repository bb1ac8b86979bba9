// MlxHeads: what a model's heads make of the last hidden states, on a device of MLX. Only what was
// asked for comes to the host's memory.
#pragma once

#include <mlx/array.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "backends/backend.h"
#include "backends/mlx/arrays.h"
#include "backends/mlx/mlx_vector_head.h"
#include "model/heads.h"
#include "model/tensors.h"

namespace embedding {

// The rows [begins[s], begins[s + 1]) are those of sequence s.
struct MlxHiddenStates {
  mlx::core::array rows;  // [rows or more, hidden_size]
  std::span<const uint32_t> begins;

  size_t begin(size_t s) const { return begins[s]; }
  size_t size(size_t s) const { return begins[s + 1] - begins[s]; }
};

class MlxHeads {
 public:
  // Heads compute in f32, whatever the encoder does: they are few, and what is returned is f32.
  MlxHeads(const Heads& heads, const HeadTensors& tensors);

  // Sets what the heads give of `outputs`; the views are valid until the next call.
  void Run(const Batch& batch, const MlxHiddenStates& hidden, BatchOutputs& outputs);

 private:
  using Array = mlx::core::array;
  // What is computed, and who wants it: the array is there when all have been evaluated together.
  struct Pending {
    Array array;
    std::function<void(std::span<const float> numbers)> receive;
  };

  void MakeVectors(const MlxVectorHead& head, const Batch& batch, const MlxHiddenStates& hidden,
                   BatchOutputs& outputs);
  void WeighTokens(const Batch& batch, const MlxHiddenStates& hidden, BatchOutputs& outputs);
  void MakeTokenVectors(const Batch& batch, const MlxHiddenStates& hidden, BatchOutputs& outputs);
  void WeighVocabulary(const Batch& batch, const MlxHiddenStates& hidden, BatchOutputs& outputs);

  const Heads heads_;
  std::deque<MlxVectorHead> vector_heads_;
  std::optional<MlxLinear> token_weights_;
  std::optional<MlxLinear> token_vectors_;
  std::optional<MlxLinear> splade_transform_;
  std::optional<MlxNorm> splade_norm_;
  std::optional<MlxLinear> splade_decoder_;

  std::vector<Pending> pending_;
  std::vector<Array> results_;  // what the last batch's views look into
};

}  // namespace embedding
