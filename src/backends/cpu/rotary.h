// What is done to queries, keys and values before attention: their norms, and rotary position
// embeddings.
#pragma once

#include <cstddef>
#include <utility>

#include "backends/cpu/norms.h"
#include "base/aligned_buffer.h"
#include "base/half.h"
#include "model/architecture.h"

namespace embedding {

// The sines and cosines of a Rope for the positions of a batch.
class RotaryTable {
 public:
  explicit RotaryTable(Rope rope) : rope_(std::move(rope)) {}

  // Of positions [0, count), at least. Not thread-safe.
  void Reserve(size_t count);
  const Rope& rope() const { return rope_; }
  // [frequencies.size()], each times the rope's factor.
  const float* cosines(size_t position) const { return cosines_.data() + position * pairs(); }
  const float* sines(size_t position) const { return sines_.data() + position * pairs(); }

 private:
  size_t pairs() const { return rope_.frequencies.size(); }

  Rope rope_;
  size_t positions_ = 0;
  AlignedBuffer<float> cosines_;  // [positions, pairs]
  AlignedBuffer<float> sines_;
};

// What a layer does to each head's numbers; what is not there is left out.
struct HeadPreparation {
  const NormParameters* query_norm = nullptr;
  const NormParameters* key_norm = nullptr;
  const NormParameters* value_norm = nullptr;
  const RotaryTable* rotary = nullptr;

  bool does_nothing() const {
    return query_norm == nullptr && key_norm == nullptr && value_norm == nullptr &&
           rotary == nullptr;
  }
};

// A token's row of q, k and v, [Attention::qkv_width()], in place. Thread-safe.
void PrepareHeads(const Attention& attention, const HeadPreparation& preparation, size_t position,
                  float* qkv);
void PrepareHeads(const Attention& attention, const HeadPreparation& preparation, size_t position,
                  BFloat16* qkv);

}  // namespace embedding
