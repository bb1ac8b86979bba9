// An encoder's weights on a GPU of NVIDIA's, in CudaCompute::type().
#pragma once

#include <optional>
#include <vector>

#include "backends/cuda/cuda_compute.h"
#include "model/architecture.h"
#include "model/tensors.h"

namespace embedding {

// Those that HalfNorms has.
struct CudaHalfNorms {
  std::optional<CudaNorm> input;
  std::optional<CudaNorm> branch;
  std::optional<CudaNorm> output;
};

// Of a layer's heads, before they are rotated.
struct CudaHeadNorms {
  std::optional<CudaNorm> query;
  std::optional<CudaNorm> key;
  std::optional<CudaNorm> value;
};

struct CudaLayerWeights {
  CudaLinear qkv;  // q, k, v side by side
  CudaHeadNorms head_norms;
  CudaLinear attention_output;
  CudaHalfNorms attention_norms;
  CudaLinear intermediate;  // the gate's features first, where it is gated
  CudaLinear output;
  CudaHalfNorms feed_forward_norms;
};

struct CudaEncoderWeights {
  CudaBuffer word_embeddings;
  CudaBuffer position_embeddings;    // empty where there are none
  CudaBuffer token_type_embeddings;  // the same
  std::optional<CudaNorm> embeddings_norm = {};
  std::optional<CudaLinear> projection = {};
  std::optional<CudaNorm> projected_norm = {};
  std::vector<CudaLayerWeights> layers = {};  // by Layer::weights
  std::optional<CudaNorm> final_norm = {};
};

// Errors: kOutOfMemory, kInternal.
Result<CudaEncoderWeights> LoadEncoderWeights(CudaCompute& compute, const Encoder& encoder,
                                              const EncoderTensors& tensors);

}  // namespace embedding
