// What a layer does with each token by itself, after attention: a function of arrays alone, for MLX
// to compile.
#pragma once

#include <mlx/array.h>

#include <optional>
#include <vector>

#include "backends/mlx/arrays.h"
#include "model/architecture.h"
#include "model/tensors.h"

namespace embedding {

struct MlxHalfNorms {
  std::optional<MlxNorm> input;
  std::optional<MlxNorm> branch;
  std::optional<MlxNorm> output;
};

MlxHalfNorms LoadNorms(const HalfNormTensors& tensors, const HalfNorms& norms,
                       mlx::core::Dtype dtype);

struct MlxFeedForward {
  MlxLinear attention_output;
  MlxHalfNorms attention_norms;
  MlxLinear intermediate;  // the gate's features first, where it is gated
  MlxLinear output;
  MlxHalfNorms norms;
};

MlxFeedForward LoadFeedForward(const Layer& layer, const LayerTensors& tensors,
                               mlx::core::Dtype dtype);

// {x, context} and the weights, in the order in which RunFeedForward reads them.
std::vector<mlx::core::array> InputsOf(const mlx::core::array& x, const mlx::core::array& context,
                                       const MlxFeedForward& weights);

// The hidden states after `layer`, of what InputsOf gives.
std::vector<mlx::core::array> RunFeedForward(const Layer& layer,
                                             const std::vector<mlx::core::array>& inputs);

// Whether RunFeedForward computes the same of the same inputs.
bool HaveSameFeedForward(const Layer& a, const Layer& b);

}  // namespace embedding
