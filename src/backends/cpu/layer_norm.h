// LayerNorm, alone or after adding a residual.
#pragma once

#include <span>

namespace embedding {

struct LayerNormWeights {
  std::span<const float> gamma;  // [hidden_size]
  std::span<const float> beta;   // [hidden_size]
  float eps = 0;
};

// x = LayerNorm(x + residual), in place, of one row: both are [hidden_size]. With residual ==
// nullptr, x = LayerNorm(x). The variance is the biased one, as in torch.
void AddLayerNorm(float* x, const float* residual, const LayerNormWeights& weights);

}  // namespace embedding
