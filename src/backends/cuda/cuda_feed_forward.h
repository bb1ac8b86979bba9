// CudaFeedForward: what an encoder's layers do behind their attention, all of it row by row, on a
// GPU of NVIDIA's.
//
// Not thread-safe: the encoder owns it.
#pragma once

#include <cstddef>

#include "backends/cuda/cuda_adapters.h"
#include "backends/cuda/cuda_compute.h"
#include "backends/cuda/cuda_encoder_weights.h"
#include "backends/cuda/cuda_experts.h"
#include "model/architecture.h"

namespace embedding {

// Rows that are computed at a time: what lies between the two products stays in the L2 cache.
constexpr size_t kFeedForwardRows = 4096;

class CudaFeedForward {
 public:
  // All must outlive it.
  CudaFeedForward(CudaCompute& compute, CudaAdapterProducts& products, const Encoder& encoder);

  // Of a layer's rows; each is [rows, hidden_size], but for the contexts.
  struct Rows {
    size_t count = 0;  // at most kFeedForwardRows
    CudaPointer x = 0;
    CudaPointer context = 0;  // [rows, Attention::width()]
    CudaPointer first = 0;    // what the first layer was given, where there are LayerInputs
    CudaPointer normed = 0;   // room, for models that normalise a half's input; x may be there
    CudaPointer to = 0;       // may be x
    CudaAdaptedRows adapted;
  };

  // For so many rows; whether there was room already.
  Result<bool> Reserve(size_t rows);
  void FreeBuffers();

  // Begins to compute.
  Status Launch(const Layer& layer, const CudaLayerWeights& weights, const Rows& rows);

 private:
  // to = output(x + branch(linear(in))), with the norms that there are. Without the norm of the
  // branch `to` may be x.
  Status AddBranch(const CudaHalfNorms& norms, const CudaAdaptedLinear& linear, CudaPointer in,
                   CudaPointer x, CudaPointer to, const Rows& rows);
  Status AddFeedForward(const Layer& layer, const CudaLayerWeights& weights, CudaPointer given,
                        const Rows& rows);
  // x += branch_norm(output(activation(gate(x)) * norm(scale * input(first)))).
  Status AddInputs(const CudaLayerInputs& inputs, CudaPointer first, CudaPointer x, size_t rows);

  CudaCompute& compute_;
  CudaAdapterProducts& products_;
  const Encoder& encoder_;
  size_t largest_intermediate_ = 0;  // of what a feed-forward's first product gives
  size_t largest_gated_ = 0;         // of what is made of that, where it is gated
  CudaBuffer attended_;              // [rows, hidden_size]
  CudaBuffer inner_;
  CudaBuffer gated_;
  CudaExperts experts_;
};

}  // namespace embedding
