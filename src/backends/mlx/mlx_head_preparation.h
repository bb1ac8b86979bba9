// What a layer does to the numbers of its heads before attention, on a device of MLX.
#pragma once

#include <mlx/array.h>

#include <optional>

#include "backends/mlx/arrays.h"
#include "model/architecture.h"
#include "model/tensors.h"

namespace embedding {

struct MlxHeadPreparation {
  std::optional<MlxNorm> query_norm;
  std::optional<MlxNorm> key_norm;
  std::optional<MlxNorm> value_norm;
  std::optional<mlx::core::array> rope_periods;  // [frequencies], 1 / frequency
  // [head_dim], what the numbers are multiplied with; where Rope::factor is not 1.
  std::optional<mlx::core::array> rope_factors;
  // Of Disentangled: keys and queries of the relative positions, [heads, head_dim, positions].
  std::optional<mlx::core::array> position_keys;
  std::optional<mlx::core::array> position_queries;
};

MlxHeadPreparation LoadHeadPreparation(const Attention& attention, const Encoder& encoder,
                                       const EncoderTensors& tensors, const LayerTensors& of_layer,
                                       mlx::core::Dtype dtype);

// Heads of queries or keys, [sequences, heads, length, head_dim], with their norm and their
// positions.
mlx::core::array Prepared(const mlx::core::array& heads, const std::optional<MlxNorm>& norm,
                          const Attention& attention, const MlxHeadPreparation& preparation);

}  // namespace embedding
