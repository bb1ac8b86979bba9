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
#include "backends/cuda/cuda_compute.h"
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
  struct LayerWeights {
    CudaLinear qkv;
    CudaLinear attention_output;
    CudaNorm attention_norm;
    CudaLinear intermediate;
    CudaLinear output;
    CudaNorm output_norm;
  };
  // Where the numbers stand that a batch's launches read, as int32_t from the buffer's begin.
  struct Indices {
    size_t ids, types, positions, kept, tiles, count;
  };

  CudaEncoder(CudaCompute& compute, const Encoder& encoder);

  static Indices PlacesOf(const CudaGraphs::Key& shape);
  Status Reserve(const CudaGraphs::Key& shape);
  Status CopyIndices(const Batch& batch, std::span<const TokenRange> wanted,
                     const CudaGraphs::Key& shape);
  Status Launch(const CudaGraphs::Key& shape);
  Status LaunchEmbeddings(const CudaGraphs::Key& shape);
  Status LaunchLayer(size_t index, const CudaGraphs::Key& shape);
  Status LaunchAttention(const Attention& attention, const CudaGraphs::Key& shape);
  // What a layer does behind its attention, of `rows` rows of its input and of their contexts.
  Status LaunchAfterAttention(size_t index, CudaPointer x, CudaPointer context, CudaPointer to,
                              size_t rows);
  Status Gather(CudaPointer from, size_t columns, CudaPointer to, const CudaGraphs::Key& shape);
  CudaPointer Index(size_t place) const { return indices_.address() + place * sizeof(int32_t); }

  CudaCompute& compute_;
  const Encoder encoder_;
  CudaBuffer word_embeddings_;
  CudaBuffer position_embeddings_;
  CudaBuffer token_type_embeddings_;
  std::unique_ptr<CudaNorm> embeddings_norm_;
  std::vector<LayerWeights> layers_;
  size_t largest_width_ = 0;  // of attention
  size_t largest_inner_ = 0;  // of what lies between the two products of a feed-forward

  // Of the batch that is computed: [rows, ...].
  CudaBuffer x_;
  CudaBuffer qkv_;
  CudaBuffer context_;
  CudaBuffer attended_;
  CudaBuffer inner_;
  CudaBuffer indices_;
  CudaBuffer host_indices_;
  std::vector<int32_t> positions_;
  std::vector<AttentionTile> tiles_;
  CudaGraphs graphs_;
};

}  // namespace embedding
