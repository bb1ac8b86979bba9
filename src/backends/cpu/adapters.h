// Additions of low rank to weights, Adapters of model/architecture.h, in f32: of each row that has
// one, what its adapter adds to a product or to a row of a table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "backends/backend.h"
#include "backends/wanted_tokens.h"
#include "base/aligned_buffer.h"
#include "base/half.h"
#include "model/tensors.h"

namespace embedding {

// Of a Linear. Thread-safe.
class LinearAdapters {
 public:
  // Copies the tensors.
  LinearAdapters(const AdapterTensors& tensors, const Adapters& adapters);

  // y += scale * (x A^T) B^T, of adapter `which`: x is [in_features], y [out_features].
  void AddTo(size_t which, const float* x, float* y) const;
  // The same of rows of bf16.
  void AddTo(size_t which, const BFloat16* x, float* y) const;
  void AddTo(size_t which, const float* x, BFloat16* y) const;

 private:
  size_t rank_;
  size_t in_features_;
  size_t out_features_;
  AlignedBuffer<float> a_;  // [count, rank, in_features]
  AlignedBuffer<float> b_;  // [count, rank, out_features], transposed and scaled
};

// row += scale * A[row] B, of adapter `which`: [columns]. Thread-safe.
void AddTableAdapter(const AdapterTensors& tensors, float scale, size_t which, size_t row,
                     float* out, size_t columns);

// Which of a batch's rows have one, and what they take from the layer before in f32.
class AdaptedRows {
 public:
  // Of a batch, whose chunks have `chunk` rows of `size` numbers at most.
  void Begin(const Batch& batch, size_t chunk, size_t size);
  // Leaves the rows of the wanted tokens alone, side by side.
  void Keep(const Batch& batch, std::span<const TokenRange> wanted);

  // Whether any row has one.
  bool any() const { return any_; }
  // That of row `row` of the batch, or -1.
  int32_t of(size_t row) const { return adapters_[row]; }
  // Of row `row` of the chunk, [size].
  float* input(size_t row) { return inputs_.data() + row * size_; }

 private:
  bool any_ = false;
  size_t size_ = 0;
  std::vector<int32_t> adapters_;  // [rows]
  AlignedBuffer<float> inputs_;    // [chunk, size]
};

}  // namespace embedding
