// LayerNorm and RMSNorm of a row, alone or after adding a residual.
#pragma once

#include <cstddef>
#include <span>

#include "base/aligned_buffer.h"
#include "model/tensors.h"

namespace embedding {

// Parameters that are owned, and f32; `weight` is 1 + the tensor's where the norm says so.
class NormParameters {
 public:
  NormParameters(const NormTensors& tensors, const Norm& norm);
  // Of a norm that is not weighted: the weight is 1.
  NormParameters(size_t size, const Norm& norm);

  NormKind kind() const { return kind_; }
  float eps() const { return eps_; }
  std::span<const float> weight() const { return weight_.span(); }  // [size]
  std::span<const float> bias() const { return bias_.span(); }      // [size], of kLayer; else empty

 private:
  NormKind kind_;
  float eps_;
  AlignedBuffer<float> weight_;
  AlignedBuffer<float> bias_;
};

// out = norm(x) of one row, both [size]; they may be the same.
void Normalize(const NormParameters& norm, const float* x, float* out);

// x = norm(x + residual), in place, of one row: both are [size].
void AddNormalize(const NormParameters& norm, float* x, const float* residual);

// x += y, both [size].
void AddRow(size_t size, float* x, const float* y);

}  // namespace embedding
