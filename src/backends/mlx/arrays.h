// What the encoder and the heads are made of, as arrays of MLX. Weights are on the device when the
// functions that load them return, and what they were made of is gone: what fails, fails then.
//
// MLX reports errors by exceptions; MlxSession and MlxBackend catch them.
#pragma once

#include <mlx/array.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "model/architecture.h"
#include "model/tensors.h"

namespace embedding {

// A tensor's numbers in `dtype`. The array has a copy.
mlx::core::array ToArray(const TensorView& tensor, mlx::core::Dtype dtype);

// Indices for mlx::core::take.
mlx::core::array ToArray(std::span<const int32_t> indices, const mlx::core::Shape& shape);

// x W^T + b.
struct MlxLinear {
  mlx::core::array weight;  // [in_features, out_features]
  mlx::core::array bias;    // [out_features]; zeros where there is none

  mlx::core::array operator()(const mlx::core::array& x) const;
};

MlxLinear LoadLinear(const LinearTensors& tensors, mlx::core::Dtype dtype);
// Several of the same input as one, their outputs side by side.
MlxLinear LoadLinears(std::span<const LinearTensors> tensors, mlx::core::Dtype dtype);

// LayerNorm, or RMSNorm.
struct MlxNorm {
  NormKind kind = NormKind::kLayer;
  float eps = 0;
  std::optional<mlx::core::array> weight;  // none where it is not weighted
  std::optional<mlx::core::array> bias;

  mlx::core::array operator()(const mlx::core::array& x) const;
};

MlxNorm LoadNorm(const NormTensors& tensors, const Norm& norm, mlx::core::Dtype dtype);
// None where there is no norm.
std::optional<MlxNorm> LoadNorm(const std::optional<NormTensors>& tensors,
                                const std::optional<Norm>& norm, mlx::core::Dtype dtype);

mlx::core::array Activate(Activation activation, const mlx::core::array& x);

// The rows of x that the indices name: [indices..., x's other dimensions].
mlx::core::array TakeRows(const mlx::core::array& x, const mlx::core::array& indices);

}  // namespace embedding
