// What a layer does behind its attention: the product that takes the context, and the feed-forward;
// all of it row by row.
#pragma once

#include <mlx/array.h>

#include <optional>
#include <vector>

#include "backends/mlx/arrays.h"
#include "backends/mlx/mlx_adapters.h"
#include "backends/mlx/mlx_experts.h"
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

// A linear layer and what is added to it of low rank.
struct MlxAdaptedLinear {
  MlxLinear linear;
  std::optional<MlxAdapters> adapters;

  // `rows` are those of x, where any has an adapter.
  mlx::core::array Run(const mlx::core::array& x, const MlxAdaptedRows* rows) const;
};

// Several of the same input as one, their outputs side by side.
MlxAdaptedLinear LoadAdaptedLinears(std::span<const LinearTensors> tensors, mlx::core::Dtype dtype);

// Of LayerInputs.
struct MlxLayerInputs {
  MlxLinear input;
  MlxLinear gate;
  MlxLinear output;
  MlxNorm norm;
  MlxNorm branch_norm;
};

struct MlxFeedForward {
  MlxAdaptedLinear attention_output;
  MlxHalfNorms attention_norms;
  // These two, the first with the gate's features first where it is gated, or experts.
  std::optional<MlxAdaptedLinear> intermediate;
  std::optional<MlxAdaptedLinear> output;
  std::optional<MlxExperts> experts;
  MlxHalfNorms norms;
  std::optional<MlxLayerInputs> inputs;
  std::optional<mlx::core::array> output_scale;  // [1]
};

MlxFeedForward LoadFeedForward(const Layer& layer, const Encoder& encoder,
                               const LayerTensors& tensors, mlx::core::Dtype dtype);

// activation(x), or of gated feed-forwards activation(gate) * x, of the two side by side.
mlx::core::array Activated(const FeedForward& feed_forward, const mlx::core::array& x);

// The hidden states after `layer`, of those before it and the contexts of its attention; `first`
// are those that the first layer was given, where the encoder has LayerInputs.
mlx::core::array RunFeedForward(const Encoder& encoder, const Layer& layer,
                                const MlxFeedForward& weights, const mlx::core::array& x,
                                const mlx::core::array& context, const mlx::core::array& first,
                                const MlxAdaptedRows* adapted);

// The weights' arrays, always in the same order, without adapters; and weights like `these` with
// arrays in that order.
std::vector<mlx::core::array> ArraysOf(const MlxFeedForward& weights);
MlxFeedForward WithArrays(const MlxFeedForward& these, std::span<const mlx::core::array> arrays);

// Whether RunFeedForward computes the same of the same arrays.
bool HaveSameFeedForward(const Layer& a, const Layer& b);

}  // namespace embedding
