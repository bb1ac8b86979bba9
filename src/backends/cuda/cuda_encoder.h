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
#include "backends/cuda/cuda_attention.h"
#include "backends/cuda/cuda_compute.h"
#include "backends/cuda/cuda_encoder_weights.h"
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
    size_t ids, types, positions, places, kept, tiles, count;
  };

  CudaEncoder(CudaCompute& compute, const Encoder& encoder, CudaEncoderWeights weights);

  static Indices PlacesOf(const CudaGraphs::Key& shape);
  Status Reserve(const CudaGraphs::Key& shape);
  Status CopyIndices(const Batch& batch, std::span<const TokenRange> wanted,
                     const CudaGraphs::Key& shape);
  Status Launch(const CudaGraphs::Key& shape);
  Status LaunchEmbeddings(const CudaGraphs::Key& shape);
  Status LaunchLayer(size_t index, const CudaGraphs::Key& shape);
  // What a layer does behind its attention, of `rows` rows of its input and of their contexts;
  // `normed` has room for as many.
  Status LaunchAfterAttention(size_t index, CudaPointer x, CudaPointer context, CudaPointer normed,
                              CudaPointer to, size_t rows);
  // to = output(x + branch(linear(in))), with the norms that there are. Without the norm of the
  // branch `to` may be x.
  Status AddBranch(const CudaHalfNorms& norms, const CudaLinear& linear, CudaPointer in,
                   CudaPointer x, CudaPointer to, size_t rows);
  Status Gather(CudaPointer from, size_t columns, CudaPointer to, const CudaGraphs::Key& shape);
  CudaPointer Index(size_t place) const { return indices_.address() + place * sizeof(int32_t); }

  CudaCompute& compute_;
  const Encoder encoder_;
  CudaEncoderWeights weights_;
  std::unique_ptr<CudaAttention> attention_;
  size_t largest_width_ = 0;         // of attention
  size_t largest_qkv_width_ = 0;     // of queries, keys and values
  size_t largest_intermediate_ = 0;  // of what a feed-forward's first product gives
  size_t largest_gated_ = 0;         // of what is made of that, where it is gated
  bool normalizes_input_ = false;    // of a half of a layer

  // Of the batch that is computed: [rows, ...].
  CudaBuffer x_;
  CudaBuffer normed_;
  CudaBuffer qkv_;
  CudaBuffer context_;
  CudaBuffer attended_;
  CudaBuffer inner_;
  CudaBuffer gated_;
  CudaBuffer indices_;
  CudaBuffer host_indices_;
  std::vector<int32_t> positions_;
  std::vector<AttentionTile> tiles_;
  CudaGraphs graphs_;
};

}  // namespace embedding
