// A head's y = activation(x W^T + b), in f32 whatever the encoder multiplies.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "backends/cpu/linear.h"
#include "base/aligned_buffer.h"
#include "base/thread_team.h"
#include "model/tensors.h"

namespace embedding {

// Not thread-safe.
class DenseLayer {
 public:
  // Copies the tensors. The team must outlive the layer.
  DenseLayer(const LinearTensors& tensors, Activation activation, ThreadTeam& team);

  // input is [rows, in_features] with any number of rows; the result, [rows, out_features], is
  // valid until the next call.
  std::span<float> Run(std::span<const float> input);

  size_t out_features() const { return out_features_; }

 private:
  size_t in_features_;
  size_t out_features_;
  std::unique_ptr<Linear> linear_;
  AlignedBuffer<float> output_;
};

}  // namespace embedding
