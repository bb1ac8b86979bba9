// CpuHead: what the heads of a model (model/heads.h) make of a batch's last hidden states, on the
// CPU.
//
// Not thread-safe: the session owns them.
#pragma once

#include <cstddef>
#include <span>

#include "backends/backend.h"
#include "base/aligned_buffer.h"

namespace embedding {

// Of the tokens of each sequence that its outputs need (wanted_tokens.h).
struct HiddenStates {
  std::span<const float> rows;     // [tokens that are needed, hidden_size]
  std::span<const size_t> begins;  // [sequences + 1], of each sequence's rows
  size_t hidden_size = 0;

  // The rows of sequence s.
  std::span<const float> of(size_t s) const {
    return rows.subspan(begins[s] * hidden_size, (begins[s + 1] - begins[s]) * hidden_size);
  }
};

class CpuHead {
 public:
  virtual ~CpuHead() = default;

  // Gives the sequences that want it their output. Throws std::bad_alloc.
  virtual void Run(const Batch& batch, const HiddenStates& hidden, BatchOutputs& outputs) = 0;
};

// The rows of those sequences that want something, side by side.
class GatheredRows {
 public:
  // Valid until the next call, like `hidden`.
  std::span<const float> Gather(const Batch& batch, const HiddenStates& hidden,
                                bool Outputs::*wants);

 private:
  AlignedBuffer<float> rows_;
};

}  // namespace embedding
