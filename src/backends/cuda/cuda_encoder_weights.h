// An encoder's weights on a GPU of NVIDIA's, in CudaCompute::type().
#pragma once

#include <optional>
#include <vector>

#include "backends/cuda/cuda_adapters.h"
#include "backends/cuda/cuda_compute.h"
#include "backends/cuda/cuda_experts.h"
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

// Of LayerInputs.
struct CudaLayerInputs {
  CudaLinear input;
  CudaLinear gate;
  CudaLinear output;
  std::optional<CudaNorm> norm;
  std::optional<CudaNorm> branch_norm;
};

// Of Disentangled: keys and queries of the relative positions, [positions, width]; empty where it
// does not use them.
struct CudaPositions {
  CudaBuffer keys;
  CudaBuffer queries;
};

struct CudaLayerWeights {
  CudaAdaptedLinear qkv;  // q, k, v side by side
  CudaHeadNorms head_norms;
  CudaPositions positions;
  CudaAdaptedLinear attention_output;
  CudaHalfNorms attention_norms;
  // These two, the first with the gate's features first where it is gated, or experts.
  std::optional<CudaAdaptedLinear> intermediate = {};
  std::optional<CudaAdaptedLinear> output = {};
  std::optional<CudaExpertsWeights> experts = {};
  CudaHalfNorms feed_forward_norms = {};
  std::optional<CudaLayerInputs> inputs = {};
  float output_scale = 1;
};

struct CudaEncoderWeights {
  CudaBuffer word_embeddings;
  CudaBuffer position_embeddings;    // empty where there are none
  CudaBuffer token_type_embeddings;  // the same
  CudaTableAdapters word_adapters = {};
  CudaTableAdapters token_type_adapters = {};
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
