// A mixture of feed-forwards (Experts of model/architecture.h): each token goes through those that
// the router chooses for it.
#pragma once

#include <cstddef>
#include <span>

#include "backends/cpu/encoder_weights.h"
#include "backends/cpu/input_matrix.h"
#include "base/aligned_buffer.h"

namespace embedding {

// Not thread-safe.
class Mixture {
 public:
  explicit Mixture(EncoderTypes types);

  // out = the sum of the chosen experts' outputs, weighted, and the bias; x and out are [rows,
  // hidden_size], 1 row or more. A row's result does not depend on the others.
  void Run(const FeedForward& feed_forward, const LayerWeights& weights, std::span<const float> x,
           size_t hidden_size, std::span<float> out);

 private:
  AlignedBuffer<float> logits_;  // [rows, experts]
  InputMatrix input_;            // an expert's rows
  Handover intermediate_;
  AlignedBuffer<float> output_;
};

}  // namespace embedding
