#include "backends/cpu/layer_inputs.h"

#include <algorithm>

namespace embedding {

void LayerInputBranch::Reserve(size_t tokens, size_t chunk) {
  first_.Resize(tokens * hidden_size_);
  first_rows_.Resize(chunk, hidden_size_);
  parts_.Resize(chunk * inputs_.size);
  gates_.Resize(chunk * inputs_.size);
  gated_.Resize(chunk, inputs_.size);
}

void LayerInputBranch::SetFirst(size_t row, const float* x) {
  std::copy_n(x, hidden_size_, first_.data() + row * hidden_size_);
}

void LayerInputBranch::MoveFirst(size_t from, size_t to, size_t count) {
  if (from == to) return;
  std::copy_n(first_.data() + from * hidden_size_, count * hidden_size_,
              first_.data() + to * hidden_size_);
}

void LayerInputBranch::Run(LayerInputWeights& weights, size_t first, const InputView& x,
                           const OutputView& branch, const RowEpilogue& end) {
  const size_t size = inputs_.size;
  const size_t rows = x.rows;
  for (size_t row = 0; row < rows; ++row) {
    first_rows_.Set(row, first_.data() + (first + row) * hidden_size_);
  }
  weights.input->Run(first_rows_.View(0, rows), {parts_.data(), rows, size},
                     [&](size_t begin, size_t last) {
                       for (size_t row = begin; row < last; ++row) {
                         float* const part = parts_.data() + row * size;
                         for (size_t k = 0; k < size; ++k) part[k] *= inputs_.scale;
                         Normalize(weights.norm, part, part);
                       }
                     });
  weights.gate->Run(x, {gates_.data(), rows, size}, [&](size_t begin, size_t last) {
    for (size_t row = begin; row < last; ++row) {
      float* const gate = gates_.data() + row * size;
      const float* const part = parts_.data() + row * size;
      for (size_t k = 0; k < size; ++k) gate[k] *= part[k];
      gated_.Set(row, gate);
    }
  });
  weights.output->Run(gated_.View(0, rows), branch, end);
}

}  // namespace embedding
