// EncoderWeights: an encoder's parameters in the form the CPU computes with.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "backends/cpu/adapters.h"
#include "backends/cpu/disentangled.h"
#include "backends/cpu/layer_inputs.h"
#include "backends/cpu/linear.h"
#include "backends/cpu/norms.h"
#include "backends/cpu/score_bias.h"
#include "base/aligned_buffer.h"
#include "base/result.h"
#include "model/architecture.h"
#include "model/tensors.h"

namespace embedding {

// The numbers that an encoder computes in.
struct EncoderTypes {
  DType weight = DType::kF32;  // of its products, as LinearTypes has it
  // What products write for attention and for the next product, kF32 or kBF16. What is added to the
  // residual stream is f32.
  DType between = DType::kF32;
};

// Of HalfNorms.
struct HalfNormWeights {
  std::optional<NormParameters> input;
  std::optional<NormParameters> branch;
  std::optional<NormParameters> output;
};

struct FeedForwardWeights {
  // hidden_size -> FeedForward::width, activated and gated; where the encoder has adapters, whose
  // part comes before that, it is not, and gives the gate's numbers before those that are gated.
  std::unique_ptr<Linear> intermediate;
  std::unique_ptr<Linear> output;  // FeedForward::width -> hidden_size
};

// Of a layer's Linears those that have some.
struct LayerAdapters {
  std::optional<LinearAdapters> query, key, value;
  std::optional<LinearAdapters> attention_output;
  std::optional<LinearAdapters> gate, intermediate;
  std::optional<LinearAdapters> output;
};

struct LayerWeights {
  std::unique_ptr<Linear> qkv;               // hidden_size -> Attention::qkv_width()
  std::unique_ptr<Linear> attention_output;  // Attention::width() -> hidden_size
  std::optional<NormParameters> query_norm;
  std::optional<NormParameters> key_norm;
  std::optional<NormParameters> value_norm;
  std::optional<RelativePositions> positions;  // where the encoder's attention is disentangled
  HalfNormWeights attention_norms;
  std::vector<FeedForwardWeights> feed_forward;  // one, or Experts::count
  std::unique_ptr<Linear> router;                // hidden_size -> Experts::count, of f32
  AlignedBuffer<float> experts_bias;             // [hidden_size]
  HalfNormWeights feed_forward_norms;
  LayerAdapters adapters;
  std::optional<LayerInputWeights> inputs;
  HalfNormWeights input_norms;  // of the branch of these
  float output_scale = 1;       // where Layer::scales_output
};

// What the encoder has.
struct EncoderWeights {
  // Tables that stay where the file is mapped: a batch touches few of their rows.
  TensorView word_embeddings;                       // [vocab_size, embedding_size]
  std::optional<TensorView> position_embeddings;    // [Positions::count, embedding_size]
  std::optional<TensorView> token_type_embeddings;  // [token_types, embedding_size]
  std::optional<AdapterTensors> word_adapters;
  std::optional<AdapterTensors> token_type_adapters;
  std::optional<NormParameters> embeddings_norm;
  std::unique_ptr<Linear> projection;  // embedding_size -> hidden_size
  std::optional<NormParameters> projected_norm;
  std::vector<LayerWeights> layers;  // by Layer::weights
  std::optional<NormParameters> final_norm;
  std::optional<RelativeBiasTable> relative_bias;
  std::unique_ptr<Linear> convolution;  // kernel * hidden_size -> hidden_size, activated, as f32
  HalfNormWeights convolution_norms;    // of its branch
};

// Packed for `team`, as PackLinear does. Errors: kModelLoad naming a tensor with numbers beyond
// f16's, for weights of that.
Result<EncoderWeights> PackEncoderWeights(const Encoder& encoder, const EncoderTensors& tensors,
                                          EncoderTypes types, ThreadTeam& team);

}  // namespace embedding
