// LayerNorm, alone or after adding a residual.
#pragma once

#include <span>

#include "base/aligned_buffer.h"
#include "model/tensors.h"

namespace embedding {

struct LayerNormWeights {
  std::span<const float> gamma;  // [hidden_size]
  std::span<const float> beta;   // [hidden_size]
  float eps = 0;
};

// Parameters that are owned, and f32.
class LayerNormParameters {
 public:
  LayerNormParameters(const NormTensors& tensors, const Norm& norm);

  LayerNormWeights view() const { return {gamma_.span(), beta_.span(), eps_}; }

 private:
  AlignedBuffer<float> gamma_;
  AlignedBuffer<float> beta_;
  float eps_;
};

// x = LayerNorm(x + residual), in place, of one row: both are [hidden_size]. With residual ==
// nullptr, x = LayerNorm(x). The variance is the biased one, as in torch.
void AddLayerNorm(float* x, const float* residual, const LayerNormWeights& weights);

}  // namespace embedding
