// A mixture of feed-forwards, Experts of model/architecture.h, on a device of MLX.
#pragma once

#include <mlx/array.h>

#include <optional>

#include "backends/mlx/arrays.h"
#include "model/architecture.h"
#include "model/tensors.h"

namespace embedding {

struct MlxExperts {
  mlx::core::array router;               // [hidden_size, experts]
  mlx::core::array intermediate;         // [experts, hidden_size, width], the gate's features first
  mlx::core::array output;               // [experts, width, hidden_size]
  std::optional<mlx::core::array> bias;  // [hidden_size]
};

MlxExperts LoadExperts(const LayerTensors& tensors, mlx::core::Dtype dtype);

// Of x, [rows, hidden_size]: what each row's experts make of it. Nothing is computed yet.
mlx::core::array RunExperts(const FeedForward& feed_forward, const MlxExperts& experts,
                            const mlx::core::array& x);

}  // namespace embedding
