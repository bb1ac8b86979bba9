// The branch that Convolution of model/architecture.h adds beside the first layer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "backends/cpu/input_matrix.h"
#include "backends/cpu/linear.h"
#include "base/aligned_buffer.h"
#include "base/thread_team.h"
#include "model/architecture.h"

namespace embedding {

// Not thread-safe.
class ConvolutionBranch {
 public:
  // `weight`: LinearTypes::weight of the product.
  ConvolutionBranch(const Convolution& convolution, size_t hidden_size, DType weight)
      : convolution_(convolution), hidden_size_(hidden_size), neighbours_(weight) {}

  // The branch of all tokens, `chunk` at a time: x is what the first layer is given, [tokens,
  // hidden_size], and `linear` EncoderWeights::convolution. Throws std::bad_alloc.
  void Run(Linear& linear, std::span<const uint32_t> offsets, const float* x, size_t chunk,
           ThreadTeam& team);
  // Rows [from, from + count) become those from `to` on, which is not larger.
  void Move(size_t from, size_t to, size_t count);
  // From row `first` on, [rows, hidden_size].
  const float* Rows(size_t first) const { return branch_.data() + first * hidden_size_; }

 private:
  Convolution convolution_;
  size_t hidden_size_;
  std::vector<int32_t> rows_;    // [tokens, kernel], -1 beyond a sequence's ends
  InputMatrix neighbours_;       // [chunk, kernel * hidden_size]
  AlignedBuffer<float> branch_;  // [tokens, hidden_size]
};

}  // namespace embedding
