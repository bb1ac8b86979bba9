// CudaEncoder: a model's layers on a GPU of NVIDIA's, over packed rows.
//
// Not thread-safe: the session owns it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "backends/backend.h"
#include "backends/cuda/attention_tiles.h"
#include "backends/cuda/cuda_adapters.h"
#include "backends/cuda/cuda_attention.h"
#include "backends/cuda/cuda_compute.h"
#include "backends/cuda/cuda_convolution.h"
#include "backends/cuda/cuda_encoder_weights.h"
#include "backends/cuda/cuda_feed_forward.h"
#include "backends/cuda/cuda_graphs.h"
#include "backends/wanted_tokens.h"
#include "model/architecture.h"
#include "model/tensors.h"

namespace embedding {

class CudaEncoder {
 public:
  // `compute` must outlive the encoder. Errors: kOutOfMemory, kInternal.
  static Result<std::unique_ptr<CudaEncoder>> Load(CudaCompute& compute, const Encoder& encoder,
                                                   const EncoderTensors& tensors);

  // Gives back the memory that batches take, when nothing is being computed.
  void FreeBuffers();

  // Begins to compute. The last hidden states of the tokens that are wanted of each sequence, one
  // after the other, [tokens, hidden_size] of CudaCompute::type(), valid until the next call.
  Result<CudaPointer> Run(const Batch& batch, std::span<const TokenRange> wanted);

 private:
  // Where the numbers stand that a batch's launches read, as int32_t from the buffer's begin.
  struct Indices {
    size_t ids, types, positions, places, kept, adapters, kept_adapters, tiles, neighbours, count;
  };

  CudaEncoder(CudaCompute& compute, const Encoder& encoder, CudaEncoderWeights weights);

  Indices PlacesOf(const CudaGraphs::Key& shape) const;
  Status Reserve(const CudaGraphs::Key& shape);
  Status CopyIndices(const Batch& batch, std::span<const TokenRange> wanted,
                     const CudaGraphs::Key& shape);
  Status Launch(const CudaGraphs::Key& shape);
  Status LaunchEmbeddings(const CudaGraphs::Key& shape);
  Status LaunchLayer(size_t index, const CudaGraphs::Key& shape);
  // The rows' adapters, or those of the kept rows.
  CudaAdaptedRows AdaptedRows(const CudaGraphs::Key& shape, bool are_kept) const;
  Status Gather(CudaPointer from, size_t columns, CudaPointer to, const CudaGraphs::Key& shape);
  CudaPointer Index(size_t place) const { return indices_.address() + place * sizeof(int32_t); }

  CudaCompute& compute_;
  const Encoder encoder_;
  CudaEncoderWeights weights_;
  CudaAdapterProducts products_;
  std::unique_ptr<CudaAttention> attention_;
  std::unique_ptr<CudaConvolution> convolution_;  // nullptr where the encoder has none
  CudaFeedForward feed_forward_;
  size_t largest_width_ = 0;       // of attention
  size_t largest_qkv_width_ = 0;   // of queries, keys and values
  size_t largest_rank_ = 0;        // of what adapters multiply
  bool normalizes_input_ = false;  // of a half of a layer
  bool has_experts_ = false;

  // Of the batch that is computed: [rows, ...].
  CudaBuffer x_;
  CudaBuffer normed_;
  CudaBuffer qkv_;
  CudaBuffer context_;
  CudaBuffer first_;       // what the first layer is given, where there are LayerInputs
  CudaBuffer kept_first_;  // of it the rows that the last layer keeps
  CudaBuffer indices_;
  CudaBuffer host_indices_;
  std::vector<int32_t> positions_;
  std::vector<int32_t> neighbours_;
  CudaGraphs graphs_;
};

}  // namespace embedding
