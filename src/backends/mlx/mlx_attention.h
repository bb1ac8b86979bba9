// Attention on a device of MLX, over buckets of sequences of like length.
#pragma once

#include <mlx/array.h>

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "backends/mlx/arrays.h"
#include "backends/mlx/buckets.h"
#include "backends/mlx/mlx_head_preparation.h"
#include "model/architecture.h"
#include "model/tensors.h"

namespace embedding {

// The buckets of a batch, and for layers of each kind the masks upon their scores.
class MlxAttention {
 public:
  // Where attention has no fused kernel, its scores take at most `score_bytes` at a time, or what
  // one query's do; those of disentangled attention as much, or what one sequence's do.
  MlxAttention(const Encoder& encoder, const EncoderTensors& tensors, mlx::core::Dtype dtype,
               size_t score_bytes);

  // Of the batch that is to be computed.
  void Prepare(const Buckets& buckets);

  // Of packed qkv, [rows, Attention::qkv_width()]: the contexts of the buckets' tokens, one bucket
  // after the other, [tokens, width].
  mlx::core::array Attend(const Attention& attention, const MlxHeadPreparation& preparation,
                          const mlx::core::array& qkv);

 private:
  using Array = mlx::core::array;
  // What a layer's attention is masked by.
  using Kind = std::pair<bool, std::optional<size_t>>;  // Attention::causal, Attention::window
  struct Tokens {
    Array rows;                     // [sequences, length], of the packed rows
    std::optional<Array> is_token;  // [sequences, 1, 1, length], where some are none
    std::vector<std::pair<Kind, std::optional<Array>>> masks;
    std::optional<Array> places;  // what MakePlaces gives for them, made for the first layer
  };

  // What fast::scaled_dot_product_attention takes; none where every token sees every other. Kept
  // for the layers that follow.
  const std::optional<Array>& MaskOf(const Attention& attention, Tokens& tokens) const;
  std::optional<Array> MakeMask(const Attention& attention, const Tokens& tokens) const;
  Array AttendBucket(const Attention& attention, const MlxHeadPreparation& preparation,
                     const Array& packed, Tokens& tokens) const;

  // Of disentangled attention: the position of each pair's distance, [queries, keys]; and what is
  // added to the scores of q and k, which have no fewer heads.
  Array MakePlaces(int length) const;
  Array PositionScores(const Attention& attention, const MlxHeadPreparation& preparation,
                       const Array& q, const Array& k, const Array& by_query) const;
  Array AttendDisentangled(const Attention& attention, const MlxHeadPreparation& preparation,
                           const Array& q, const Array& k, const Array& v, const Array& by_query,
                           const std::optional<Array>& mask) const;

  const std::optional<RelativeBias> bias_;
  const std::optional<Disentangled> disentangled_;
  const std::optional<Array> relative_bias_;
  const mlx::core::Dtype dtype_;
  const size_t score_bytes_;
  std::vector<Tokens> buckets_;
};

}  // namespace embedding
