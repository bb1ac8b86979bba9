// The branch that LayerInputs of model/architecture.h adds to each layer.
#pragma once

#include <cstddef>
#include <memory>

#include "backends/cpu/input_matrix.h"
#include "backends/cpu/linear.h"
#include "backends/cpu/norms.h"
#include "base/aligned_buffer.h"
#include "model/architecture.h"

namespace embedding {

struct LayerInputWeights {
  std::unique_ptr<Linear> input;   // hidden_size -> LayerInputs::size, as f32
  std::unique_ptr<Linear> gate;    // the same, activated
  std::unique_ptr<Linear> output;  // LayerInputs::size -> hidden_size, as f32
  NormParameters norm;             // of LayerInputs::size
};

// Not thread-safe.
class LayerInputBranch {
 public:
  // `weight`: LinearTypes::weight of the products.
  LayerInputBranch(const LayerInputs& inputs, size_t hidden_size, DType weight)
      : inputs_(inputs), hidden_size_(hidden_size), first_rows_(weight), gated_(weight) {}

  // Of so many tokens, in chunks of so many at most.
  void Reserve(size_t tokens, size_t chunk);
  // Takes what the layers are given first of row `row`, [hidden_size]. Thread-safe for different
  // rows.
  void SetFirst(size_t row, const float* x);
  // Rows [from, from + count) become those from `to` on, which is not larger.
  void MoveFirst(size_t from, size_t to, size_t count);

  // The branch of rows [first, first + x.rows), before its norm: x is what the layer has of them.
  void Run(LayerInputWeights& weights, size_t first, const InputView& x, const OutputView& branch,
           const RowEpilogue& end);

 private:
  LayerInputs inputs_;
  size_t hidden_size_;
  AlignedBuffer<float> first_;  // [tokens, hidden_size]
  InputMatrix first_rows_;      // [chunk, hidden_size]
  AlignedBuffer<float> parts_;  // [chunk, size]: p
  AlignedBuffer<float> gates_;  // [chunk, size]
  InputMatrix gated_;           // [chunk, size]
};

}  // namespace embedding
