// LayerNorm over rows, alone or after adding a residual. Runs on the calling thread's OpenMP team.
#pragma once

#include <cstddef>
#include <span>

#include "base/half.h"

namespace embedding {

struct LayerNormWeights {
  std::span<const float> gamma;  // [hidden_size]
  std::span<const float> beta;   // [hidden_size]
  float eps = 0;
};

// x = LayerNorm(x + residual), in place; x and residual are [rows, hidden_size], row-major.
// With residual == nullptr, x = LayerNorm(x). With rounded != nullptr the result is also written
// there, rounded to bf16, [rows, hidden_size]. The variance is the biased one, as in torch.
void AddLayerNorm(float* x, const float* residual, size_t rows, const LayerNormWeights& weights,
                  BFloat16* rounded = nullptr);

}  // namespace embedding
